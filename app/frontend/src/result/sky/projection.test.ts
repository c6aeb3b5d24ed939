import { describe, expect, it } from "vitest";

import { separation } from "../coordinates";
import { circle, grid, path, plane, project, skyPlaces, unproject } from "./projection";

const VIEWS = [
  { lon: 0, lat: 0, field: 360 }, { lon: 123, lat: 0, field: 360 }, { lon: 56.75, lat: 24.1, field: 60 },
  { lon: 359.9, lat: -30, field: 1 }, { lon: 10, lat: 89.5, field: 5 }, { lon: 200, lat: -90, field: 0.01 },
];

describe("the sky on a plane", () => {
  for (const view of VIEWS) {
    const on = plane(view, 800, 400);
    it(`comes back from where it went (${view.lon}, ${view.lat}, ${view.field}°)`, () => {
      let seen = 0;
      for (let px = 5; px < 800; px += 53) {
        for (let py = 5; py < 400; py += 31) {
          const place = unproject(px, py, view, on);
          if (!place) continue;
          seen += 1;
          const back = project(...place, view, on)!;
          expect(Math.hypot(back[0] - px, back[1] - py)).toBeLessThan(0.01);
          const fast = skyPlaces(Float64Array.of(place[0]), Float64Array.of(place[1]), view, on, new Int32Array(1))[0];
          expect(Math.abs((fast % 800) - px)).toBeLessThanOrEqual(1);
          expect(Math.abs(Math.floor(fast / 800) - py)).toBeLessThanOrEqual(1);
        }
      }
      expect(seen).toBeGreaterThan(50);
    });
  }

  it("has the middle in the middle, east to the left and north up", () => {
    const [view, on] = [VIEWS[2], plane(VIEWS[2], 800, 400)];
    expect(project(56.75, 24.1, view, on)).toEqual([400, 200]);
    expect(project(57.75, 24.1, view, on)![0]).toBeLessThan(400);
    expect(project(56.75, 25.1, view, on)![1]).toBeLessThan(200);
  });

  it("has equal areas in Mollweide", () => {
    const [view, on] = [VIEWS[0], plane(VIEWS[0], 800, 400)];
    // Between the equator and 30° lies half of a hemisphere.
    const area = (from: number, to: number): number => {
      let sum = 0;
      for (let lat = from; lat < to; lat += 0.1) {
        const [right, y1] = project(-179.9999, lat, view, on)!;
        const [left, y2] = project(179.9999, lat + 0.1, view, on)!;
        sum += Math.abs(right - left) * Math.abs(y1 - y2);
      }
      return sum;
    };
    expect(area(0, 30) / area(30, 89.9)).toBeCloseTo(1, 1);
  });

  it("keeps rows without a place out", () => {
    const on = plane(VIEWS[0], 800, 400);
    expect([...skyPlaces(Float64Array.of(NaN, 10, 10), Float64Array.of(0, NaN, 91), VIEWS[0], on, new Int32Array(3))].filter((at) => at >= 0).length).toBeLessThanOrEqual(1);
    expect(skyPlaces(Float64Array.of(236.75), Float64Array.of(-24.1), VIEWS[2], plane(VIEWS[2], 800, 400), new Int32Array(1))[0]).toBe(-1);
  });
});

describe("lines on the sky", () => {
  it("break at the edge of the map instead of crossing it", () => {
    const view = VIEWS[1];
    const on = plane(view, 800, 400);
    const lines = path(Array.from({ length: 361 }, (_, k) => [k, 20] as const), view, on);
    for (const line of lines) for (let k = 1; k < line.length; k++) expect(Math.abs(line[k][0] - line[k - 1][0])).toBeLessThan(20);
  });

  it("of a circle are all as far from its middle", () => {
    for (const [lon, lat, radius] of [[10, 20, 5], [359, -80, 20], [0, 90, 0.01]] as const) {
      for (const point of circle(lon, lat, radius)) expect(separation(lon, lat, ...point)).toBeCloseTo(radius, 6);
    }
  });

  it("make a grid of a few lines at every zoom", () => {
    for (const view of [...VIEWS, { lon: 5, lat: 60, field: 1 / 3600 }]) {
      const { meridians, parallels } = grid(view, plane(view, 800, 400));
      expect(parallels.filter((line) => line.lines.length).length).toBeGreaterThanOrEqual(1);
      expect(parallels.length).toBeLessThan(61);
      expect(meridians.length).toBeGreaterThanOrEqual(1);
      expect(meridians.length).toBeLessThan(61);
    }
  });
});
