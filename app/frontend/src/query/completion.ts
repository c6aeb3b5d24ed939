import type { DatabaseFunction, Language, Schema, TableColumn } from "../api";
import { contextAt, sources, type Source } from "./scope";
import { KEYWORDS, written, writtenPath } from "./tokens";

/** A name that may stand at the cursor. `detail` is said in the list, `info` beside it; higher ranks come first. */
export interface Suggestion {
  label: string;
  insert: string;
  kind: "schema" | "table" | "column" | "function" | "keyword";
  detail: string;
  info: string;
  rank: number;
}

export interface Suggestions {
  from: number;
  options: Suggestion[];
  /** Tables whose columns are still to be fetched; asked again, the list is longer. */
  missing: string[];
}

/** What the archive has, as far as it is known to this page. */
export interface Known {
  schemas: Schema[];
  functions: DatabaseFunction[];
  /** Columns by the qualified name of their table, of those that were fetched. */
  columns: ReadonlyMap<string, TableColumn[]>;
}

const RANK = { column: 60, table: 40, function: 20, schema: 30, keyword: 0 };

/** What may stand at an offset of the query, names of the tables in FROM first. */
export function complete(query: string, offset: number, language: Language, known: Known): Suggestions | null {
  const context = contextAt(query, offset);
  if (context.silent) {
    return null;
  }
  const reads = sources(query).map((source) => resolve(source, known));
  const missing: string[] = [];
  let options: Suggestion[];
  if (context.path.length > 0) {
    options = below(context.path, reads, known, missing);
  } else if (context.expects === "table") {
    options = [...tablesOf(known), ...schemasOf(known)];
  } else {
    const repeated = repeatedNames(reads, known);
    options = [
      ...reads.flatMap((source) => columnsOf(source, known, missing, repeated)),
      ...reads.filter(({ alias }) => alias).map(aliasOf),
      ...functionsOf(known, language),
      ...tablesOf(known),
      ...keywords(),
    ];
  }
  return { from: context.from, options: distinct(options), missing };
}

/** The source under the qualified name that the archive has for it: a table may be named without its schema. */
function resolve(source: Source, known: Known): Source {
  const all = known.schemas.flatMap(({ tables }) => tables);
  const found =
    all.find(({ qualified }) => qualified.toLowerCase() === source.table) ??
    all.find(({ name }) => name.toLowerCase() === source.table);
  return found ? { table: found.qualified, alias: source.alias } : source;
}

function below(path: string[], reads: Source[], known: Known, missing: string[]): Suggestion[] {
  const text = path.join(".");
  const schema = known.schemas.find(({ name }) => name.toLowerCase() === text);
  const source = reads.find(({ alias, table }) => alias === text || table.toLowerCase() === text);
  // In `FROM gaiadr3.` the schema looks like a table yet.
  if (source && !(schema && source.table === text)) {
    return columnsOf({ table: source.table, alias: "" }, known, missing, new Set());
  }
  return (schema?.tables ?? []).map((table) => ({ ...tableOption(table), label: table.name, insert: written(table.name) }));
}

function columnsOf(source: Source, known: Known, missing: string[], repeated: ReadonlySet<string>): Suggestion[] {
  const columns = known.columns.get(source.table);
  if (!columns) {
    missing.push(source.table);
    return [];
  }
  return columns.map((column) => ({
    label: column.name,
    insert: repeated.has(column.name) ? `${written(source.alias)}.${written(column.name)}` : written(column.name),
    kind: "column",
    detail: [column.unit, column.ucd, firstWords(column.description)].filter(Boolean).join(" · "),
    info: columnInfo(column, source.table),
    rank: RANK.column + (column.principal ? 8 : 0) + (column.indexed ? 4 : 0),
  }));
}

/** Names that more than one of the tables has: those need their table's. */
function repeatedNames(reads: Source[], known: Known): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const { table } of reads) {
    for (const { name } of known.columns.get(table) ?? []) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return new Set([...counts].filter(([, count]) => count > 1).map(([name]) => name));
}

/** What is known of a column, in lines: type and unit, UCD, description. */
export function columnInfo(column: TableColumn, table: string): string {
  const type = column.arraysize ? `${column.datatype}[${column.arraysize}]` : column.datatype;
  const facts = [type, column.unit && `[${column.unit}]`, column.indexed && "indexed"].filter(Boolean).join(" ");
  return [`${table}.${column.name}`, facts, column.ucd, column.description].filter(Boolean).join("\n");
}

function tablesOf(known: Known): Suggestion[] {
  return known.schemas.flatMap(({ tables }) => tables.map(tableOption));
}

function tableOption(table: Schema["tables"][number]): Suggestion {
  const rows = table.rows === null ? "" : `${table.rows.toLocaleString("en")} rows`;
  return {
    label: table.qualified,
    insert: writtenPath(table.qualified),
    kind: "table",
    detail: [rows, firstWords(table.title || table.description)].filter(Boolean).join(" · "),
    info: [table.title, rows, table.description].filter(Boolean).join("\n"),
    rank: RANK.table,
  };
}

function schemasOf(known: Known): Suggestion[] {
  return known.schemas.map((schema) => ({
    label: schema.name,
    insert: written(schema.name),
    kind: "schema",
    detail: firstWords(schema.title || schema.description),
    info: schema.description,
    rank: RANK.schema,
  }));
}

function functionsOf(known: Known, language: Language): Suggestion[] {
  return known.functions
    .filter((one) => one.language === "" || one.language === language)
    .map((one) => ({
      label: one.name,
      insert: `${one.name}(`,
      kind: "function",
      detail: one.signature,
      info: one.description,
      rank: RANK.function,
    }));
}

function aliasOf({ alias, table }: Source): Suggestion {
  return { label: alias, insert: written(alias), kind: "table", detail: table, info: "", rank: RANK.column };
}

function keywords(): Suggestion[] {
  return [...KEYWORDS].map((word) => ({ label: word, insert: word, kind: "keyword", detail: "", info: "", rank: RANK.keyword }));
}

function firstWords(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 58).replace(/\s+\S*$/, "")} …`;
}

function distinct(options: Suggestion[]): Suggestion[] {
  const seen = new Set<string>();
  return options.filter(({ kind, insert }) => {
    const key = `${kind} ${insert}`;
    return seen.has(key) ? false : seen.add(key);
  });
}
