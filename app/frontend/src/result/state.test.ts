import { describe, expect, it } from "vitest";

import { INITIAL, read, written, type State } from "./state";

const CHANGED: State = {
  views: ["table", "sky"],
  where: [["parallax", ">=", 5], ["na,me&=#", "contains", "ä"], ["id", "=", "5853498713190525696"]],
  table: { columns: ["a", "b,c"], sort: ["-a"], sexagesimal: true },
  plot: {
    kind: "time", x: "t", y: "M(g, plx)", colour: "c", size: "s", errors: true, density: "on", ramp: "magma", bins: 12, period: 0.5, epoch: -3,
    xAxis: { log: true, reversed: false, min: 0.1, max: undefined }, yAxis: { log: false, reversed: true, min: -2, max: 1e-7 },
  },
  sky: { lon: 56.75, lat: 24.12, field: 2.5, frame: "galactic" },
  selection: [
    { how: "add", region: { kind: "box", x: "a", y: "b", from: [0, 1], to: [2, 3] } },
    { how: "subtract", region: { kind: "lasso", x: "a", y: "b", points: [[0, 0], [1, 0], [0, 1]], log: [true, false] } },
    { how: "add", region: { kind: "cone", lon: "ra", lat: "dec", centre: [1, 2], radius: 3 } },
  ],
};

describe("the state in an address", () => {
  it("comes back whole", () => {
    expect(read(`#${written(CHANGED, INITIAL)}`, INITIAL)).toEqual(CHANGED);
  });

  it("says nothing of a first look", () => {
    expect(written(INITIAL, INITIAL)).toBe("");
    expect(read("", INITIAL)).toEqual({ ...INITIAL, table: { ...INITIAL.table, columns: undefined }, plot: { ...INITIAL.plot, period: undefined, epoch: undefined } });
  });

  it("may say that something of a first look is not wanted", () => {
    const first = { ...INITIAL, plot: { ...INITIAL.plot, colour: "c", errors: true, yAxis: { log: false, reversed: true } } };
    const plain = { ...first, plot: { ...first.plot, colour: "", errors: false, yAxis: { log: false, reversed: false } } };
    const back = read(written(plain, first), first).plot;
    expect([back.colour, back.errors, back.yAxis.reversed]).toEqual(["", false, false]);
  });

  it("passes over nonsense", () => {
    for (const bad of ["view=nothing&where=[[&selection={}&bins=-1&period=0&sky=1,2&xaxis=..", "selection=[{\"how\":\"add\",\"region\":{\"kind\":\"box\"}}]", "sky=0,99,0&ramp=<b>", "%", "columns=5&sort={}"]) {
      const state = read(bad, INITIAL);
      expect(state.views).toEqual(["table"]);
      expect(state.selection).toEqual([]);
      expect(state.sky).toEqual(INITIAL.sky);
      expect(state.plot.bins).toBe(60);
    }
  });
});
