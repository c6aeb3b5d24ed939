import type { Job, Phase } from "../api";

const ENDED: ReadonlySet<Phase> = new Set(["COMPLETED", "ERROR", "ABORTED", "ARCHIVED"]);

export function hasEnded({ phase }: Pick<Job, "phase">): boolean {
  return ENDED.has(phase);
}

/** Whether it will change by itself: it waits for its turn or runs. */
export function isActive({ phase }: Pick<Job, "phase">): boolean {
  return phase === "QUEUED" || phase === "EXECUTING";
}

/** Seconds that it ran; null while it did not end. */
export function took({ started, ended }: Pick<Job, "started" | "ended">): number | null {
  return started && ended ? Math.max(0, Date.parse(ended) - Date.parse(started)) / 1000 : null;
}

/** What a job is called in a list: its name, or the first line of its query. */
export function nameOf(job: Pick<Job, "run_id" | "query">): string {
  return job.run_id || firstLine(job.query);
}

export function firstLine(query: string): string {
  const line = query.replace(/--[^\n]*/g, "").replace(/\s+/g, " ").trim();
  return line.length <= 90 ? line : `${line.slice(0, 88)} …`;
}
