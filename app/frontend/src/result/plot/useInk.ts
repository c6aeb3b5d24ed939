import { useEffect, useState, type RefObject } from "react";

import { ink, type Ink } from "./frame";

/** The page's colours, again when the reader changes between light and dark; `dot` is the colour of a lone row. */
export function useInk(element: RefObject<HTMLElement | null>): Ink & { dot: string } {
  const [colours, setColours] = useState(() => taken(document.documentElement));
  useEffect(() => {
    const query = window.matchMedia("(prefers-color-scheme: dark)");
    const take = (): void => setColours(taken(element.current ?? document.documentElement));
    query.addEventListener("change", take);
    return () => query.removeEventListener("change", take);
  }, [element]);
  return colours;
}

function taken(element: Element): Ink & { dot: string } {
  return { ...ink(element), dot: getComputedStyle(element).getPropertyValue("--link").trim() || "#1f4e8c" };
}
