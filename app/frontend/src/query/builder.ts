import type { Table, TableColumn } from "../api";
import { written, writtenPath } from "./tokens";

/** What a person chooses instead of writing ADQL, and the ADQL that it is. Fields hold what was typed; angles are in `unit`. */
export interface Draft {
  /** Columns of the answer; none stand for all. */
  columns: string[];
  cone: Cone | null;
  match: Match | null;
  conditions: Condition[];
  order: { column: string; descending: boolean } | null;
  rows: string;
}

export type AngleUnit = "deg" | "arcmin" | "arcsec";

export interface Cone {
  /** ICRS, in degrees. */
  ra: number;
  dec: number;
  radius: string;
  unit: AngleUnit;
}

/** Rows of another table that are near. */
export interface Match {
  table: Table;
  radius: string;
  unit: AngleUnit;
}

export type Operator = "=" | "<>" | "<" | "<=" | ">" | ">=" | "between" | "like" | "null" | "not null";

export interface Condition {
  column: string;
  operator: Operator;
  value: string;
  /** The upper end of `between`. */
  to: string;
}

/** What is wrong with a field: `number` is none, `rows` is no whole number, `radius` is no angle that a cone may have. */
export type Mistake = "number" | "truth" | "rows" | "radius" | "empty";
export type Mistakes = Partial<Record<string, Mistake>>;

export type Kind = "number" | "text" | "truth" | "other";

export const EMPTY: Draft = { columns: [], cone: null, match: null, conditions: [], order: null, rows: "1000" };

const LARGEST = 90;
const PER_DEGREE: Record<AngleUnit, number> = { deg: 1, arcmin: 60, arcsec: 3600 };
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const OPERATORS: Record<Kind, Operator[]> = {
  number: ["=", "<>", "<", "<=", ">", ">=", "between", "null", "not null"],
  text: ["=", "<>", "like", "null", "not null"],
  truth: ["=", "null", "not null"],
  other: ["null", "not null"],
};

/** What kind of values the column has, as far as conditions go. */
export function kindOf({ datatype, arraysize }: Pick<TableColumn, "datatype" | "arraysize">): Kind {
  if (datatype === "char" || datatype === "unicodeChar") {
    return "text";
  }
  if (arraysize && arraysize !== "1") {
    return "other";
  }
  return datatype === "boolean" ? "truth" : "number";
}

/** How values of the column can be compared. */
export function operatorsOf(column: TableColumn): Operator[] {
  return OPERATORS[kindOf(column)];
}

/** Degrees of an angle as typed; null for none from 0 to 90°. */
export function degrees(text: string, unit: AngleUnit): number | null {
  const angle = Number(text.trim()) / PER_DEGREE[unit];
  return NUMBER.test(text.trim()) && angle > 0 && angle <= LARGEST ? angle : null;
}

/** The query, and what is wrong with the draft by the name of the field: `rows`, `radius`, `match`, `conditions.0`. */
export function built(draft: Draft, table: Table): { query: string; mistakes: Mistakes } {
  const mistakes: Mistakes = {};
  const here = draft.match ? "a." : "";
  const rows = draft.rows.trim();
  const whole = /^[1-9]\d*$/.test(rows);
  if (rows && !whole) {
    mistakes.rows = "rows";
  }
  const conditions = [...cone(draft.cone, table, here, mistakes)];
  for (const [place, condition] of draft.conditions.entries()) {
    const column = table.columns.find(({ name }) => name === condition.column);
    const text = column && compared(condition, column, here);
    if (text && "mistake" in text) {
      mistakes[`conditions.${place}`] = text.mistake;
    } else if (text) {
      conditions.push(text.sql);
    }
  }
  const all = draft.match ? "a.*, b.*" : "*";
  const lines = [
    `SELECT ${whole ? `TOP ${rows} ` : ""}${draft.columns.map((name) => here + written(name)).join(", ") || all}`,
    `FROM ${writtenPath(table.qualified)}${draft.match ? " AS a" : ""}`,
    ...joined(draft.match, table, mistakes),
  ];
  if (conditions.length > 0) {
    lines.push(`WHERE ${conditions.join("\n  AND ")}`);
  }
  if (draft.order) {
    lines.push(`ORDER BY ${here}${written(draft.order.column)}${draft.order.descending ? " DESC" : ""}`);
  }
  return { query: lines.join("\n"), mistakes };
}

function cone(wanted: Cone | null, table: Table, here: string, mistakes: Mistakes): string[] {
  if (!wanted || !table.position) {
    return [];
  }
  const radius = degrees(wanted.radius, wanted.unit);
  if (radius === null) {
    mistakes.radius = "radius";
    return [];
  }
  return [`1 = CONTAINS(${point(table.position, here)}, CIRCLE(${rounded(wanted.ra)}, ${rounded(wanted.dec)}, ${rounded(radius)}))`];
}

function joined(match: Match | null, table: Table, mistakes: Mistakes): string[] {
  if (!match || !table.position || !match.table.position) {
    return [];
  }
  const radius = degrees(match.radius, match.unit);
  if (radius === null) {
    mistakes.match = "radius";
    return [];
  }
  const [ra, dec] = match.table.position.map((name) => `b.${written(name)}`);
  return [
    `JOIN ${writtenPath(match.table.qualified)} AS b`,
    `  ON 1 = CONTAINS(${point(table.position, "a.")}, CIRCLE(${ra}, ${dec}, ${rounded(radius)}))`,
  ];
}

function point([ra, dec]: readonly [string, string], here: string): string {
  return `POINT(${here}${written(ra)}, ${here}${written(dec)})`;
}

/** To 0.4 µas, and never with an exponent. */
function rounded(value: number): string {
  return value.toFixed(10).replace(/\.?0+$/, "");
}

function compared(condition: Condition, column: TableColumn, here: string): { sql: string } | { mistake: Mistake } {
  const name = here + written(column.name);
  if (condition.operator === "null" || condition.operator === "not null") {
    return { sql: `${name} IS ${condition.operator.toUpperCase()}` };
  }
  const kind = kindOf(column);
  const low = literal(condition.value, kind);
  if (typeof low !== "string") {
    return low;
  }
  if (condition.operator !== "between") {
    return { sql: `${name} ${condition.operator.toUpperCase()} ${low}` };
  }
  const high = literal(condition.to, kind);
  return typeof high === "string" ? { sql: `${name} BETWEEN ${low} AND ${high}` } : high;
}

function literal(text: string, kind: Kind): string | { mistake: Mistake } {
  const value = text.trim();
  switch (kind) {
    case "text":
      return value ? `'${value.replaceAll("'", "''")}'` : { mistake: "empty" };
    case "truth":
      return /^(?:true|false)$/i.test(value) ? value.toUpperCase() : { mistake: "truth" };
    default:
      return NUMBER.test(value) ? value : { mistake: "number" };
  }
}
