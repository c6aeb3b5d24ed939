import { describe, expect, it } from "vitest";

import { angle, converted, dms, hms, separation } from "./coordinates";

describe("sexagesimal", () => {
  it("writes the place of Alcyone", () => {
    expect(hms(56.871152)).toBe("03 47 29.076");
    expect(dms(24.105136)).toBe("+24 06 18.49");
  });

  it("carries instead of showing sixty", () => {
    expect(hms(14.9999999999)).toBe("01 00 00.000");
    expect(dms(-0.99999999)).toBe("−01 00 00.00");
    expect(hms(359.9999999999)).toBe("00 00 00.000");
    expect(hms(-15)).toBe("23 00 00.000");
  });

  it("keeps the sign of less than a degree", () => {
    expect(dms(-0.5)).toBe("−00 30 00.00");
    expect(dms(89.99999999)).toBe("+90 00 00.00");
  });
});

describe("frames", () => {
  it("turns the galactic centre and pole as the Hipparcos catalogue has them", () => {
    const [l, b] = converted(266.40499, -28.93617, "icrs", "galactic");
    expect(Math.min(l, 360 - l)).toBeLessThan(1e-4);
    expect(Math.abs(b)).toBeLessThan(1e-4);
    expect(converted(192.85948, 27.12825, "icrs", "galactic")[1]).toBeCloseTo(90, 3);
  });

  it("comes back to where it was", () => {
    for (const [lon, lat] of [[0, 0], [123.4, -56.7], [359.9, 89]] as const) {
      const there = converted(lon, lat, "icrs", "galactic");
      const back = converted(...there, "galactic", "icrs");
      expect(separation(lon, lat, ...back)).toBeLessThan(1e-6);
    }
  });
});

describe("angles", () => {
  it("measures small and opposite ones", () => {
    expect(separation(10, 20, 10, 20 + 1 / 3600) * 3600).toBeCloseTo(1, 9);
    expect(separation(0, 0, 180, 0)).toBeCloseTo(180, 12);
    expect(separation(0, 90, 123, 90)).toBeCloseTo(0, 12);
  });

  it("says them in the unit of their size", () => {
    expect([angle(2.4), angle(0.2), angle(0.002)]).toEqual(["2.4°", "12′", "7.2″"]);
  });
});
