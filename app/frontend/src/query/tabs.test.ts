import { expect, test } from "vitest";

import { change, close, initial, merge, newTab, open, openQuery, parse, titleOf } from "./tabs";

test("the first query takes the place of the empty tab", () => {
  const tabs = openQuery(initial(), "SELECT 1 FROM a");
  expect(tabs.list.map(({ query }) => query)).toEqual(["SELECT 1 FROM a"]);
});

test("a query that is open already is shown, not opened again", () => {
  const one = openQuery(initial(), "SELECT 1 FROM a");
  const two = open(one, newTab("SELECT 2 FROM b"));
  const again = openQuery(two, " SELECT 1 FROM a\n");
  expect(again.list).toHaveLength(2);
  expect(again.active).toBe(one.active);
});

test("closing the last tab leaves an empty one", () => {
  const tabs = openQuery(initial(), "SELECT 1 FROM a");
  expect(close(tabs, tabs.active).list.map(({ query }) => query)).toEqual([""]);
});

test("what another window wrote later stays, and what it alone has too; what was closed here goes", () => {
  const shared = newTab("old", { edited: 1 });
  const theirs = [{ ...shared, query: "newer", edited: 3 }, newTab("only theirs"), newTab("closed here", { id: "gone" })];
  const mine = { list: [shared], active: shared.id, closed: ["gone"] };
  expect(merge(theirs, mine).map(({ query }) => query)).toEqual(["newer", "only theirs"]);
  expect(merge([{ ...shared, edited: 0 }], change(mine, shared.id, { query: "mine" })).map(({ query }) => query)).toEqual(["mine"]);
});

test.each([null, "", "{", "3", '[{"id": 3}, null]'])("whatever the browser kept, nothing breaks: %s", (text) => {
  expect(parse(text)).toEqual([]);
});

test("a tab is called by its name or its table", () => {
  expect(titleOf(newTab("SELECT * FROM gaiadr3.bright"), "untitled")).toBe("gaiadr3.bright");
  expect(titleOf(newTab("SELECT 1", { name: "mine" }), "untitled")).toBe("mine");
  expect(titleOf(newTab(), "untitled")).toBe("untitled");
});
