import { columnInfo, type Known } from "./completion";
import { sources } from "./scope";
import { nameOf, tokens } from "./tokens";

/** What a name in the query is, in lines, and where it stands; null for what is not known. */
export function describe(query: string, offset: number, known: Known): { from: number; to: number; text: string } | null {
  const list = tokens(query);
  const at = list.findIndex(({ from, text }) => from <= offset && offset < from + text.length);
  const token = at < 0 ? null : list[at];
  if (token === null || (token.kind !== "name" && token.kind !== "quoted")) {
    return null;
  }
  const name = nameOf(token);
  const text = columnText(name, query, known) ?? tableText(name, known) ?? functionText(name, known);
  return text ? { from: token.from, to: token.from + token.text.length, text } : null;
}

function columnText(name: string, query: string, known: Known): string | null {
  const all = known.schemas.flatMap(({ tables }) => tables);
  for (const { table } of sources(query)) {
    const found = all.find((one) => one.qualified.toLowerCase() === table || one.name.toLowerCase() === table);
    const column = known.columns.get(found?.qualified ?? table)?.find((one) => one.name.toLowerCase() === name);
    if (found && column) {
      return columnInfo(column, found.qualified);
    }
  }
  return null;
}

function tableText(name: string, known: Known): string | null {
  const table = known.schemas.flatMap(({ tables }) => tables).find((one) => one.name.toLowerCase() === name);
  if (!table) {
    return null;
  }
  const rows = table.rows === null ? "" : `${table.rows.toLocaleString("en")} rows`;
  return [table.qualified, rows, table.title, table.description].filter(Boolean).join("\n");
}

function functionText(name: string, known: Known): string | null {
  const found = known.functions.find((one) => one.name.toLowerCase() === name);
  return found ? `${found.signature}\n${found.description}` : null;
}
