import { describe, expect, it } from "vitest";

import type { Column } from "../../api";
import { aligned, brief, bytes, exact, fraction, shown } from "./numbers";

const column = (datatype: string, more: Partial<Column> = {}): Column => ({
  name: "c", datatype, arraysize: "", xtype: "", unit: "", ucd: "", utype: "", description: "", ...more,
});

describe("shown", () => {
  it("shows all digits of a 64-bit identifier", () => {
    expect(shown("5853498713190525696", column("long"))).toBe("5853498713190525696");
    expect(exact("5853498713190525697")).toBe("5853498713190525697");
  });

  it("keeps to the precision of the type", () => {
    expect(shown(56.87115230321235, column("double"))).toBe("56.87115230321235");
    expect(shown(2.8499999046325684, column("float"))).toBe("2.85");
    expect(shown(-0.000000123, column("float"))).toBe("−1.23e−7");
  });

  it("shows nothing for what is missing, and infinity as such", () => {
    expect(shown(null, column("double"))).toBe("");
    expect(shown("NaN", column("double"))).toBe("");
    expect(shown("-Infinity", column("double"))).toBe("−∞");
  });

  it("shows text as it is, also where it says NaN", () => {
    expect(shown("NaN", column("char", { arraysize: "*" }))).toBe("NaN");
    expect(shown([1, null, "Infinity"], column("double", { arraysize: "*" }))).toBe("[1, null, Infinity]");
  });
});

describe("aligned", () => {
  it("puts decimal points under each other", () => {
    const texts = ["1", "12.5", "3.125"];
    const longest = Math.max(...texts.map(fraction));
    const points = texts.map((text) => aligned(text, longest)).map((text) => text.length - (text.includes(".") ? text.indexOf(".") : text.replace(/\u2007+$/, "").length));
    expect(new Set(points).size).toBe(1);
  });
});

describe("in sentences", () => {
  it("shortens numbers and sizes", () => {
    expect(brief(1234.5678)).toBe("1234.6");
    expect(brief(0.00001234)).toBe("1.234e−5");
    expect(brief(2e9)).toBe("2e9");
    expect(bytes(999)).toBe("999 bytes");
    expect(bytes(1_440_000)).toBe("1.4 MB");
    expect(bytes(999_900)).toBe("1 MB");
  });
});
