import { useQueries } from "@tanstack/react-query";
import { useState } from "react";

import type { Column, Job } from "../../api";
import { getStatistics, type Statistics } from "../data/requests";
import { FilterForm } from "../table/FilterForm";
import { brief, isNumeric } from "../table/numbers";
import { withColumn, type Condition, type Where } from "../where";
import { words } from "../words";
import { Histogram } from "./Histogram";

interface ColumnsProps {
  job: Job;
  columns: readonly Column[];
  /** Names in the order of the table. */
  shown: readonly string[];
  where: Where;
  onShown: (names: readonly string[] | undefined) => void;
  onWhere: (where: Where) => void;
}

/** Columns asked for at once: statistics of 150 columns together would let the first wait for the last. */
const TOGETHER = 6;

/** Statistics of columns under these conditions, the first columns first. */
export function useStatistics(job: Job, names: readonly string[], where: Where): (name: string) => Statistics | undefined {
  const groups = Array.from({ length: Math.ceil(names.length / TOGETHER) }, (_, k) => names.slice(k * TOGETHER, (k + 1) * TOGETHER));
  const [done, setDone] = useState(0);
  const answers = useQueries({
    queries: groups.map((group, k) => ({
      queryKey: ["statistics", job.id, group, JSON.stringify(where)],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        try {
          return await getStatistics(job, group, where, signal);
        } finally {
          setDone((before) => Math.max(before, k + 1));
        }
      },
      staleTime: Infinity,
      enabled: k <= done,
    })),
  });
  return (name) => {
    for (const answer of answers) {
      const found = answer.data?.find((one) => one.name === name);
      if (found) return found;
    }
    return undefined;
  };
}

/** All columns of a result: what they are, what their values are like; which are shown and in which order. */
export function Columns({ job, columns, shown, where, onShown, onWhere }: ColumnsProps) {
  const [search, setSearch] = useState("");
  const [filtered, setFiltered] = useState<string>();
  const hidden = columns.filter((column) => !shown.includes(column.name));
  const ordered = [...shown.map((name) => columns.find((column) => column.name === name)).filter((one) => one !== undefined), ...hidden];
  const needle = search.trim().toLowerCase();
  const found = ordered.filter((column) => `${column.name} ${column.description} ${column.unit} ${column.ucd}`.toLowerCase().includes(needle));
  const statistics = useStatistics(job, columns.map((column) => column.name), where);

  const show = (name: string, on: boolean): void => {
    const names = on ? [...shown, name] : shown.filter((one) => one !== name);
    onShown(names.length === columns.length && names.every((one, k) => one === columns[k]?.name) ? undefined : names);
  };
  const move = (name: string, by: number): void => {
    const names = [...shown];
    const at = names.indexOf(name);
    const to = at + by;
    if (at < 0 || to < 0 || to >= names.length) return;
    names.splice(to, 0, ...names.splice(at, 1));
    onShown(names);
  };

  return (
    <section className="viewer-columns" aria-label={words.columns.title}>
      <div className="viewer-bar">
        <input type="search" value={search} aria-label={words.columns.search} placeholder={words.columns.search} onChange={(event) => setSearch(event.target.value)} />
        <button type="button" onClick={() => onShown(undefined)}>{words.columns.all}</button>
        <button type="button" onClick={() => onShown(columns.slice(0, 1).map((column) => column.name))}>{words.columns.none}</button>
        <span className="viewer-quiet">{words.columns.shown(shown.length, columns.length)}</span>
      </div>
      {found.length === 0 && <p className="viewer-quiet">{words.columns.noMatch}</p>}
      <ul>
        {found.map((column) => {
          const one = statistics(column.name);
          const at = shown.indexOf(column.name);
          return (
            <li key={column.name} className={at < 0 ? "viewer-hidden" : undefined}>
              <div className="viewer-column-name">
                <label>
                  <input type="checkbox" checked={at >= 0} disabled={at >= 0 && shown.length === 1} aria-label={words.columns.show(column.name)} onChange={(event) => show(column.name, event.target.checked)} />
                  <strong>{column.name}</strong>
                </label>
                <span className="viewer-unit">{column.unit}</span>
                <span className="viewer-spacer" />
                <button type="button" className="viewer-small" aria-label={words.columns.up(column.name)} disabled={at <= 0} onClick={() => move(column.name, -1)}>↑</button>
                <button type="button" className="viewer-small" aria-label={words.columns.down(column.name)} disabled={at < 0 || at === shown.length - 1} onClick={() => move(column.name, 1)}>↓</button>
                <button type="button" className="viewer-small" aria-label={words.table.filter(column.name)} aria-expanded={filtered === column.name} onClick={() => setFiltered(filtered === column.name ? undefined : column.name)}>
                  {words.columns.filter}
                </button>
              </div>
              {column.description && <p>{column.description}</p>}
              <p className="viewer-quiet">
                <code>{column.datatype}{column.arraysize && `[${column.arraysize}]`}</code> {column.ucd && <code>{column.ucd}</code>}
              </p>
              {one && <Values column={column} statistics={one} onRange={(condition) => onWhere(withColumn(where, column.name, [condition]))} />}
              {filtered === column.name && (
                <FilterForm
                  key={JSON.stringify(where)}
                  column={column}
                  where={where}
                  statistics={one}
                  onApply={(conditions) => onWhere(withColumn(where, column.name, conditions))}
                />
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function say(value: number | string | null): string {
  return value === null ? "–" : typeof value === "number" ? brief(value) : value;
}

/** The values of a column in one line, with their histogram or the most frequent of them. */
function Values({ column, statistics, onRange }: { column: Column; statistics: Statistics; onRange: (condition: Condition) => void }) {
  const { min, max, quartiles, nulls, distinct, histogram, top } = statistics;
  return (
    <div className="viewer-values">
      {histogram && (
        <Histogram
          edges={histogram.edges}
          counts={histogram.counts}
          {...(isNumeric(column) && {
            onRange: (from: number, to: number) => onRange([column.name, "between", [Number(from.toPrecision(6)), Number(to.toPrecision(6))]]),
          })}
        />
      )}
      <span>
        {[
          min !== null && max !== null ? words.columns.range(say(min), say(max)) : "",
          quartiles?.[1] !== undefined && quartiles[1] !== null ? words.columns.median(say(quartiles[1])) : "",
          nulls > 0 ? words.columns.missing(nulls) : "",
          typeof distinct === "number" ? words.columns.distinct(distinct) : "",
        ].filter(Boolean).join(" · ")}
      </span>
      {!histogram && top && top.length > 0 && (
        <span className="viewer-quiet">{top.slice(0, 5).map(([value, times]) => `${String(value)} (${times})`).join(", ")}</span>
      )}
    </div>
  );
}
