import { expect, test } from "vitest";

import type { Table, TableColumn } from "../api";
import { built, degrees, EMPTY, kindOf, operatorsOf, type Condition, type Draft } from "./builder";

function column(name: string, datatype = "double", arraysize = ""): TableColumn {
  return { name, datatype, arraysize, xtype: "", unit: "", ucd: "", utype: "", description: "", indexed: false, principal: true };
}

function table(qualified: string, columns: TableColumn[], position: [string, string] | null = ["ra", "dec"]): Table {
  const [schema, name] = qualified.split(".");
  return { schema, name, qualified, position, columns, title: "", description: "", rows: null, readable: true, epoch: "", url: "" };
}

const STARS = table("sky.stars", [column("ra"), column("dec"), column("Gmag"), column("name", "char", "*"), column("flag", "boolean"), column("spectrum", "float", "*")]);
const query = (draft: Partial<Draft>, of = STARS) => built({ ...EMPTY, ...draft }, of);
const when = (name: string, operator: Condition["operator"], value = "", to = ""): Condition => ({ column: name, operator, value, to });

test("nothing chosen is a first look", () => {
  expect(query({})).toEqual({ query: "SELECT TOP 1000 *\nFROM sky.stars", mistakes: {} });
});

test("columns, conditions and order are written as the language has them", () => {
  const made = query({
    columns: ["name", "Gmag"],
    conditions: [when("Gmag", "between", "1", "2.5e0"), when("name", "like", "O'%"), when("flag", "=", "true"), when("spectrum", "not null")],
    order: { column: "Gmag", descending: true },
    rows: "",
  });
  expect(made.mistakes).toEqual({});
  expect(made.query).toBe(
    `SELECT name, "Gmag"\nFROM sky.stars\nWHERE "Gmag" BETWEEN 1 AND 2.5e0\n  AND name LIKE 'O''%'\n  AND flag = TRUE\n  AND spectrum IS NOT NULL\nORDER BY "Gmag" DESC`,
  );
});

test("a cone has its radius in degrees, whatever unit was chosen", () => {
  const { query: text } = query({ cone: { ra: 10.6847083, dec: -41.5, radius: "30", unit: "arcmin" } });
  expect(text).toContain("WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(10.6847083, -41.5, 0.5))");
  expect(query({ cone: { ra: 0, dec: 0, radius: "0.001", unit: "arcsec" } }).query).toContain("CIRCLE(0, 0, 0.0000002778)");
});

test("a match joins the two tables by distance", () => {
  const mine = table("tap_user.mine", [column("RA"), column("DE")], ["RA", "DE"]);
  const { query: text } = query({ match: { table: mine, radius: "1", unit: "arcsec" }, conditions: [when("Gmag", "<", "3")] });
  expect(text).toBe(
    `SELECT TOP 1000 a.*, b.*\nFROM sky.stars AS a\nJOIN tap_user.mine AS b\n  ON 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b."RA", b."DE", 0.0002777778))\nWHERE a."Gmag" < 3`,
  );
});

test("what is wrong is told by field, and stays out of the query", () => {
  const made = query({
    rows: "many",
    cone: { ra: 0, dec: 0, radius: "200", unit: "deg" },
    conditions: [when("Gmag", "<", "1; DROP"), when("name", "=", " "), when("flag", "=", "perhaps"), when("Gmag", "between", "1", "")],
  });
  expect(made.mistakes).toEqual({
    rows: "rows", radius: "radius", "conditions.0": "number", "conditions.1": "empty", "conditions.2": "truth", "conditions.3": "number",
  });
  expect(made.query).not.toContain("DROP");
});

test.each(["'", "''", "a'; --", "%", '"', "\\", "é'🔭"])("text %s stays one literal", (value) => {
  const { query: text } = query({ conditions: [when("name", "=", value)] });
  const literal = text.slice(text.indexOf("= ") + 2);
  expect(literal.slice(1, -1).replaceAll("''", "").includes("'")).toBe(false);
  expect(literal.slice(1, -1).replaceAll("''", "'")).toBe(value);
});

test("operators are those that the values have", () => {
  expect(STARS.columns.map(kindOf)).toEqual(["number", "number", "number", "text", "truth", "other"]);
  expect(operatorsOf(column("a", "float", "3"))).toEqual(["null", "not null"]);
});

test("an angle is from 0 to 90 degrees", () => {
  expect([degrees("90", "deg"), degrees("5400", "arcmin"), degrees("90.1", "deg"), degrees("0", "deg"), degrees("", "deg"), degrees("-1", "deg")]).toEqual([90, 90, null, null, null, null]);
});
