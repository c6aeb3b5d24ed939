import type { Phase as Name } from "../api";
import { words } from "../words";

const SIGNS: Partial<Record<Name, string>> = { COMPLETED: "✓", ERROR: "!", EXECUTING: "▸", QUEUED: "…", ABORTED: "×" };

/** The phase of a job: a sign and its word; the word alone is for those who cannot see when it is short. */
export function Phase({ phase, short = false }: { phase: Name; short?: boolean }) {
  return (
    <span className={`phase ${phase.toLowerCase()}`} title={words.jobs.phases[phase]}>
      <span aria-hidden="true">{SIGNS[phase] ?? "○"}</span>
      <span className={short ? "unseen" : ""}> {words.jobs.phases[phase]}</span>
    </span>
  );
}
