/**
 * One selection over all views. It is a list of regions in units of the data, each added to or taken from what was
 * there, so that a link shows it again; which rows that is, is a mark for each row number.
 */
import type { Column } from "../api";
import { numeral, identifierText } from "./data/adql";
import type { Frame } from "./data/arrow";
import { adql, quantity, values } from "./data/quantities";
import { converted } from "./coordinates";
import type { Position } from "./roles";
import type { Condition, RowNumbers } from "./where";

type Point = readonly [number, number];

export type Region =
  | { readonly kind: "range"; readonly x: string; readonly from: number; readonly to: number }
  | { readonly kind: "box"; readonly x: string; readonly y: string; readonly from: Point; readonly to: Point }
  /** A polygon, straight on the axes as they were: on a logarithmic one between logarithms. */
  | { readonly kind: "lasso"; readonly x: string; readonly y: string; readonly points: readonly Point[]; readonly log: readonly [boolean, boolean] }
  /** A circle on the sky, degrees, in the frame of the position's columns. */
  | { readonly kind: "cone"; readonly lon: string; readonly lat: string; readonly centre: Point; readonly radius: number }
  | { readonly kind: "rows"; readonly rows: RowNumbers };

export interface Step {
  readonly how: "add" | "subtract";
  readonly region: Region;
}

export type Steps = readonly Step[];

/** Columns that must be loaded to know which rows a region has. */
export function needed(steps: Steps, columns: readonly Column[]): string[] {
  const names = new Set<string>();
  for (const { region } of steps) {
    const texts = region.kind === "rows" ? [] : region.kind === "cone" ? [region.lon, region.lat] : region.kind === "range" ? [region.x] : [region.x, region.y];
    for (const text of texts) for (const column of quantity(text, columns)?.columns ?? []) names.add(column.name);
  }
  return [...names];
}

/**
 * A mark for each row number below `total`: 1 for selected rows, and how many there are.
 * `numbers`: the row number of each row of the frame; nothing if the frame has all rows in order.
 */
export function marks(steps: Steps, frame: Frame, columns: readonly Column[], numbers: Int32Array | null, total: number): { marks: Uint8Array<ArrayBuffer>; count: number } {
  const out = new Uint8Array(total);
  for (const { how, region } of steps) {
    const mark = how === "add" ? 1 : 0;
    if (region.kind === "rows") {
      for (const one of region.rows) {
        const [first, last] = typeof one === "number" ? [one, one] : one;
        out.fill(mark, Math.max(0, first), Math.min(total - 1, last) + 1);
      }
      continue;
    }
    const inside = test(region, frame, columns);
    if (inside) for (let k = 0; k < frame.length; k++) if (inside(k)) out[numbers ? numbers[k] : k] = mark;
  }
  let count = 0;
  for (let k = 0; k < total; k++) count += out[k];
  return { marks: out, count };
}

function test(region: Exclude<Region, { kind: "rows" }>, frame: Frame, columns: readonly Column[]): ((row: number) => boolean) | undefined {
  const column = (text: string): Float64Array | undefined => {
    const found = quantity(text, columns);
    return found?.columns.every((one) => frame.columns.has(one.name)) ? values(found, frame) : undefined;
  };
  if (region.kind === "range") {
    const x = column(region.x);
    return x && ((k) => x[k] >= region.from && x[k] <= region.to);
  }
  if (region.kind === "cone") {
    const [lon, lat] = [column(region.lon), column(region.lat)];
    return lon && lat && inCone(lon, lat, region.centre, region.radius);
  }
  const [x, y] = [column(region.x), column(region.y)];
  if (!x || !y) return undefined;
  if (region.kind === "box") {
    const { from, to } = region;
    return (k) => x[k] >= from[0] && x[k] <= to[0] && y[k] >= from[1] && y[k] <= to[1];
  }
  const [logX, logY] = region.log;
  const polygon = region.points.map(([px, py]): Point => [logX ? Math.log10(px) : px, logY ? Math.log10(py) : py]);
  return (k) => inPolygon(logX ? Math.log10(x[k]) : x[k], logY ? Math.log10(y[k]) : y[k], polygon);
}

const RADIAN = Math.PI / 180;

/** By the chord between unit vectors: exact for small circles, where a cosine is 1. */
function inCone(lon: Float64Array, lat: Float64Array, [lon0, lat0]: Point, radius: number): (row: number) => boolean {
  const unit = (l: number, b: number): [number, number, number] => {
    const cos = Math.cos(b * RADIAN);
    return [cos * Math.cos(l * RADIAN), cos * Math.sin(l * RADIAN), Math.sin(b * RADIAN)];
  };
  const [x0, y0, z0] = unit(lon0, lat0);
  const limit = (2 * Math.sin((Math.min(180, radius) * RADIAN) / 2)) ** 2;
  return (k) => {
    // Most rows of a large table are ruled out by latitude alone.
    if (!(Math.abs(lat[k] - lat0) <= radius)) return false;
    const [x, y, z] = unit(lon[k], lat[k]);
    return (x - x0) ** 2 + (y - y0) ** 2 + (z - z0) ** 2 <= limit;
  };
}

/** Even–odd rule, as in `filled` of raster.ts. */
export function inPolygon(x: number, y: number, polygon: readonly Point[]): boolean {
  let inside = false;
  for (let k = 0, before = polygon.length - 1; k < polygon.length; before = k++) {
    const [x1, y1] = polygon[k];
    const [x2, y2] = polygon[before];
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  }
  return inside;
}

/** A drawn line with fewer corners, none further than `tolerance` from what was drawn (Douglas and Peucker 1973). */
export function simplified(points: readonly Point[], tolerance: number): Point[] {
  if (points.length < 3) return [...points];
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const open: [number, number][] = [[0, points.length - 1]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [first, last] = range;
    const [ax, ay] = points[first];
    const [bx, by] = points[last];
    const length = Math.hypot(bx - ax, by - ay);
    let furthest = -1;
    let most = tolerance;
    for (let k = first + 1; k < last; k++) {
      const [px, py] = points[k];
      const distance = length === 0 ? Math.hypot(px - ax, py - ay) : Math.abs((bx - ax) * (ay - py) - (ax - px) * (by - ay)) / length;
      if (distance > most) [furthest, most] = [k, distance];
    }
    if (furthest > 0) {
      keep[furthest] = 1;
      open.push([first, furthest], [furthest, last]);
    }
  }
  return points.filter((_, k) => keep[k] === 1);
}

/** The selection as conditions on columns, where it is nothing but a box or a range; else nothing. */
export function conditions(steps: Steps, columns: readonly Column[]): Condition[] | undefined {
  if (steps.length !== 1 || steps[0].how !== "add") return undefined;
  const { region } = steps[0];
  const between = (text: string, from: number, to: number): Condition | undefined => {
    const found = quantity(text, columns);
    // Instants on an axis are milliseconds; the server compares them as dates.
    return found?.kind === "column" && found.columns[0].xtype !== "timestamp" ? [text, "between", [from, to]] : undefined;
  };
  if (region.kind === "rows") return [["#", "in", region.rows]];
  const list =
    region.kind === "range" ? [between(region.x, region.from, region.to)]
    : region.kind === "box" ? [between(region.x, region.from[0], region.to[0]), between(region.y, region.from[1], region.to[1])]
    : [undefined];
  return list.every((one) => one !== undefined) ? list : undefined;
}

/**
 * The selection as a condition in ADQL. A cone is a cone; a lasso is the parity of the edges to the right of a row, one CASE
 * an edge. Nothing where rows were picked one by one, or columns are lost: then rows are named by their identifiers.
 */
export function adqlOf(steps: Steps, columns: readonly Column[], position?: Position): string | undefined {
  let said = "";
  for (const { how, region } of steps) {
    const one = adqlRegion(region, columns, position);
    if (one === undefined) return undefined;
    if (said === "") {
      if (how === "subtract") continue;
      said = one;
    } else said = how === "add" ? `(${said}\n   OR ${one})` : `(${said}\n  AND NOT ${one})`;
  }
  return said || undefined;
}

function adqlRegion(region: Region, columns: readonly Column[], position?: Position): string | undefined {
  if (region.kind === "rows") return undefined;
  if (region.kind === "cone") {
    const frame = position?.lon === region.lon ? position.frame : "icrs";
    if (frame !== "icrs") return undefined;
    const [lon, lat] = [identifierText(region.lon), identifierText(region.lat)];
    const [ra, dec] = converted(...region.centre, frame, "icrs");
    return `1 = CONTAINS(POINT(${lon}, ${lat}), CIRCLE(${numeral(ra)}, ${numeral(dec)}, ${numeral(region.radius)}))`;
  }
  const side = (text: string): string | undefined => {
    const found = quantity(text, columns);
    return found && found.columns[0].xtype !== "timestamp" ? adql(found) : undefined;
  };
  const x = side(region.x);
  if (x === undefined) return undefined;
  const between = (name: string, from: number, to: number): string => `${name} BETWEEN ${numeral(from)} AND ${numeral(to)}`;
  if (region.kind === "range") return `(${between(x, region.from, region.to)})`;
  const y = side(region.y);
  if (y === undefined) return undefined;
  if (region.kind === "box") return `(${between(x, region.from[0], region.to[0])} AND ${between(y, region.from[1], region.to[1])})`;
  const [logX, logY] = region.log;
  const [u, v] = [logX ? `LOG10(${x})` : x, logY ? `LOG10(${y})` : y];
  const points = region.points.map(([px, py]): Point => [logX ? Math.log10(px) : px, logY ? Math.log10(py) : py]);
  const edges = points.flatMap(([x1, y1], k) => {
    const [x2, y2] = points[(k + 1) % points.length];
    if (y1 === y2) return [];
    const slope = (x2 - x1) / (y2 - y1);
    const right = `${numeral(x1 - slope * y1)} + ${numeral(slope)} * ${v}`;
    return [`CASE WHEN ${v} >= ${numeral(Math.min(y1, y2))} AND ${v} < ${numeral(Math.max(y1, y2))} AND ${u} < ${right} THEN 1 ELSE 0 END`];
  });
  const xs = region.points.map(([px]) => px);
  const ys = region.points.map(([, py]) => py);
  const box = `${between(x, Math.min(...xs), Math.max(...xs))} AND ${between(y, Math.min(...ys), Math.max(...ys))}`;
  return edges.length ? `(${box}\n  AND MOD(${edges.join("\n    + ")}, 2) = 1)` : undefined;
}
