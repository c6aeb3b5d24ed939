import { describe, expect, it } from "vitest";

import type { Column } from "../api";
import type { Frame } from "./data/arrow";
import { quantity, values } from "./data/quantities";
import { adqlOf, conditions, inPolygon, marks, needed, simplified, type Steps } from "./selection";
import { adqlCondition, intervals, parsed, words } from "./where";

const column = (name: string, more: Partial<Column> = {}): Column => ({
  name, datatype: "double", arraysize: "", xtype: "", unit: "", ucd: "", utype: "", description: "", ...more,
});
const COLUMNS = [column("x"), column("y"), column("ra"), column("dec"), column("Order")];

function frame(columns: Record<string, number[]>): Frame {
  const length = Object.values(columns)[0].length;
  return { length, columns: new Map(Object.entries(columns).map(([name, list]) => [name, { kind: "number" as const, values: Float64Array.from(list), time: false }])) };
}

const SQUARE = frame({ x: [0, 1, 2, 3, NaN], y: [0, 1, 2, 3, 1] });
const box: Steps = [{ how: "add", region: { kind: "box", x: "x", y: "y", from: [0.5, 0.5], to: [2, 2] } }];

describe("marks", () => {
  it("marks what is inside a box, its edge too, and nothing that is missing", () => {
    const found = marks(box, SQUARE, COLUMNS, null, 5);
    expect([...found.marks]).toEqual([0, 1, 1, 0, 0]);
    expect(found.count).toBe(2);
  });

  it("adds and takes away", () => {
    const steps: Steps = [...box, { how: "add", region: { kind: "rows", rows: [[3, 9]] } }, { how: "subtract", region: { kind: "range", x: "x", from: 1, to: 1 } }];
    expect([...marks(steps, SQUARE, COLUMNS, null, 5).marks]).toEqual([0, 0, 1, 1, 1]);
  });

  it("marks by row number where a filter left rows out", () => {
    expect([...marks(box, SQUARE, COLUMNS, Int32Array.from([10, 3, 7, 1, 2]), 11).marks]).toEqual([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  });

  it("marks a cone across the zero of longitude and at a pole", () => {
    const sky = frame({ ra: [359.9, 0.1, 0.3, 120, 300], dec: [0, 0, 0, 89.95, 89.95] });
    const cone = (centre: readonly [number, number], radius: number): Steps => [{ how: "add", region: { kind: "cone", lon: "ra", lat: "dec", centre, radius } }];
    expect([...marks(cone([0, 0], 0.15), sky, COLUMNS, null, 5).marks]).toEqual([1, 1, 0, 0, 0]);
    expect([...marks(cone([0, 90], 0.1), sky, COLUMNS, null, 5).marks]).toEqual([0, 0, 0, 1, 1]);
  });

  it("passes over regions of columns that are gone", () => {
    const steps: Steps = [{ how: "add", region: { kind: "range", x: "gone", from: 0, to: 9 } }];
    expect(marks(steps, SQUARE, COLUMNS, null, 5).count).toBe(0);
    expect(needed([...box, ...steps], COLUMNS)).toEqual(["x", "y"]);
  });
});

describe("a selection in ADQL", () => {
  it("is the box that was drawn", () => {
    expect(adqlOf(box, COLUMNS)).toBe("(x BETWEEN 0.5 AND 2 AND y BETWEEN 0.5 AND 2)");
    expect(conditions(box, COLUMNS)).toEqual([["x", "between", [0.5, 2]], ["y", "between", [0.5, 2]]]);
  });

  it("is the lasso: its parity selects the same rows", () => {
    // A shape with a notch, which no hull would have.
    const points = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]] as const;
    const said = adqlOf([{ how: "add", region: { kind: "lasso", x: "x", y: "y", points, log: [false, false] } }], COLUMNS)!;
    const js = said
      .replace(/(\w+) BETWEEN (\S+) AND ([^\s)]+)/g, "($1 >= $2 && $1 <= $3)").replace(/CASE WHEN (.*?) THEN 1 ELSE 0 END/g, "(($1) ? 1 : 0)")
      .replace(/\bAND\b/g, "&&").replace(/MOD\(([^]*), 2\) = 1/, "(($1) % 2 === 1)").replaceAll("+ -", "- ");
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the condition itself is what is tested
    const test = new Function("x", "y", `return ${js}`) as (x: number, y: number) => boolean;
    let inside = 0;
    for (let x = -0.45; x < 4.5; x += 0.31) {
      for (let y = -0.45; y < 4.5; y += 0.29) {
        expect(test(x, y)).toBe(inPolygon(x, y, points));
        inside += Number(test(x, y));
      }
    }
    expect(inside).toBeGreaterThan(50);
  });

  it("is a cone, and quotes names", () => {
    const steps: Steps = [{ how: "add", region: { kind: "cone", lon: "ra", lat: "dec", centre: [56.75, 24.12], radius: 1 } }];
    expect(adqlOf(steps, COLUMNS, { lon: "ra", lat: "dec", frame: "icrs" })).toBe("1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1))");
    expect(adqlOf([{ how: "add", region: { kind: "range", x: "Order", from: 1, to: 2 } }], COLUMNS)).toBe('("Order" BETWEEN 1 AND 2)');
  });

  it("is nothing for rows that were picked", () => {
    expect(adqlOf([{ how: "add", region: { kind: "rows", rows: [1] } }], COLUMNS)).toBeUndefined();
  });
});

describe("conditions", () => {
  it("quote what a person typed", () => {
    expect(adqlCondition(["na\"me", "contains", "O'Brien"], [])).toBe(`LOWER("na""me") LIKE '%o''brien%'`);
    expect(adqlCondition(["id", "=", "5853498713190525696"], [column("id", { datatype: "long" })])).toBe("id = 5853498713190525696");
    expect(adqlCondition(["id", "=", "1 OR 1=1"], [column("id", { datatype: "long" })])).toBe("id = '1 OR 1=1'");
    expect(words(["parallax", ">=", 5])).toBe("parallax ≥ 5");
  });

  it("out of an address are conditions or nothing", () => {
    expect(parsed('[["a","between",[1,2]],["b","isnull"]]')).toHaveLength(2);
    for (const bad of ["", "{", "1", '[["a"]]', '[["a","between",[1]]]', '[["a","drop",1]]', '[["a","=",{}]]', "[null]"]) expect(parsed(bad)).toBeUndefined();
  });

  it("say row numbers as intervals", () => {
    expect(intervals(Uint8Array.from([1, 1, 1, 0, 1, 0, 0, 1, 1]))).toEqual([[0, 2], 4, [7, 8]]);
    expect(intervals(new Uint8Array(0))).toEqual([]);
  });
});

describe("simplified", () => {
  it("keeps corners and drops what lies between", () => {
    const line = [...Array.from({ length: 50 }, (_, k) => [k, 0] as const), ...Array.from({ length: 50 }, (_, k) => [49, k] as const)];
    expect(simplified(line, 0.5)).toEqual([[0, 0], [49, 0], [49, 49]]);
  });
});

describe("quantities", () => {
  it("make colours and absolute magnitudes", () => {
    const columns = [column("b"), column("v"), column("plx", { unit: "mas" })];
    const data = frame({ b: [1.5], v: [1], plx: [100] });
    expect(values(quantity("b - v", columns)!, data)[0]).toBeCloseTo(0.5);
    expect(values(quantity("M(v, plx)", columns)!, data)[0]).toBeCloseTo(1);
    expect(quantity("M(v, gone)", columns)).toBeUndefined();
    expect(values(quantity("M(v, plx)", columns)!, frame({ b: [1], v: [1], plx: [-1] }))[0]).toBeNaN();
  });
});
