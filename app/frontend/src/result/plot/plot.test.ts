import { describe, expect, it } from "vitest";

import { inPolygon } from "../selection";
import { padded, scale, ticks, toPixel, toValue, usable, extent, type Axis } from "./axis";
import { ramp, rgb } from "./colours";
import { brushed, nearest, type Layer } from "./layer";
import { phases } from "./model";
import { counted, filled, histogram, paintDensity, paintDiscs, places, stamp } from "./raster";

const axis = (min: number, max: number, more: Partial<Axis> = {}): Axis => ({ min, max, log: false, reversed: false, time: false, ...more });

describe("axes", () => {
  it("map values to pixels and back, also reversed and logarithmic", () => {
    for (const one of [axis(-3, 7), axis(-3, 7, { reversed: true }), axis(1e-3, 1e4, { log: true }), axis(1, 10, { log: true, reversed: true })]) {
      const by = scale(one, 0, 400);
      expect(toPixel(by, one.reversed ? one.max : one.min)).toBeCloseTo(0);
      expect(toPixel(by, one.reversed ? one.min : one.max)).toBeCloseTo(400);
      expect(toValue(by, toPixel(by, 2))).toBeCloseTo(2);
    }
  });

  it("have round ticks inside of their limits", () => {
    expect(ticks(axis(0, 10), 5).map((tick) => tick.label)).toEqual(["0", "2", "4", "6", "8", "10"]);
    expect(ticks(axis(-0.1, 0.1), 4).map((tick) => tick.label)).toEqual(["−0.10", "−0.05", "0.00", "0.05", "0.10"]);
    expect(ticks(axis(0.01, 1e6, { log: true }), 10).map((tick) => tick.label)).toEqual(["0.01", "0.1", "1", "10", "100", "1000", "10000", "10⁵", "10⁶"]);
    for (const [min, max] of [[1e-12, 3e-12], [1e15, 2e15], [-5e-3, 1e9], [2016, 2016.001]] as const) {
      const found = ticks(axis(min, max), 6);
      expect(found.length).toBeGreaterThan(1);
      expect(found.length).toBeLessThan(15);
      expect(new Set(found.map((tick) => tick.label)).size).toBe(found.length);
    }
  });

  it("have dates for instants", () => {
    const day = 86_400_000;
    expect(ticks(axis(Date.UTC(2016, 0, 1), Date.UTC(2026, 0, 1), { time: true }), 6).map((tick) => tick.label)).toContain("2020");
    expect(ticks(axis(Date.UTC(2016, 0, 1), Date.UTC(2016, 0, 1) + 5 * day, { time: true }), 5)[0].label).toBe("2016-01-01");
  });

  it("find limits without what is no number", () => {
    expect(extent(Float64Array.from([NaN, 3, -Infinity, 5, Infinity]))).toEqual([3, 5]);
    expect(extent(Float64Array.from([-1, 0, 2, 8]), true)).toEqual([2, 8]);
    expect(extent(new Float64Array(0))).toBeUndefined();
    expect(padded([5, 5], false)[0]).toBeLessThan(5);
    expect(usable(0, 1, true)).toBe(false);
  });
});

describe("pixels", () => {
  const size = { width: 10, height: 10 };
  const identity = { log: false, offset: 0, factor: 1 };
  it("are where rows lie, and none for those outside or missing", () => {
    const at = places(Float64Array.from([0, 9.99, 10, -0.1, NaN, 3]), Float64Array.from([0, 9.99, 0, 0, 0, Infinity]), identity, identity, size, new Int32Array(6));
    expect([...at]).toEqual([0, 99, -1, -1, -1, -1]);
  });

  it("count rows, marked rows by their numbers", () => {
    const at = Int32Array.from([0, 0, 5, -1]);
    expect([...counted(at, new Uint32Array(6))]).toEqual([2, 0, 0, 0, 0, 1]);
    expect([...counted(at, new Uint32Array(6), Uint8Array.from([0, 0, 1, 1]), Int32Array.from([2, 1, 3, 0]))]).toEqual([1, 0, 0, 0, 0, 1]);
  });

  it("inside a lasso are those whose middle is", () => {
    const polygon = [[1, 1], [9, 2], [5, 5], [8, 9], [0.5, 8]] as const;
    const inside = filled(polygon, size, new Uint8Array(100));
    for (let k = 0; k < 100; k++) expect(inside[k] === 1).toBe(inPolygon((k % 10) + 0.5, Math.floor(k / 10) + 0.5, polygon));
  });

  it("are coloured by count, empty ones not at all", () => {
    const picture = new Uint32Array(3);
    paintDensity(Uint32Array.from([0, 1, 5000]), 5000, ramp("viridis"), picture);
    expect(picture[0]).toBe(0);
    expect(picture[2]).toBe(ramp("viridis")[255]);
    expect(picture[1]).not.toBe(picture[2]);
  });

  it("have discs, cut at the edge of the picture", () => {
    const picture = new Uint32Array(100);
    paintDiscs({ at: Int32Array.from([0, 55]), colours: new Uint32Array([0xff0000ff]), stamps: [stamp(2)], opacity: 1 }, size, picture);
    expect(picture[55] & 0xffffff).toBe(0x0000ff);
    expect(picture[0]).not.toBe(0);
    expect(picture[9]).toBe(0);
  });
});

describe("a brush", () => {
  const layer: Layer = { size: { width: 4, height: 1 }, at: Int32Array.from([0, 1, 2, 3, -1]), numbers: null, density: false, ramp: ramp("grey"), stamps: [], opacity: 1 };
  it("sets, adds and takes away", () => {
    const inside = Uint8Array.from([0, 1, 1, 0]);
    const out = new Uint8Array(5);
    const before = Uint8Array.from([1, 0, 1, 0, 1]);
    expect([brushed(layer, inside, before, "set", out), [...out]]).toEqual([2, [0, 1, 1, 0, 0]]);
    expect([brushed(layer, inside, before, "add", out), [...out]]).toEqual([4, [1, 1, 1, 0, 1]]);
    expect([brushed(layer, inside, before, "subtract", out), [...out]]).toEqual([2, [1, 0, 0, 0, 1]]);
  });

  it("finds the nearest row within reach", () => {
    expect(nearest(layer, 2, 0, 3)).toBe(2);
    expect(nearest(layer, 2, 9, 3)).toBe(-1);
  });
});

describe("values", () => {
  it("fall into bins, the greatest into the last", () => {
    expect([...histogram(Float64Array.from([0, 0.5, 1, 2, NaN, 3]), { log: false, offset: 0, factor: 1 }, 2)]).toEqual([2, 2]);
  });

  it("fold into phases, before the zero too", () => {
    expect([...phases(Float64Array.from([10, 10.5, 9.75, NaN]), 1, 10, false)]).toEqual([0, 0.5, 0.75, NaN]);
    expect(phases(Float64Array.from([43_200_000]), 2, 0, true)[0]).toBe(0.25);
  });

  it("read colours of the page", () => {
    expect(rgb("#fff")).toEqual([255, 255, 255]);
    expect(rgb("rgb(1, 2, 3)")).toEqual([1, 2, 3]);
    expect(rgb("nonsense")).toEqual([0, 0, 0]);
  });

  it("of a ramp grow lighter", () => {
    for (const name of ["viridis", "magma", "cividis", "grey"] as const) {
      const light = [...ramp(name)].map((word) => 0.2126 * (word & 255) + 0.7152 * ((word >> 8) & 255) + 0.0722 * ((word >> 16) & 255));
      for (let k = 8; k < 256; k += 8) expect(light[k]).toBeGreaterThan(light[k - 8]);
    }
  });
});
