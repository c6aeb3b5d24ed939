import { expect, test } from "vitest";

import { bytes, duration, relative, short } from "./english";

test("quantities are in units that people say", () => {
  expect([0.02, 3.21, 42, 75, 3700].map(duration)).toEqual(["0.02 s", "3.2 s", "42 s", "1 min 15 s", "1 h 1 min"]);
  expect([12, 1500, 348_000_000].map(bytes)).toEqual(["12 B", "1.5 kB", "348 MB"]);
  expect([7, 482_176, 1_812_000, 2e9].map(short)).toEqual(["7", "482 k", "1.8 M", "2.0 G"]);
});

test("times are told from now", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  expect(relative("2026-11-30T11:59:50Z", now)).toBe("just now");
  expect(relative("2026-11-30T09:00:00Z", now)).toBe("3 hours ago");
  expect(relative("2026-12-03T12:00:00Z", now)).toBe("in 3 days");
});
