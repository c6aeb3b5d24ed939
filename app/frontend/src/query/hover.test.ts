import { expect, test } from "vitest";

import { describe } from "./hover";

const KNOWN = {
  schemas: [{ name: "gaiadr3", title: "", description: "", tables: [{ name: "bright", qualified: "gaiadr3.bright", title: "Bright stars", description: "", rows: 482176, columns: 1, readable: true }] }],
  functions: [{ name: "DISTANCE", signature: "DISTANCE(a, b)", description: "Degrees between.", group: "", language: "ADQL" as const }],
  columns: new Map([["gaiadr3.bright", [{ name: "ra", datatype: "double", arraysize: "", xtype: "", unit: "deg", ucd: "pos.eq.ra", utype: "", description: "Right ascension", indexed: true, principal: true }]]]),
};
const QUERY = "SELECT ra FROM gaiadr3.bright WHERE distance(ra, 1) < 2";

test("a column says its type, unit, UCD and description", () => {
  expect(describe(QUERY, 8, KNOWN)).toEqual({ from: 7, to: 9, text: "gaiadr3.bright.ra\ndouble [deg] indexed\npos.eq.ra\nRight ascension" });
});

test("tables and functions are told, keywords and unknown names are not", () => {
  expect(describe(QUERY, 24, KNOWN)?.text).toContain("482,176 rows");
  expect(describe(QUERY, 38, KNOWN)?.text).toBe("DISTANCE(a, b)\nDegrees between.");
  expect(describe(QUERY, 2, KNOWN)).toBeNull();
  expect(describe("SELECT nothing", 9, KNOWN)).toBeNull();
});
