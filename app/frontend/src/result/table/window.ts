/** Which rows of millions stand in the window of the table: pure arithmetic of scrolling. */

export const ROW = 28;
export const HEADER = 52;

/** Browsers have a greatest height of an element (Firefox 17.9 million pixels); a longer table scrolls by its share. */
const TALLEST = 8_000_000;

/** Height of all rows as far as the scroll bar is concerned. */
export function height(rows: number): number {
  return Math.min(rows * ROW, TALLEST);
}

/** Whether a pixel of the scroll bar is more than a pixel of rows. */
export function isScaled(rows: number): boolean {
  return rows * ROW > TALLEST;
}

/** The row, with its fraction, that stands at the top when the table is scrolled so far; `view` is the height for rows. */
export function topRow(scrollTop: number, rows: number, view: number): number {
  if (!isScaled(rows)) return scrollTop / ROW;
  const share = Math.min(1, Math.max(0, scrollTop / (TALLEST - view)));
  return share * lastTop(rows, view);
}

/** How far to scroll so that this row stands at the top. */
export function scrollTop(row: number, rows: number, view: number): number {
  if (!isScaled(rows)) return row * ROW;
  return (Math.min(row, lastTop(rows, view)) / lastTop(rows, view)) * (TALLEST - view);
}

/** The greatest row that can stand at the top. */
export function lastTop(rows: number, view: number): number {
  return Math.max(0, rows - view / ROW);
}

/** The top row that brings a row into view with the least movement. */
export function revealing(row: number, top: number, rows: number, view: number): number {
  const fits = Math.floor(view / ROW);
  if (row < top) return row;
  if (row + 1 > top + view / ROW) return Math.min(lastTop(rows, view), row + 1 - Math.max(1, fits));
  return top;
}

/** The least and greatest row to draw: what is seen and a few around it. */
export function drawn(top: number, rows: number, view: number, around = 6): [number, number] {
  return [Math.max(0, Math.floor(top) - around), Math.min(rows - 1, Math.ceil(top + view / ROW) + around)];
}

/** Which columns stand between two places of the sum of widths. */
export function columnsBetween(widths: readonly number[], from: number, to: number): { first: number; last: number; left: number } {
  let left = 0;
  let first = 0;
  while (first < widths.length - 1 && left + widths[first] <= from) left += widths[first++];
  let last = first;
  for (let right = left + (widths[first] ?? 0); last < widths.length - 1 && right < to; right += widths[++last]);
  return { first, last, left };
}
