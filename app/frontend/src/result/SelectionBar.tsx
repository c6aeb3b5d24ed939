import { useMutation } from "@tanstack/react-query";

import type { Cell, Column, Job } from "../api";
import { complain, say } from "../frame/toasts";
import { identifierText, literal } from "./data/adql";
import { getPage, POINTS } from "./data/requests";
import { useMarks, type Marks } from "./marks";
import { identifier, position } from "./roles";
import { adqlOf, conditions } from "./selection";
import type { State } from "./state";
import { exact, isText } from "./table/numbers";
import { adqlCondition, intervals, isSelection } from "./where";
import { words } from "./words";

interface SelectionBarProps {
  job: Job;
  columns: readonly Column[];
  state: State;
  change: (change: Partial<State>) => void;
  marks: Marks;
  of: number;
  loading: boolean;
  onDownload: () => void;
  onQuery?: (query: string) => void;
}

/** Rows that can be named one by one in a query. */
const NAMED = 1000;

/** What is selected, and what can be done with it. */
export function SelectionBar({ job, columns, state, change, marks, of, loading, onDownload, onQuery }: SelectionBarProps) {
  useMarks(marks);
  const able = (job.rows ?? 0) <= POINTS;

  const filter = (): void => {
    const plain = conditions(state.selection, columns);
    if (!plain && !able) {
      say(words.selection.filterPlain);
      return;
    }
    const where = plain ?? [["#", "in", intervals(marks.bytes)] as const];
    const names = where.map((condition) => condition[0]);
    change({ where: [...state.where.filter((condition) => !names.includes(condition[0])), ...where], selection: [] });
  };

  const query = useMutation({
    mutationFn: () => queryOf(job, columns, state, marks),
    onSuccess: (text) => (text === undefined ? say(words.selection.noQuery) : onQuery?.(text)),
    onError: complain,
  });

  return (
    <div className="viewer-selection" role="region" aria-label={words.selection.title}>
      <strong role="status">{able ? (loading ? "…" : words.selection.selected(marks.count, of)) : words.selection.region}</strong>
      <button type="button" onClick={filter} disabled={able && marks.count === 0}>{words.selection.filter}</button>
      {onQuery && <button type="button" onClick={() => query.mutate()} disabled={query.isPending || (able && marks.count === 0)}>{words.selection.query}</button>}
      {able && <button type="button" onClick={onDownload} disabled={marks.count === 0}>{words.selection.download}</button>}
      <button type="button" onClick={() => change({ selection: [] })}>{words.selection.clear}</button>
    </div>
  );
}

/** A query over the selected rows: of the stored table where it is the asker's own, else of the job's query. */
async function queryOf(job: Job, columns: readonly Column[], state: State, marks: Marks): Promise<string | undefined> {
  const from = source(job);
  if (from === undefined) return undefined;
  const filters = state.where.filter((condition) => !isSelection(condition)).map((condition) => adqlCondition(condition, columns)!);
  const plain = state.where.length === filters.length ? adqlOf(state.selection, columns, position(columns)) : undefined;
  const selected = plain ?? (await named(job, columns, marks));
  if (selected === undefined) return undefined;
  return `SELECT *\nFROM ${from}\nWHERE ${[...filters, selected].join("\n  AND ")}`;
}

function source(job: Job): string | undefined {
  if (job.mine && job.table) return job.table.startsWith("tap_user.") ? job.table : `tap_user.${identifierText(job.table)}`;
  return job.query ? `(\n${job.query.trim().replace(/;\s*$/, "")}\n) AS result` : undefined;
}

async function named(job: Job, columns: readonly Column[], marks: Marks): Promise<string | undefined> {
  const column = identifier(columns);
  if (!column || marks.count === 0 || marks.count > NAMED) return undefined;
  const page = await getPage(job, { columns: [column.name], where: [["#", "in", intervals(marks.bytes)]] }, 0, NAMED);
  const one = (cell: Cell | undefined): string => (isText(column) ? literal(exact(cell)) : exact(cell));
  return `${identifierText(column.name)} IN (${page.rows.map((row) => one(row[0])).filter(Boolean).join(", ")})`;
}
