import { expect, test } from "vitest";

import { contextAt, sources } from "./scope";

test("tables are found with their aliases, in joins and inner queries too", () => {
  const query = `SELECT g.ra FROM gaiadr3.bright AS g JOIN hipparcos.main h ON g.hip = h.hip
    WHERE g.id IN (SELECT id FROM "Odd"."Table")`;
  expect(sources(query)).toEqual([
    { table: "gaiadr3.bright", alias: "g" },
    { table: "hipparcos.main", alias: "h" },
    { table: "Odd.Table", alias: "Table" },
  ]);
});

test("a list of tables is read to its end", () => {
  expect(sources("SELECT * FROM a, b.c d, e").map(({ alias }) => alias)).toEqual(["a", "d", "e"]);
});

function at(marked: string) {
  const offset = marked.indexOf("^");
  return contextAt(marked.replace("^", ""), offset);
}

test("a table may follow FROM, JOIN and a comma between tables", () => {
  expect(at("SELECT * FROM ^").expects).toBe("table");
  expect(at("SELECT * FROM gai^").expects).toBe("table");
  expect(at("SELECT * FROM a JOIN ^").expects).toBe("table");
  expect(at("SELECT * FROM a, ^").expects).toBe("table");
});

test("a column may follow elsewhere, inside of functions too", () => {
  expect(at("SELECT ^ FROM a").expects).toBe("column");
  expect(at("SELECT * FROM a WHERE r^").expects).toBe("column");
  expect(at("SELECT * FROM a WHERE 1 = CONTAINS(POINT(^").expects).toBe("column");
});

test("what stands before the dot is told", () => {
  expect(at("SELECT g.r^ FROM a g")).toMatchObject({ path: ["g"], prefix: "r", from: 9 });
  expect(at("SELECT * FROM gaiadr3.^")).toMatchObject({ path: ["gaiadr3"], prefix: "", expects: "table" });
});

test("comments and texts are left alone", () => {
  expect(at("SELECT 'ab^").silent).toBe(true);
  expect(at("SELECT 1 -- ab^").silent).toBe(true);
  expect(at("SELECT 'ab' ^").silent).toBe(false);
});
