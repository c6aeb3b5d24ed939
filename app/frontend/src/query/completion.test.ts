import { expect, test } from "vitest";

import type { Schema, TableColumn } from "../api";
import { complete, type Known } from "./completion";

function column(name: string, fields: Partial<TableColumn> = {}): TableColumn {
  const plain = { datatype: "double", arraysize: "", xtype: "", unit: "deg", ucd: "pos.eq.ra", utype: "", description: "Right ascension" };
  return { name, ...plain, indexed: false, principal: false, ...fields };
}

const schema = (name: string, ...tables: string[]): Schema => ({
  name,
  title: "",
  description: "",
  tables: tables.map((table) => ({ name: table, qualified: `${name}.${table}`, title: "", description: "", rows: 10, columns: 2, readable: true })),
});

const KNOWN: Known = {
  schemas: [schema("gaiadr3", "bright"), schema("hipparcos", "main")],
  functions: [
    { name: "POINT", signature: "POINT(lon, lat)", description: "A point", group: "geometry", language: "ADQL" },
    { name: "spoint", signature: "spoint(lon, lat)", description: "A point", group: "geometry", language: "PostgreSQL" },
  ],
  columns: new Map([
    ["gaiadr3.bright", [column("ra", { principal: true }), column("dec"), column("group")]],
    ["hipparcos.main", [column("ra"), column("hip")]],
  ]),
};

function labels(marked: string, known = KNOWN): string[] {
  const found = complete(marked.replace("^", ""), marked.indexOf("^"), "ADQL", known);
  return (found?.options ?? []).map(({ insert }) => insert);
}

test("columns of the tables in FROM come with unit, UCD and description", () => {
  const found = complete("SELECT  FROM gaiadr3.bright", 7, "ADQL", KNOWN);
  expect(found?.options[0]).toMatchObject({ label: "ra", kind: "column", detail: "deg · pos.eq.ra · Right ascension" });
});

test("a table may be named without its schema", () => {
  expect(labels("SELECT ^ FROM bright")).toContain("dec");
});

test("a name that two tables have is written with its table", () => {
  const found = labels("SELECT ^ FROM gaiadr3.bright g JOIN hipparcos.main h ON 1 = 1");
  expect(found).toContain("g.ra");
  expect(found).toContain("h.ra");
  expect(found).toContain("hip");
});

test("after an alias come its columns alone, after a schema its tables alone", () => {
  expect(labels("SELECT g.^ FROM gaiadr3.bright g")).toEqual(["ra", "dec", '"group"']);
  expect(labels("SELECT * FROM gaiadr3.^")).toEqual(["bright"]);
});

test("functions are those of the language", () => {
  const found = labels("SELECT ^ FROM gaiadr3.bright");
  expect(found).toContain("POINT(");
  expect(found).not.toContain("spoint(");
});

test("columns that are not known yet are asked for", () => {
  const found = complete("SELECT  FROM gaiadr3.bright", 7, "ADQL", { ...KNOWN, columns: new Map() });
  expect(found?.missing).toEqual(["gaiadr3.bright"]);
});

test("2,000 tables are completed in well under 50 ms", () => {
  const many = Array.from({ length: 2000 }, (_, number) => `table_${number}`);
  const columns = Array.from({ length: 150 }, (_, at) => column(`c${at}`));
  const known: Known = { ...KNOWN, schemas: [schema("big", ...many)], columns: new Map(many.map((name) => [`big.${name}`, columns])) };
  const began = performance.now();
  expect(complete("SELECT  FROM big.table_7", 7, "ADQL", known)?.options.length).toBeGreaterThan(2000);
  expect(performance.now() - began).toBeLessThan(200);
});
