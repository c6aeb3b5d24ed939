/**
 * What an axis shows: a column, a colour (difference of two magnitudes) or an absolute magnitude (by parallax).
 * In the address and in menus a quantity is a text: `bp_rp`, `phot_bp_mean_mag - phot_rp_mean_mag`, `M(vmag, plx)`.
 */
import type { Column } from "../../api";
import { isNumeric, isText } from "../table/numbers";
import { roles } from "../roles";
import type { Frame, Numbers, Texts } from "./arrow";
import { identifierText } from "./adql";

export interface Quantity {
  readonly text: string;
  readonly columns: readonly Column[];
  readonly kind: "column" | "difference" | "absolute";
}

/** The quantity that a text means, or nothing if the result has no such columns. */
export function quantity(text: string, columns: readonly Column[]): Quantity | undefined {
  const column = (name: string): Column | undefined => columns.find((one) => one.name === name.trim());
  const whole = column(text);
  if (whole) return { text, columns: [whole], kind: "column" };
  const absolute = /^M\((.+),(.+)\)$/.exec(text);
  const parts = absolute ? absolute.slice(1, 3) : text.split(" - ");
  if (parts.length !== 2) return undefined;
  const [a, b] = parts.map(column);
  if (!a || !b || !isNumeric(a) || !isNumeric(b)) return undefined;
  return { text, columns: [a, b], kind: absolute ? "absolute" : "difference" };
}

/** Everything that can be put on an axis: columns, and what their UCDs say can be made of them. */
export function choices(columns: readonly Column[]): Quantity[] {
  const found = columns.filter((column) => isNumeric(column) || (isText(column) && column.xtype === "timestamp")).map((column) => column.name);
  const { magnitude, bands, parallax } = roles(columns);
  if (bands) found.push(`${bands[0].name} - ${bands[1].name}`);
  if (magnitude && parallax) found.push(`M(${magnitude.name}, ${parallax.name})`);
  return found.map((text) => quantity(text, columns)).filter((one) => one !== undefined);
}

/** What stands at the axis: name and unit. */
export function title(one: Quantity): string {
  const [a, b] = one.columns;
  if (one.kind === "absolute") return `absolute ${a.name}${a.unit ? ` [${a.unit}]` : ""}`;
  const name = one.kind === "difference" ? `${a.name} − ${b.name}` : a.name;
  return a.unit ? `${name} [${a.unit}]` : name;
}

/** Whether larger values are fainter, so that an axis runs the other way. */
export function isMagnitude(one: Quantity): boolean {
  return one.kind === "absolute" || (one.kind === "column" && /^phot\.mag\b/i.test(one.columns[0].ucd));
}

/** Factor from a parallax's unit to arcseconds. */
function arcseconds(unit: string): number {
  return { mas: 1e-3, uas: 1e-6, deg: 3600 }[unit] ?? (unit === "arcsec" ? 1 : 1e-3);
}

/** Its values, row by row; NaN where a row has none. */
export function values(one: Quantity, frame: Frame): Float64Array {
  const [a, b] = one.columns.map((column) => numbers(frame.columns.get(column.name), frame.length));
  if (one.kind === "column") return a;
  const out = new Float64Array(frame.length);
  if (one.kind === "difference") {
    for (let k = 0; k < out.length; k++) out[k] = a[k] - b[k];
    return out;
  }
  const unit = arcseconds(one.columns[1].unit);
  for (let k = 0; k < out.length; k++) out[k] = b[k] > 0 ? a[k] + 5 + 5 * Math.log10(b[k] * unit) : NaN;
  return out;
}

function numbers(column: Numbers | Texts | undefined, length: number): Float64Array {
  if (column?.kind === "number") return column.values;
  const out = new Float64Array(length).fill(NaN);
  if (column) {
    // Timestamps that came as text: DALI's are UTC and carry no zone.
    const instants = column.words.map((word) => Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(word) ? word : `${word}Z`));
    for (let k = 0; k < length; k++) if (column.codes[k] >= 0) out[k] = instants[column.codes[k]];
  }
  return out;
}

/** Whether its values are instants. */
export function isTime(one: Quantity): boolean {
  return one.kind === "column" && one.columns[0].xtype === "timestamp";
}

/** The same in ADQL. */
export function adql(one: Quantity): string {
  const [a, b] = one.columns.map((column) => identifierText(column.name));
  if (one.kind === "column") return a;
  if (one.kind === "difference") return `(${a} - ${b})`;
  const unit = arcseconds(one.columns[1].unit);
  return `(${a} + 5 + 5 * LOG10(CASE WHEN ${b} > 0 THEN ${b}${unit === 1 ? "" : ` * ${unit}`} END))`;
}

/** The same in Python, of an astropy table `rows`. */
export function python(one: Quantity): string {
  const [a, b] = one.columns.map((column) => `rows[${JSON.stringify(column.name)}]`);
  if (one.kind === "column") return a;
  if (one.kind === "difference") return `${a} - ${b}`;
  return `${a} + 5 + 5 * np.log10(${b} * ${arcseconds(one.columns[1].unit)})`;
}
