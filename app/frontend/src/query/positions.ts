import type { Fix, Position } from "../api";

/** Offsets of a place in a query, from and to; a place outside of it is moved to its end. */
export function span(query: string, { line, column, length }: Position): { from: number; to: number } {
  const lines = query.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const from = Math.min(query.length, before + Math.max(0, column - 1));
  return { from, to: Math.min(query.length, from + Math.max(1, length)) };
}

/** The query with the fix made. */
export function fixed(query: string, fix: Fix): string {
  const { from, to } = fix.length === 0 ? { ...span(query, fix), to: span(query, fix).from } : span(query, fix);
  return query.slice(0, from) + fix.text + query.slice(to);
}
