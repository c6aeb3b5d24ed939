import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";

import type { Cell, Column, Job } from "../../api";
import { say } from "../../frame/toasts";
import { useMarks, type Marks } from "../marks";
import { cellKind } from "../roles";
import type { Where } from "../where";
import { words } from "../words";
import { CellText, cellText } from "./CellText";
import { exact, fraction, isNumeric } from "./numbers";
import { nextSort } from "./sorting";
import { useRows } from "./useRows";
import { HEADER, ROW, columnsBetween, drawn, height, isScaled, lastTop, revealing, scrollTop, topRow } from "./window";

interface GridProps {
  job: Job;
  columns: readonly Column[];
  sort: readonly string[];
  where: Where;
  sexagesimal: boolean;
  marks: Marks;
  onSort: (sort: readonly string[]) => void;
  onFilter: (column: Column) => void;
  onToggleRow: (number: number, selected: boolean) => void;
  /** Tells how many rows pass the filters as soon as it is known. */
  onFiltered: (rows: number | undefined, counted: number | undefined) => void;
}

/** Width of the row numbers. */
const GUTTER = 72;
/** A digit of the table's type. */
const DIGIT = 7.9;

/** The rows of a result, virtual in both directions: a grid of any number of rows and columns. */
export function Grid(props: GridProps) {
  const { job, columns, sort, where, sexagesimal, marks, onSort, onFilter, onToggleRow, onFiltered } = props;
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 800, height: 400 });
  const [left, setLeft] = useState(0);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState({ row: 0, column: 0 });
  // Where the table was put by keys or the wheel: the scroll bar of a very long table cannot say it exactly.
  const placed = useRef<number>(undefined);
  const [over, setOver] = useState(0);
  const view = Math.max(ROW, size.height - HEADER);
  const [firstWanted, lastWanted] = drawn(top, Math.max(1, job.rows ?? 1), view);
  const names = useMemo(() => columns.map((column) => column.name), [columns]);
  const rows = useRows(job, { columns: names, sort, where }, firstWanted, lastWanted);
  useMarks(marks);
  const known = rows.filtered ?? job.rows ?? 0;
  useEffect(() => onFiltered(rows.filtered, rows.counted), [rows.filtered, rows.counted, onFiltered]);
  const [first, last] = drawn(top, known, view);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const moveTo = useCallback((row: number): void => {
    const element = box.current;
    if (!element) return;
    const to = Math.max(0, Math.min(row, lastTop(known, view)));
    placed.current = to;
    element.scrollTop = scrollTop(to, known, view);
    setOver(element.scrollTop);
    setTop(to);
  }, [known, view]);

  // Another order or other conditions: begin at the top.
  const shape = JSON.stringify([sort, where]);
  const [shapeBefore, setShapeBefore] = useState(shape);
  if (shapeBefore !== shape) {
    setShapeBefore(shape);
    setActive((at) => ({ ...at, row: Math.min(at.row, 0) }));
    setTop(0);
  }
  useEffect(() => {
    placed.current = 0;
    box.current?.scrollTo({ top: 0 });
  }, [shape]);

  useEffect(() => {
    const element = box.current;
    if (!element || !isScaled(known)) return undefined;
    const onWheel = (event: WheelEvent): void => {
      if (event.deltaY === 0 || event.ctrlKey) return;
      event.preventDefault();
      moveTo((placed.current ?? topRow(element.scrollTop, known, view)) + event.deltaY / (event.deltaMode === 0 ? ROW : 1 / 3));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [known, view, moveTo]);

  const layout = useMemo(() => arranged(columns, rows.first ?? [], sexagesimal), [columns, rows.first, sexagesimal]);
  const across = columnsBetween(layout.widths, left, left + size.width - GUTTER);
  const shownColumns = columns.slice(across.first, across.last + 1);

  const onScroll = (): void => {
    const element = box.current;
    if (!element) return;
    setLeft(element.scrollLeft);
    setOver(element.scrollTop);
    if (placed.current !== undefined && Math.abs(scrollTop(placed.current, known, view) - element.scrollTop) < 1.5) return;
    placed.current = undefined;
    setTop(topRow(element.scrollTop, known, view));
  };

  const goTo = (row: number, column: number): void => {
    const to = { row: Math.max(-1, Math.min(known - 1, row)), column: Math.max(0, Math.min(columns.length - 1, column)) };
    setActive(to);
    if (to.row >= 0) {
      const wanted = revealing(to.row, top, known, view);
      if (wanted !== top) moveTo(wanted);
    }
    const element = box.current;
    if (!element) return;
    const start = layout.widths.slice(0, to.column).reduce((sum, width) => sum + width, 0);
    const end = start + (layout.widths[to.column] ?? 0);
    const room = size.width - GUTTER;
    if (start < element.scrollLeft) element.scrollLeft = start;
    else if (end > element.scrollLeft + room) element.scrollLeft = Math.min(start, end - room);
  };

  const activeColumn = columns.at(active.column);
  const activeValue = active.row >= 0 ? rows.row(active.row)?.[active.column] : undefined;

  const sortBy = (name: string, further: boolean): void => onSort(nextSort(sort, name, further));

  const copy = (): void => {
    const text = active.row < 0 ? (activeColumn?.name ?? "") : exact(activeValue);
    navigator.clipboard.writeText(text).then(() => say(words.table.copied), () => undefined);
  };

  const toggle = (row: number): void => {
    const number = rows.number(row);
    if (number !== undefined) onToggleRow(number, marks.bytes[number] !== 1);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const { row, column } = active;
    const far = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor(view / ROW) - 1);
    const moves: Partial<Record<string, () => void>> = {
      ArrowDown: () => goTo(far ? known - 1 : row + 1, column),
      ArrowUp: () => goTo(far ? 0 : row - 1, column),
      ArrowRight: () => goTo(row, far ? columns.length - 1 : column + 1),
      ArrowLeft: () => goTo(row, far ? 0 : column - 1),
      Home: () => goTo(far ? 0 : row, 0),
      End: () => goTo(far ? known - 1 : row, columns.length - 1),
      PageDown: () => goTo(row + page, column),
      PageUp: () => goTo(Math.max(0, row - page), column),
      " ": () => { if (row >= 0) toggle(row); },
      Enter: () => {
        if (row < 0 && activeColumn) sortBy(activeColumn.name, event.shiftKey);
        else box.current?.querySelector<HTMLAnchorElement>("[aria-selected=true] a, .viewer-active a")?.click();
      },
    };
    const move = moves[event.key];
    const plain = !event.altKey && !(far && event.key.length === 1);
    if (far && event.key.toLowerCase() === "c" && !window.getSelection()?.toString()) copy();
    else if (plain && !far && event.key.toLowerCase() === "f" && activeColumn) onFilter(activeColumn);
    else if (plain && move) move();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onMouseDown = (event: MouseEvent): void => {
    const cell = (event.target as Element).closest<HTMLElement>("[data-column]");
    const row = cell?.closest<HTMLElement>("[data-row]");
    if (cell && row) setActive({ row: Number(row.dataset.row), column: Number(cell.dataset.column) });
  };

  const id = (row: number, column: number): string => `viewer-${row}-${column}`;
  const wide = layout.widths.reduce((sum, width) => sum + width, 0) + GUTTER;
  const places = Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
  return (
    <>
    {rows.making && <p className="viewer-making" role="status">{words.making(rows.making.sentence, rows.making.progress)}</p>}
    {rows.error && (
      <p className="viewer-problem" role="alert">
        {rows.error.message} <button type="button" onClick={rows.again}>{words.again}</button>
      </p>
    )}
    <div
      ref={box}
      className="viewer-grid"
      role="grid"
      aria-label={words.table.title}
      aria-rowcount={known + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      aria-activedescendant={active.row < 0 || (active.row >= first && active.row <= last) ? id(active.row, active.column) : undefined}
      aria-describedby="viewer-hint"
      aria-busy={rows.filtered === undefined}
      tabIndex={0}
      onScroll={onScroll}
      onMouseDown={onMouseDown}
      onKeyDown={onKeyDown}
    >
      <div className="viewer-head" role="row" aria-rowindex={1} style={{ width: wide, height: HEADER }}>
        <div className="viewer-gutter" role="columnheader" aria-colindex={1}>
          <span className="unseen">{words.table.rows}</span>
        </div>
        {shownColumns.map((column, k) => {
          const at = across.first + k;
          const rank = sort.findIndex((one) => one.replace(/^-/, "") === column.name);
          const falling = sort[rank]?.startsWith("-") ?? false;
          const filtering = where.some((condition) => condition[0] === column.name);
          return (
            <div
              key={column.name}
              id={id(-1, at)}
              role="columnheader"
              aria-colindex={at + 2}
              aria-sort={rank < 0 ? "none" : falling ? "descending" : "ascending"}
              className={active.row === -1 && active.column === at ? "viewer-active" : undefined}
              style={{ left: GUTTER + layout.left[at], width: layout.widths[at] }}
              title={[column.name, column.unit && `[${column.unit}]`, column.description, column.ucd].filter(Boolean).join("\n")}
            >
              <button
                type="button"
                tabIndex={-1}
                className={isNumeric(column) ? "viewer-name viewer-right" : "viewer-name"}
                onClick={(event) => sortBy(column.name, event.shiftKey)}
              >
                <span className="unseen">{words.table.sort} </span>
                <span>{column.name}{rank >= 0 && <span aria-hidden> {falling ? "↓" : "↑"}{sort.length > 1 ? rank + 1 : ""}</span>}</span>
                <small>{column.unit || "\u00a0"}</small>
              </button>
              <button
                type="button"
                tabIndex={-1}
                className={filtering ? "viewer-funnel viewer-filtering" : "viewer-funnel"}
                aria-label={words.table.filter(column.name)}
                onClick={() => onFilter(column)}
              >
                ▾
              </button>
            </div>
          );
        })}
      </div>
      <div role="rowgroup" className="viewer-body" style={{ height: height(known), width: wide }}>
        {places.map((place) => {
          const cells = rows.row(place);
          const number = rows.number(place);
          const selected = number !== undefined && marks.bytes[number] === 1;
          return (
            <div
              key={place}
              role="row"
              aria-rowindex={place + 2}
              data-row={place}
              aria-selected={selected}
              className={selected ? "viewer-row viewer-selected" : "viewer-row"}
              style={{ transform: `translateY(${over + (place - top) * ROW}px)`, width: wide }}
            >
              <div role="rowheader" aria-colindex={1} className="viewer-gutter">
                <button type="button" tabIndex={-1} aria-label={words.table.row(number ?? place)} onClick={() => toggle(place)}>
                  {(number ?? place) + 1}
                </button>
              </div>
              {shownColumns.map((column, k) => {
                const at = across.first + k;
                const kind = layout.kinds[at];
                return (
                  <div
                    key={column.name}
                    id={id(place, at)}
                    role="gridcell"
                    aria-colindex={at + 2}
                    data-column={at}
                    className={cellClass(isNumeric(column), active.row === place && active.column === at)}
                    style={{ left: GUTTER + layout.left[at], width: layout.widths[at] }}
                  >
                    {cells ? <CellText value={cells[at]} column={column} kind={kind} places={layout.places[at]} sexagesimal={sexagesimal} /> : <span className="viewer-ghost" />}
                  </div>
                );
              })}
            </div>
          );
        })}
      </div>
    </div>
    </>
  );
}

function cellClass(numeric: boolean, active: boolean): string {
  return `viewer-cell${numeric ? " viewer-right" : ""}${active ? " viewer-active" : ""}`;
}

interface Layout {
  readonly widths: number[];
  readonly left: number[];
  readonly places: number[];
  readonly kinds: ReturnType<typeof cellKind>[];
}

/** Widths and decimal places from the first rows, so that nothing jumps while one scrolls. */
function arranged(columns: readonly Column[], sample: readonly (readonly Cell[])[], sexagesimal: boolean): Layout {
  const kinds = columns.map(cellKind);
  const places: number[] = [];
  const widths = columns.map((column, at) => {
    let [ahead, behind, longest] = [0, 0, 0];
    for (const cells of sample) {
      const text = cellText(cells[at], column, kinds[at], sexagesimal);
      const own = fraction(text);
      longest = Math.max(longest, text.length);
      behind = Math.max(behind, own);
      ahead = Math.max(ahead, text.length - own);
    }
    places.push(behind);
    const characters = isNumeric(column) ? ahead + behind : longest;
    return Math.min(420, Math.max(72, column.name.length * 7.8 + 40, column.unit.length * 7 + 40, Math.ceil(characters * DIGIT) + 28));
  });
  const left: number[] = [];
  widths.reduce((sum, width) => { left.push(sum); return sum + width; }, 0);
  return { widths, left, places, kinds };
}
