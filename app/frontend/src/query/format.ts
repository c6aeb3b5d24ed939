import { tokens, type Token } from "./tokens";

const CLAUSES = new Set(["SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "WITH"]);
const JOINS = new Set(["JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL"]);
const TIGHT_BEFORE = new Set([",", ")", ".", ";", "]", "::", "["]);
const TIGHT_AFTER = new Set(["(", ".", "[", "::"]);
const WIDTH = 88;

/**
 * The query with a clause a line, keywords in capitals, and nothing else changed: its tokens are the same.
 *
 * A comment ends its line, as it must; inner queries stay on their line when they are short, else they are indented.
 */
export function format(query: string): string {
  const list = tokens(query).filter(({ kind }) => kind !== "space");
  const closes = matching(list);
  const lines: string[] = [];
  let line = "";
  let between = false; // BETWEEN … AND …: that AND is not a condition's
  let last: Token | undefined;
  const stack: boolean[] = [];

  function depth(): number {
    return stack.filter(Boolean).length;
  }
  function end(): void {
    if (line.trim()) {
      lines.push(line.trimEnd());
    }
    line = "";
  }
  function begin(extra: number): void {
    end();
    line = "  ".repeat(depth() + extra);
  }

  list.forEach((token, at) => {
    const word = token.kind === "keyword" ? token.text.toUpperCase() : "";
    const inQuery = stack.length === 0 || stack.at(-1) === true;
    if (token.text === ")" && stack.pop() === true) {
      begin(0);
    }
    if (inQuery && CLAUSES.has(word) && !startsClause(list[at - 1])) {
      begin(0);
    } else if (inQuery && JOINS.has(word) && !JOINS.has(upper(list[at - 1])) && upper(list[at - 1]) !== "OUTER" && token.text !== "(" && list[at + 1]?.text !== "(") {
      begin(1);
    } else if (inQuery && (word === "AND" || word === "OR") && !between) {
      begin(1);
    }
    between = word === "BETWEEN" || (between && word !== "AND");
    const text = word || token.text;
    line += line.trim() && needsSpace(last, token) ? ` ${text}` : text;
    if (token.text === "(") {
      const opensQuery = upper(list[at + 1]) === "SELECT" && !isShort(list, at, closes.get(at) ?? list.length);
      stack.push(opensQuery);
      if (opensQuery) {
        begin(0);
      }
    }
    if (token.text === "," && stack.at(-1) !== false && line.length > WIDTH) {
      begin(1);
    }
    if (token.kind === "comment" && token.text.startsWith("--")) {
      begin(1);
    }
    last = token;
  });
  end();
  return lines.join("\n");
}

function upper(token: Token | undefined): string {
  return token?.kind === "keyword" ? token.text.toUpperCase() : "";
}

/** UNION SELECT would be two lines, but GROUP BY and the like are one clause; SELECT after a parenthesis has its line. */
function startsClause(before: Token | undefined): boolean {
  return before === undefined || before.text === "(";
}

function needsSpace(before: Token | undefined, token: Token): boolean {
  if (!before || TIGHT_AFTER.has(before.text) || TIGHT_BEFORE.has(token.text)) {
    return false;
  }
  // A function's parenthesis follows its name; that of IN or of an inner query does not.
  return !(token.text === "(" && (before.kind === "name" || before.kind === "quoted"));
}

/** For each opening parenthesis, the index of its closing one. */
function matching(list: Token[]): Map<number, number> {
  const open: number[] = [];
  const found = new Map<number, number>();
  list.forEach(({ text, kind }, at) => {
    if (kind === "sign" && text === "(") {
      open.push(at);
    } else if (kind === "sign" && text === ")" && open.length) {
      found.set(open.pop()!, at);
    }
  });
  return found;
}

function isShort(list: Token[], from: number, to: number): boolean {
  const inner = list.slice(from, to);
  return !inner.some(({ kind }) => kind === "comment") && inner.reduce((sum, { text }) => sum + text.length + 1, 0) < 60;
}
