import { expect, test } from "vitest";

import { fixed, span } from "./positions";

const QUERY = "SELECT parralax\nFROM gaiadr3.bright";

test("line and column from 1 are offsets in the text", () => {
  expect(span(QUERY, { line: 1, column: 8, length: 8 })).toEqual({ from: 7, to: 15 });
  expect(span(QUERY, { line: 2, column: 6, length: 7 })).toEqual({ from: 21, to: 28 });
});

test("a place behind the end is the end", () => {
  expect(span(QUERY, { line: 9, column: 9, length: 3 })).toEqual({ from: QUERY.length, to: QUERY.length });
});

test("a fix replaces what it names, or is put in where it has no length", () => {
  expect(fixed(QUERY, { line: 1, column: 8, length: 8, text: "parallax", label: "" })).toBe("SELECT parallax\nFROM gaiadr3.bright");
  expect(fixed("a", { line: 1, column: 1, length: 0, text: "b ", label: "" })).toBe("b a");
});
