import { describe, expect, it } from "vitest";

import { ArrowError, read, type Numbers, type Texts } from "./arrow";
import { STREAM } from "./stream.fixture";

function stream(): ArrayBuffer {
  return Uint8Array.from(atob(STREAM), (character) => character.charCodeAt(0)).buffer;
}

function numbers(name: string): number[] {
  return [...(read(stream()).columns.get(name) as Numbers).values];
}

describe("read", () => {
  it("gives every number of every batch, and NaN for what is missing", () => {
    expect(numbers("#")).toEqual([0, 1, 2, 3, 4]);
    expect(numbers("ra")).toEqual([56.87, NaN, NaN, 0.1, -0]);
    expect(numbers("mag")).toEqual([Math.fround(2.85), NaN, Infinity, 1.5, -1.5]);
    expect(numbers("n")).toEqual([1, NaN, -3, 32767, -32768]);
    expect(numbers("flag")).toEqual([1, NaN, 0, 1, 0]);
  });

  it("gives long integers as the nearest number, negative ones too", () => {
    expect(numbers("source_id")).toEqual([5853498713190525696, -7, 0, 2 ** 40 + 1, -(2 ** 40) - 1]);
  });

  it("gives instants as milliseconds since 1970", () => {
    expect(numbers("when")).toEqual([Date.UTC(2016, 0, 1), NaN, -1000, NaN, Date.UTC(2000, 0, 1)]);
    expect((read(stream()).columns.get("when") as Numbers).time).toBe(true);
  });

  it("gives texts as codes of words, an empty one apart from a missing one", () => {
    const { codes, words } = read(stream()).columns.get("name") as Texts;
    expect([...codes].map((code) => (code < 0 ? null : words[code]))).toEqual(["Alcyone", null, "", "Ä₂", "Alcyone"]);
  });

  it("passes over arrays and finds the column behind them", () => {
    expect(read(stream()).columns.has("arr")).toBe(false);
    expect(numbers("last")).toEqual([1, 2, 3, 4, 5]);
  });

  it("fails for a stream that broke off at any place", () => {
    const whole = stream();
    for (let size = 0; size < whole.byteLength - 8; size += 7) expect(() => read(whole.slice(0, size))).toThrow(ArrowError);
  });

  it("fails in words for what is no stream", () => {
    expect(() => read(new TextEncoder().encode("<VOTABLE><RESOURCE/></VOTABLE>").buffer)).toThrow(ArrowError);
  });
});
