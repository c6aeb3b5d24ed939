import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { check, type Check, type Language } from "../api";

/** Nothing is said before the person has stopped typing for so long. */
const SILENCE = 400;

export interface Checked {
  /** What the server says of exactly this text; null while it is typed or checked. */
  check: Check | null;
  state: "empty" | "checking" | "checked" | "away";
}

/** The server's own check of a query, after a silence; it is never told of another text than the one that is shown. */
export function useCheck(query: string, language: Language): Checked {
  const [silent, setSilent] = useState(query);
  useEffect(() => {
    const timer = setTimeout(() => setSilent(query), SILENCE);
    return () => clearTimeout(timer);
  }, [query]);
  const written = query.trim() !== "";
  const settled = silent === query;
  const { data, error } = useQuery({
    queryKey: ["check", language, silent],
    queryFn: ({ signal }) => check(silent, language, signal),
    enabled: written && settled,
    staleTime: 60_000,
    gcTime: 60_000,
    retry: 1,
  });
  if (!written) {
    return { check: null, state: "empty" };
  }
  if (settled && data) {
    return { check: data, state: "checked" };
  }
  return { check: null, state: settled && error ? "away" : "checking" };
}
