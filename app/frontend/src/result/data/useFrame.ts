import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";

import type { Job } from "../../api";
import type { Where } from "../where";
import type { Frame } from "./arrow";
import { getColumn } from "./requests";

export interface Loaded {
  /** All of the columns, once they are there. */
  frame: Frame | undefined;
  /** The row number of each row of the frame; nothing if it has all rows of the result in order. */
  numbers: Int32Array | null;
  loading: boolean;
  error: Error | null;
}

/** Columns of a result as typed arrays, each fetched once and shared by all views that want it. */
export function useFrame(job: Job, names: readonly string[], where: Where, enabled = true): Loaded {
  const total = job.rows ?? 0;
  const answers = useQueries({
    queries: names.map((name) => ({
      queryKey: ["data", job.id, name, JSON.stringify(where)],
      queryFn: ({ signal }: { signal: AbortSignal }) => getColumn(job, name, where, signal),
      staleTime: Infinity,
      // Columns of two million rows are 16 MB each: those that no view shows go soon.
      gcTime: 60_000,
      enabled,
      structuralSharing: false,
    })),
  });
  const frames = answers.map((answer) => answer.data);
  const stamp = names.map((name, k) => `${name}:${answers[k]?.dataUpdatedAt ?? 0}`).join();
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `stamp` says when any of the frames is another
  const frame = useMemo(() => (enabled ? merged(names, frames) : undefined), [stamp, enabled]);
  const numbers = useMemo(() => (frame ? rowNumbers(frame, total) : null), [frame, total]);
  return {
    frame,
    numbers,
    loading: enabled && answers.some((answer) => answer.isPending),
    error: answers.find((answer) => answer.error)?.error ?? null,
  };
}

function merged(names: readonly string[], frames: readonly (Frame | undefined)[]): Frame | undefined {
  const columns: [string, Frame["columns"] extends ReadonlyMap<string, infer T> ? T : never][] = [];
  let length: number | undefined;
  for (const [k, frame] of frames.entries()) {
    if (!frame || (length !== undefined && frame.length !== length)) return undefined;
    length = frame.length;
    for (const name of [names[k], "#"]) {
      const column = frame.columns.get(name);
      if (column) columns.push([name, column]);
    }
  }
  return length === undefined ? undefined : { length, columns: new Map(columns) };
}

function rowNumbers(frame: Frame, total: number): Int32Array | null {
  const column = frame.columns.get("#");
  return column?.kind === "number" && frame.length !== total ? Int32Array.from(column.values) : null;
}
