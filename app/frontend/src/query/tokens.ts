/** The words, names and signs of a query, for colours, completion and formatting; validity is the server's affair. */

export type Kind = "comment" | "text" | "number" | "keyword" | "name" | "quoted" | "sign" | "space";

export interface Token {
  kind: Kind;
  text: string;
  from: number;
}

/** Words that the two languages reserve and that people expect to see as such. */
export const KEYWORDS = new Set(
  `ALL AND ANY AS ASC BETWEEN BY CASE CAST COALESCE CROSS DESC DISTINCT ELSE END EXCEPT EXISTS FROM FULL GROUP HAVING IN
   INNER INTERSECT IS JOIN LATERAL LEFT LIKE ILIKE LIMIT NATURAL NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION RIGHT
   SELECT THEN TOP UNION USING VALUES WHEN WHERE WITH TRUE FALSE`.split(/\s+/),
);

const PATTERN = new RegExp(
  [
    String.raw`(?<comment>--[^\n]*|/\*[\s\S]*?(?:\*/|$))`,
    String.raw`(?<text>'(?:[^']|'')*(?:'|$))`,
    String.raw`(?<quoted>"(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`,
    String.raw`(?<name>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(?<space>\s+)`,
    String.raw`(?<sign><=|>=|<>|!=|\|\||::|[\s\S])`,
  ].join("|"),
  "gy",
);

/** Every character of the query is in one token; nothing that is typed makes this fail. */
export function tokens(query: string): Token[] {
  const found: Token[] = [];
  for (const match of query.matchAll(PATTERN)) {
    const [kind, text] = Object.entries(match.groups as Record<Kind, string | undefined>).find(([, value]) => value !== undefined) as [Kind, string];
    const isKeyword = kind === "name" && KEYWORDS.has(text.toUpperCase());
    found.push({ kind: isKeyword ? "keyword" : kind, text, from: match.index });
  }
  return found;
}

/** The name that an identifier stands for: undelimited ones are the same in upper and lower case. */
export function nameOf(token: Token): string {
  return token.kind === "quoted" ? token.text.slice(1, -1).replaceAll('""', '"') : token.text.toLowerCase();
}

/** How a name has to be written: delimited unless it is plain and no keyword. */
export function written(name: string): string {
  return /^[a-z][a-z0-9_]*$/.test(name) && !KEYWORDS.has(name.toUpperCase()) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A qualified name (`schema.table`) as it has to be written. */
export function writtenPath(qualified: string): string {
  return qualified.split(".").map(written).join(".");
}
