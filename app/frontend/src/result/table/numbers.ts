/** How a value stands in a cell: precision of its type, decimal points under each other, long integers whole. */
import type { Cell, Column } from "../../api";

const WHOLE = new Set(["short", "int", "long", "unsignedByte"]);
const FRACTIONAL = new Set(["float", "double"]);

/** U+2007: as wide as a digit in tabular figures, so it fills what a shorter fraction leaves free. */
const FIGURE_SPACE = "\u2007";
/** U+2212, the minus sign of typography; a copied value has the ASCII one. */
const MINUS = "\u2212";

/** Whether a column has one number per cell: such a column is right-aligned, plotted and filtered by range. */
export function isNumeric(column: Column): boolean {
  return column.arraysize === "" && (WHOLE.has(column.datatype) || FRACTIONAL.has(column.datatype));
}

/** Whether a column has text in its cells. */
export function isText(column: Column): boolean {
  return column.datatype === "char" || column.datatype === "unicodeChar";
}

/** Whether a cell has nothing to show. NaN counts: to astronomers it is a missing value (VOTable 1.4 §6). */
export function isMissing(value: Cell | undefined): value is null | undefined {
  return value === null || value === undefined || (typeof value === "number" && Number.isNaN(value));
}

/**
 * The whole value as text, as a file would have it; nothing for a missing one. This is what "copy" puts on the clipboard.
 */
export function exact(value: Cell | undefined): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return `[${value.map((element) => (element === null ? "null" : exact(element))).join(", ")}]`;
  return String(value);
}

/**
 * The value as it is shown. Single-precision numbers have 7 significant digits at most, double-precision ones as many
 * as tell them apart; very small and large ones have an exponent.
 */
export function shown(value: Cell | undefined, column: Column): string {
  if (isMissing(value) || (value === "NaN" && FRACTIONAL.has(column.datatype))) return "";
  if (!isNumeric(column)) return exact(value);
  if (value === "Infinity") return "∞";
  if (value === "-Infinity") return `${MINUS}∞`;
  const text = typeof value === "number" && column.datatype === "float" ? single(value) : exact(value);
  return text.replace(/^-/, MINUS).replace(/e-/, `e${MINUS}`).replace("e+", "e");
}

/** The shortest text of at most 7 significant digits: float4 holds no more. */
function single(value: number): string {
  return String(Number(value.toPrecision(7)));
}

/** How many characters stand behind the place of the decimal point. */
export function fraction(text: string): number {
  const point = text.search(/[.e]/);
  return point < 0 ? 0 : text.length - point;
}

/** The text filled up with figure spaces so that decimal points of a column stand under each other. */
export function aligned(text: string, longest: number): string {
  return text + FIGURE_SPACE.repeat(Math.max(0, longest - fraction(text)));
}

const THOUSANDS = new Intl.NumberFormat("en-GB");

/** A count for people: `482,176`. */
export function count(value: number): string {
  return THOUSANDS.format(value);
}

/** A size for people: `1.4 MB` (powers of 1,000, as file managers and browsers show it). */
export function bytes(value: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let rest = value;
  let unit = 0;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit === 0 || rest >= 99.5 ? Math.round(rest) : Number(rest.toPrecision(2))} ${units[unit]}`;
}

/** A number in a sentence or at an axis: 4 significant digits. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? `${MINUS}∞` : "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e7) ? value.toExponential(3) : String(Number(value.toPrecision(5)));
  return text.replace(/\.?0+e/, "e").replace("e+", "e").replaceAll("-", MINUS);
}
