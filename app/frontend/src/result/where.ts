/** Conditions on rows, as `/api/v1/` takes them (`where=[["parallax", ">=", 5]]`), in words, and in ADQL. */
import type { Column } from "../api";
import { identifierText, literal, numeral } from "./data/adql";
import { brief, isText } from "./table/numbers";

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "between" | "contains" | "starts" | "isnull" | "notnull";
/** Whole numbers of datatype `long` are text, so that no digit is lost. */
export type Operand = string | number | boolean;
/** An element of a list of row numbers that is a pair stands for all numbers from the first to the last. */
export type RowNumbers = readonly (number | readonly [number, number])[];
export type Condition =
  | readonly [column: string, operator: Operator, value: Operand | readonly Operand[] | null]
  | readonly [column: "#", operator: "in", value: RowNumbers];
export type Where = readonly Condition[];

/** Whether a condition is a list of row numbers instead of something about a column. */
export function isSelection(condition: Condition): condition is readonly ["#", "in", RowNumbers] {
  return condition[0] === "#" && condition[1] === "in";
}

/** A condition for people: `parallax ≥ 5`. */
export function words(condition: Condition): string {
  const [name, operator, value] = condition;
  if (isSelection(condition)) return "the rows that were selected";
  const one = (operand: unknown): string => (typeof operand === "number" ? brief(operand) : String(operand));
  switch (operator) {
    case "isnull": return `${name} is missing`;
    case "notnull": return `${name} is there`;
    case "between": { const [a, b] = value as readonly Operand[]; return `${name} from ${one(a)} to ${one(b)}`; }
    case "in": return `${name} is one of ${(value as readonly Operand[]).map(one).join(", ")}`;
    case "contains": return `${name} contains “${one(value)}”`;
    case "starts": return `${name} starts with “${one(value)}”`;
    case "=": return `${name} = ${one(value)}`;
    case "!=": return `${name} ≠ ${one(value)}`;
    case "<=": return `${name} ≤ ${one(value)}`;
    case ">=": return `${name} ≥ ${one(value)}`;
    default: return `${name} ${operator} ${one(value)}`;
  }
}

/** A condition in ADQL; nothing for a list of row numbers, which a query does not know. */
export function adqlCondition(condition: Condition, columns: readonly Column[]): string | undefined {
  if (isSelection(condition)) return undefined;
  const [name, operator, value] = condition;
  const column = columns.find((one) => one.name === name);
  const left = identifierText(name);
  const one = (operand: Operand): string => {
    if (typeof operand === "number") return numeral(operand);
    const bare = column && !isText(column) && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(String(operand));
    return bare ? String(operand) : literal(String(operand));
  };
  switch (operator) {
    case "isnull": return `${left} IS NULL`;
    case "notnull": return `${left} IS NOT NULL`;
    case "between": { const [a, b] = value as readonly Operand[]; return `${left} BETWEEN ${one(a)} AND ${one(b)}`; }
    case "in": return `${left} IN (${(value as readonly Operand[]).map(one).join(", ")})`;
    // ADQL's LIKE has no ESCAPE: a wildcard in the text finds a little more than was asked for.
    case "contains": return `LOWER(${left}) LIKE ${literal(`%${String(value).toLowerCase()}%`)}`;
    case "starts": return `LOWER(${left}) LIKE ${literal(`${String(value).toLowerCase()}%`)}`;
    default: return `${left} ${operator === "!=" ? "<>" : operator} ${one(value as Operand)}`;
  }
}

/** The conditions with those of one column replaced. */
export function withColumn(where: Where, name: string, conditions: readonly Condition[]): Where {
  return [...where.filter((condition) => condition[0] !== name), ...conditions];
}

/** A condition list out of an address; nothing if it is not one. The server has the last word on names and types. */
export function parsed(text: string): Where | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  const known: readonly string[] = ["=", "!=", "<", "<=", ">", ">=", "in", "between", "contains", "starts", "isnull", "notnull"];
  const fits = (one: unknown): boolean => {
    if (!Array.isArray(one) || one.length < 2 || one.length > 3 || typeof one[0] !== "string" || !known.includes(String(one[1]))) return false;
    const [, operator, value] = one as unknown[];
    if (operator === "in") return Array.isArray(value);
    if (operator === "between") return Array.isArray(value) && value.length === 2;
    return operator === "isnull" || operator === "notnull" || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  };
  return Array.isArray(given) && given.every(fits) ? (given as Where) : undefined;
}

/** Row numbers as intervals, the shortest way to say which. */
export function intervals(marks: Uint8Array): RowNumbers {
  const found: (number | [number, number])[] = [];
  for (let k = 0; k < marks.length; k++) {
    if (marks[k] === 0) continue;
    const first = k;
    while (k + 1 < marks.length && marks[k + 1] !== 0) k += 1;
    found.push(first === k ? k : [first, k]);
  }
  return found;
}
