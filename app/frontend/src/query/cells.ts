import type { Cell } from "../api";

/** A value as text; an absent one is a dot. */
export function cellText(cell: Cell): string {
  if (cell === null) {
    return "·";
  }
  return Array.isArray(cell) ? cell.map(cellText).join(" ") : String(cell);
}
