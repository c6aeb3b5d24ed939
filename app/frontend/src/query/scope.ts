import { nameOf, tokens, type Token } from "./tokens";

/** A table that a query reads, by its qualified name, and what the query calls it. */
export interface Source {
  table: string;
  alias: string;
}

/** What the text before the cursor says about what may follow. */
export interface Context {
  /** The names before the last dot: `["gaiadr3", "bright"]` in `gaiadr3.bright.ra`. */
  path: string[];
  /** What was typed of the name so far, and where it begins. */
  prefix: string;
  from: number;
  expects: "table" | "column";
  /** In a comment or a text there is nothing to complete. */
  silent: boolean;
}

const AFTER_TABLES = new Set(["WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "SELECT", "ON", "USING"]);
const isName = (token: Token | undefined): token is Token => token?.kind === "name" || token?.kind === "quoted";
const isSign = (token: Token | undefined, sign: string): boolean => token?.kind === "sign" && token.text === sign;
const isWord = (token: Token | undefined, word: string): boolean => token?.kind === "keyword" && token.text.toUpperCase() === word;

/** The tables in FROM and JOIN of the whole query, those of inner queries too, in the order in which they stand. */
export function sources(query: string): Source[] {
  const list = tokens(query).filter(({ kind }) => kind !== "space" && kind !== "comment");
  const found: Source[] = [];
  for (let at = 0; at < list.length; at++) {
    if (isWord(list[at], "FROM") || isWord(list[at], "JOIN")) {
      at = readTables(list, at + 1, found) - 1;
    }
  }
  return found;
}

function readTables(list: Token[], start: number, found: Source[]): number {
  let at = start;
  for (;;) {
    if (!isName(list[at])) {
      return at;
    }
    const path = [nameOf(list[at++])];
    while (isSign(list[at], ".") && isName(list[at + 1])) {
      path.push(nameOf(list[at + 1]));
      at += 2;
    }
    if (isWord(list[at], "AS")) {
      at++;
    }
    const alias = isName(list[at]) ? nameOf(list[at++]) : path.at(-1)!;
    found.push({ table: path.join("."), alias });
    if (!isSign(list[at], ",")) {
      return at;
    }
    at++;
  }
}

/** What may be completed at an offset of the query. */
export function contextAt(query: string, offset: number): Context {
  const before = tokens(query.slice(0, offset));
  const last = before.at(-1);
  const silent = last !== undefined && isOpen(last, query, offset);
  const words = before.filter(({ kind }) => kind !== "space" && kind !== "comment");
  let prefix = "";
  let from = offset;
  const typed = last?.kind === "name" || last?.kind === "keyword" || last?.kind === "quoted" ? words.pop() : undefined;
  if (typed) {
    prefix = typed.kind === "quoted" ? typed.text.slice(1) : typed.text;
    from = typed.from;
  }
  const path: string[] = [];
  while (isSign(words.at(-1), ".") && isName(words.at(-2))) {
    path.unshift(nameOf(words.at(-2)!));
    words.splice(-2);
  }
  return { path, prefix, from, expects: expected(words), silent };
}

/** Whether the cursor is inside a comment or a text. A delimited name may be completed. */
function isOpen(token: Token, query: string, offset: number): boolean {
  if (token.kind === "comment") {
    return token.text.startsWith("--") || !token.text.endsWith("*/") || token.text.length < 4;
  }
  return token.kind === "text" && (!/^'(?:[^']|'')*'$/.test(token.text) || query[offset] === "'");
}

function expected(words: Token[]): Context["expects"] {
  let depth = 0;
  for (let at = words.length - 1; at >= 0; at--) {
    const token = words[at];
    if (isSign(token, ")")) {
      depth++;
    } else if (isSign(token, "(")) {
      depth--;
      if (depth < 0) {
        return "column";
      }
    } else if (depth === 0 && token.kind === "keyword") {
      const word = token.text.toUpperCase();
      if (word === "FROM" || word === "JOIN") {
        const between = words.slice(at + 1);
        return between.length === 0 || isSign(between.at(-1), ",") ? "table" : "column";
      }
      if (AFTER_TABLES.has(word)) {
        return "column";
      }
    }
  }
  return "column";
}
