import { expect, test } from "vitest";

import { format } from "./format";
import { tokens } from "./tokens";

test("a clause has its line, a condition is indented", () => {
  expect(format("select top 5 ra,dec from gaiadr3.bright g left join b on g.id=b.id where ra between 1 and 2 and dec>0 order by ra desc")).toBe(
    [
      "SELECT TOP 5 ra, dec",
      "FROM gaiadr3.bright g",
      "  LEFT JOIN b ON g.id = b.id",
      "WHERE ra BETWEEN 1 AND 2",
      "  AND dec > 0",
      "ORDER BY ra DESC",
    ].join("\n"),
  );
});

const QUERIES = [
  "SELECT count(*) AS n FROM a WHERE 1=CONTAINS(POINT('ICRS',ra,dec),CIRCLE('ICRS',1,-2,3)) -- all\nAND x IN (1,2)",
  "SELECT * FROM (SELECT ra, dec, parallax, phot_g_mean_mag FROM gaiadr3.bright WHERE parallax > 10) AS t UNION SELECT 1,2,3,4 FROM b",
  "SELECT 'it''s', \"Odd name\", -1.5e3 /* why */ FROM a, b WHERE a.x<>b.y",
  "not ( a query ' at all",
];

test.each(QUERIES)("nothing but space and case changes, and once is enough: %s", (query) => {
  const words = (text: string): string[] =>
    tokens(text).flatMap(({ kind, text: word }) => (kind === "space" ? [] : [kind === "keyword" ? word.toUpperCase() : word.trimEnd()]));
  expect(words(format(query))).toEqual(words(query));
  expect(format(format(query))).toBe(format(query));
});
