import { describe, expect, it } from "vitest";

import { nextSort } from "./sorting";
import { columnsBetween, drawn, height, isScaled, lastTop, revealing, ROW, scrollTop, topRow } from "./window";

const VIEW = 560;

describe("rows of any number", () => {
  for (const rows of [1, 20, 21, 1000, 285_714, 285_715, 10_000_000, 2 ** 31]) {
    it(`finds its way in ${rows} rows`, () => {
      expect(height(rows)).toBeLessThanOrEqual(8_000_000);
      expect(topRow(0, rows, VIEW)).toBe(0);
      const bottom = Math.max(0, height(rows) - VIEW);
      expect(topRow(bottom, rows, VIEW)).toBeCloseTo(lastTop(rows, VIEW), 3);
      for (const share of [0, 0.1, 0.5, 0.999]) {
        const row = Math.floor(lastTop(rows, VIEW) * share);
        expect(Math.abs(topRow(scrollTop(row, rows, VIEW), rows, VIEW) - row)).toBeLessThan(1e-3);
      }
    });
  }

  it("draws the last row and none behind it", () => {
    const rows = 10_000_000;
    expect(isScaled(rows)).toBe(true);
    expect(drawn(lastTop(rows, VIEW), rows, VIEW)[1]).toBe(rows - 1);
    expect(drawn(0, 3, VIEW)).toEqual([0, 2]);
    expect(drawn(0, 0, VIEW)[1]).toBe(-1);
  });

  it("moves no more than it must to show a row", () => {
    const fits = VIEW / ROW;
    expect(revealing(5, 0, 1000, VIEW)).toBe(0);
    expect(revealing(fits, 0, 1000, VIEW)).toBe(1);
    expect(revealing(3, 10, 1000, VIEW)).toBe(3);
    expect(revealing(999, 0, 1000, VIEW)).toBe(lastTop(1000, VIEW));
  });
});

describe("columnsBetween", () => {
  it("finds the columns that are seen", () => {
    const widths = [100, 50, 200, 80];
    expect(columnsBetween(widths, 0, 120)).toEqual({ first: 0, last: 1, left: 0 });
    expect(columnsBetween(widths, 150, 351)).toEqual({ first: 2, last: 3, left: 150 });
    expect(columnsBetween(widths, 10_000, 10_100).last).toBe(3);
    expect(columnsBetween([], 0, 100).first).toBe(0);
  });
});

describe("nextSort", () => {
  it("rises, falls, and is as stored again", () => {
    expect(nextSort([], "ra", false)).toEqual(["ra"]);
    expect(nextSort(["ra"], "ra", false)).toEqual(["-ra"]);
    expect(nextSort(["-ra"], "ra", false)).toEqual([]);
    expect(nextSort(["ra"], "dec", true)).toEqual(["ra", "dec"]);
    expect(nextSort(["ra", "dec"], "ra", true)).toEqual(["-ra", "dec"]);
    expect(nextSort(["ra", "-dec"], "mag", false)).toEqual(["mag"]);
  });
});
