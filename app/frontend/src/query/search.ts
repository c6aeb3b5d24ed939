import type { Schema, TableSummary } from "../api";

/** The schemas with only those tables that have every word in a name, title or description. */
export function filtered(schemas: readonly Schema[], text: string): Schema[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) {
    return [...schemas];
  }
  return schemas
    .map((schema) => ({ ...schema, tables: schema.tables.filter((table) => wanted.every((word) => said(schema, table).includes(word))) }))
    .filter(({ tables }) => tables.length > 0);
}

function said(schema: Schema, table: TableSummary): string {
  return [schema.title, table.qualified, table.title, table.description].join("\n").toLowerCase();
}

/** A first query on a table. */
export function firstQuery(table: string): string {
  return `SELECT TOP 100 *\nFROM ${table}`;
}
