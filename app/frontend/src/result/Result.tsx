import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";

import { getRows, type Column, type Job, type Site } from "../api";
import { useKeys } from "../frame/keys";
import { Waiting } from "../frame/Waiting";
import { Columns, useStatistics } from "./columns/Columns";
import { position } from "./roles";
import { SelectionBar } from "./SelectionBar";
import { VIEWS, type State, type ViewName } from "./state";
import { FilterForm } from "./table/FilterForm";
import { Grid } from "./table/Grid";
import { DownloadDialog } from "./take/DownloadDialog";
import { useSelection, useViewerState } from "./useResult";
import { withColumn, words as conditionWords } from "./where";
import { words } from "./words";
import "./viewer.css";

const Plot = lazy(() => import("./plot/Plot"));
const Sky = lazy(() => import("./sky/Sky"));

export interface ResultProps {
  job: Job;
  site: Site;
  /** Called with a query over what is selected. */
  onQuery?: (query: string) => void;
}

/** The result of a finished job: table, plot, sky and columns, with one selection over all of them. */
export default function Result(props: ResultProps) {
  const { job } = props;
  const told = useQuery({ queryKey: ["columns", job.id], queryFn: ({ signal }) => getRows(job.id, 0, 1, signal), enabled: !job.columns || job.rows === null, staleTime: Infinity });
  const columns = job.columns ?? told.data?.columns;
  const whole = useMemo(() => ({ ...job, rows: job.rows ?? told.data?.total ?? null }), [job, told.data]);
  if (told.error) return <p className="viewer-problem" role="alert">{told.error.message}</p>;
  if (!columns || whole.rows === null) return <Waiting />;
  return <Viewer {...props} job={whole} columns={columns} />;
}

/** Wide enough for views side by side. */
const WIDE = 900;

function Viewer({ job, site, onQuery, columns }: ResultProps & { columns: readonly Column[] }) {
  const [state, change, first] = useViewerState(job, columns);
  const [marks, loaded] = useSelection(job, columns, state);
  const [filtering, setFiltering] = useState<Column>();
  const [downloading, setDownloading] = useState<"all" | "filtered" | "selected">();
  const [filtered, setFiltered] = useState<number>();
  const [counted, setCounted] = useState<number>();
  const onFiltered = useCallback((rows: number | undefined, seen: number | undefined): void => {
    setFiltered(rows);
    setCounted(seen);
  }, []);
  const [wide, setWide] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const total = job.rows ?? 0;

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWide(element.clientWidth >= WIDE));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const shown = useMemo(() => {
    const names = state.table.columns?.filter((name) => columns.some((column) => column.name === name));
    return names?.length ? names : columns.map((column) => column.name);
  }, [state.table.columns, columns]);
  const shownColumns = useMemo(() => shown.map((name) => columns.find((column) => column.name === name)!), [shown, columns]);
  const sort = useMemo(() => state.table.sort.filter((name) => columns.some((column) => column.name === name.replace(/^-/, ""))), [state.table.sort, columns]);
  const hasPosition = position(columns) !== undefined;
  const views = wide ? state.views : state.views.slice(-1);
  const statistics = useStatistics(job, filtering ? [filtering.name] : [], state.where);

  const toggleView = useCallback((view: ViewName): void => {
    const now = state.views.includes(view);
    if (!wide) change({ views: [...state.views.filter((one) => one !== view), view] });
    else if (!now) change({ views: VIEWS.filter((one) => one === view || state.views.includes(one)) });
    else if (state.views.length > 1) change({ views: state.views.filter((one) => one !== view) });
  }, [state.views, wide, change]);

  useKeys({
    ...Object.fromEntries(VIEWS.map((view, k) => [String(k + 1), () => toggleView(view)])),
    f: () => setFiltering(filtering ? undefined : shownColumns[0]),
    d: () => setDownloading("all"),
    Escape: () => {
      if (!filtering) return false;
      setFiltering(undefined);
      return true;
    },
  });

  const toggleRow = (number: number, selected: boolean): void =>
    change({ selection: [...state.selection, { how: selected ? "add" : "subtract", region: { kind: "rows", rows: [number] } }] });

  if (total === 0) return <p className="viewer-empty" role="status">{words.empty}</p>;
  const viewProps = { job, columns, state, change, first, marks };
  return (
    <div ref={box} className="viewer">
      <div className="viewer-bar" role="toolbar" aria-label={words.views.title}>
        <div className="viewer-switch">
          {VIEWS.filter((view) => view !== "sky" || hasPosition).map((view) => (
            <button key={view} type="button" aria-pressed={views.includes(view)} onClick={() => toggleView(view)}>
              {words.views[view]}
            </button>
          ))}
        </div>
        {state.where.length > 0 && filtered !== undefined && <span className="viewer-count" role="status">{words.filtered(filtered, total, counted ?? total)}</span>}
        {state.where.map((condition, k) => (
          <button
            key={JSON.stringify(condition)}
            type="button"
            className="viewer-chip"
            aria-label={words.clearFilter(conditionWords(condition))}
            onClick={() => change({ where: state.where.filter((_, at) => at !== k) })}
          >
            {conditionWords(condition)} ×
          </button>
        ))}
        <span className="viewer-spacer" />
        {hasPosition && views.includes("table") && (
          <button type="button" aria-pressed={state.table.sexagesimal} onClick={() => change({ table: { ...state.table, sexagesimal: !state.table.sexagesimal } })}>
            {words.table.sexagesimal}
          </button>
        )}
        <button type="button" aria-haspopup="dialog" onClick={() => setDownloading("all")}>{words.download.open} ▾</button>
      </div>
      <p id="viewer-hint" className="unseen">{words.table.hint}</p>
      <div className={`viewer-views viewer-views-${views.length}`}>
        {views.includes("table") && (
          <section className="viewer-panel viewer-panel-table" aria-label={words.views.table}>
            <Grid
              job={job}
              columns={shownColumns}
              sort={sort}
              where={state.where}
              sexagesimal={state.table.sexagesimal}
              marks={marks}
              onSort={(next) => change({ table: { ...state.table, sort: next } })}
              onFilter={setFiltering}
              onToggleRow={toggleRow}
              onFiltered={onFiltered}
            />
            {filtered === 0 && counted === total && (
              <p className="viewer-empty" role="status">
                {words.noneLeft} <button type="button" onClick={() => change({ where: [] })}>{words.clearFilters}</button>
              </p>
            )}
            {filtering && (
              <div className="viewer-popover" role="dialog" aria-label={words.filter.of(filtering.name)}>
                <header>
                  <label>
                    <span className="unseen">{words.views.columns}</span>
                    <select value={filtering.name} onChange={(event) => setFiltering(columns.find((column) => column.name === event.target.value))}>
                      {columns.map((column) => <option key={column.name}>{column.name}</option>)}
                    </select>
                  </label>
                  <button type="button" className="viewer-small" aria-label={words.filter.close} onClick={() => setFiltering(undefined)}>×</button>
                </header>
                <FilterForm
                  key={filtering.name}
                  column={filtering}
                  where={state.where}
                  statistics={statistics(filtering.name)}
                  onApply={(conditions) => {
                    change({ where: withColumn(state.where, filtering.name, conditions) });
                    setFiltering(undefined);
                  }}
                />
              </div>
            )}
          </section>
        )}
        <Suspense fallback={<Waiting />}>
          {views.includes("plot") && <Plot {...viewProps} />}
          {views.includes("sky") && <Sky {...viewProps} />}
        </Suspense>
        {views.includes("columns") && (
          <Columns
            job={job}
            columns={columns}
            shown={shown}
            where={state.where}
            onShown={(names) => change({ table: { ...state.table, columns: names } })}
            onWhere={(where) => change({ where })}
          />
        )}
      </div>
      {state.selection.length > 0 && (
        <SelectionBar
          job={job}
          columns={columns}
          state={state}
          change={change}
          marks={marks}
          of={state.where.length > 0 && filtered !== undefined ? filtered : total}
          loading={loaded.loading}
          onDownload={() => setDownloading("selected")}
          {...(onQuery && { onQuery })}
        />
      )}
      {downloading && (
        <DownloadDialog
          job={job}
          site={site}
          columns={columns}
          shown={shown}
          state={state}
          sort={sort}
          marks={marks}
          scope={downloading}
          filtered={filtered ?? total}
          onClose={() => setDownloading(undefined)}
        />
      )}
      {loaded.error && <p className="viewer-problem" role="alert">{loaded.error.message}</p>}
    </div>
  );
}

/** What every view of a result gets. */
export interface ViewProps {
  job: Job;
  columns: readonly Column[];
  state: State;
  change: (change: Partial<State>) => void;
  /** What the address need not say. */
  first: State;
  marks: ReturnType<typeof useSelection>[0];
}
