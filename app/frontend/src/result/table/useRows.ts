import { useQueries } from "@tanstack/react-query";
import { useState } from "react";

import type { Cell, Job, RowsPage } from "../../api";
import { getPage, type Making, type Shape } from "../data/requests";

export const PAGE = 200;

/** Milliseconds between two questions how many rows pass. */
const AGAIN = 100;

export interface Rows {
  /** The cells of a row by its place in this order, or nothing while they are on their way. */
  row: (place: number) => readonly Cell[] | undefined;
  /** Its number in the stored result. */
  number: (place: number) => number | undefined;
  /** The rows of the first page. */
  first: readonly (readonly Cell[])[] | undefined;
  /** Rows that pass the conditions; nothing until the first page has come. */
  filtered: number | undefined;
  /** Rows that were looked at for that, of all that the result has. */
  counted: number | undefined;
  /** What the server makes before it can answer. */
  making: Making | undefined;
  error: Error | null;
  again: () => void;
}

/** The rows of a stored result from `first` to `last`, by pages that are kept while they may be looked at again. */
export function useRows(job: Job, shape: Shape, first: number, last: number): Rows {
  const [making, setMaking] = useState<Making>();
  const key = JSON.stringify([shape.sort, shape.where]);
  const from = Math.floor(Math.max(0, first) / PAGE);
  const until = Math.max(from, Math.floor(Math.max(0, last) / PAGE));
  // The first page stays: it says how many rows there are, and how wide columns are.
  const pages = [0, ...Array.from({ length: Math.min(4, until - from + 1) }, (_, k) => from + k).filter((page) => page > 0)];
  const answers = useQueries({
    queries: pages.map((page) => ({
      queryKey: ["rows", job.id, shape.columns, key, page],
      queryFn: ({ signal }: { signal: AbortSignal }) => getPage(job, shape, page * PAGE, PAGE, signal, setMaking),
      staleTime: Infinity,
      // Each request lets the server count on.
      refetchInterval: ({ state: { data } }: { state: { data: RowsPage | undefined } }) =>
        page === 0 && data && data.counted < data.total ? AGAIN : false,
    })),
  });
  const page = (place: number): RowsPage | undefined => answers[pages.indexOf(Math.floor(place / PAGE))]?.data;
  return {
    row: (place) => page(place)?.rows[place % PAGE],
    number: (place) => page(place)?.numbers[place % PAGE],
    first: answers[0]?.data?.rows,
    filtered: answers[0]?.data?.filtered,
    counted: answers[0]?.data?.counted,
    making,
    error: answers.find((answer) => answer.error)?.error ?? null,
    again: () => answers.forEach((answer) => answer.error && void answer.refetch()),
  };
}
