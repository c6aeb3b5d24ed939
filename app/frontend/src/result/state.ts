/**
 * What the viewer shows, as it stands in the address' fragment: a link shows the same view. The fragment never reaches
 * a server, and does not meet `?query=` and `?job=`, which belong to the workbench.
 */
import type { Frame } from "./coordinates";
import { RAMPS, type RampName } from "./plot/colours";
import type { Region, Steps } from "./selection";
import { parsed, type RowNumbers, type Where } from "./where";

export type ViewName = "table" | "plot" | "sky" | "columns";
export const VIEWS: readonly ViewName[] = ["table", "plot", "sky", "columns"];

export interface Limits {
  readonly log: boolean;
  readonly reversed: boolean;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export interface PlotState {
  readonly kind: "scatter" | "histogram" | "time";
  readonly x: string;
  readonly y: string;
  readonly colour: string;
  readonly size: string;
  /** Error bars of the columns that belong to x and y. */
  readonly errors: boolean;
  readonly xAxis: Limits;
  readonly yAxis: Limits;
  readonly density: "auto" | "on" | "off";
  readonly ramp: RampName;
  readonly bins: number;
  readonly period?: number | undefined;
  readonly epoch?: number | undefined;
}

export interface SkyState {
  readonly lon: number;
  readonly lat: number;
  readonly field: number;
  readonly frame: Frame;
}

export interface TableState {
  /** Names in the order in which they are shown; nothing: all of the result. */
  readonly columns?: readonly string[] | undefined;
  /** Names, with a minus before them for falling order. */
  readonly sort: readonly string[];
  readonly sexagesimal: boolean;
}

export interface State {
  readonly views: readonly ViewName[];
  readonly where: Where;
  readonly table: TableState;
  readonly plot: PlotState;
  readonly sky: SkyState;
  readonly selection: Steps;
}

const AXIS: Limits = { log: false, reversed: false };

export const INITIAL: State = {
  views: ["table"],
  where: [],
  table: { sort: [], sexagesimal: false },
  plot: {
    kind: "scatter", x: "", y: "", colour: "", size: "", errors: false, xAxis: AXIS, yAxis: AXIS, density: "auto", ramp: "viridis", bins: 60,
  },
  sky: { lon: 0, lat: 0, field: 360, frame: "icrs" },
  selection: [],
};

/** The state as a fragment without `#`; only what differs from what a first look shows. */
export function written(state: State, first: State): string {
  const out = new URLSearchParams();
  const put = (name: string, value: string | undefined, initial?: string): void => {
    if (value !== undefined && value !== initial) out.set(name, value);
  };
  put("view", state.views.join(","), first.views.join(","));
  if (state.where.length) put("where", JSON.stringify(state.where));
  if (state.table.columns) put("columns", JSON.stringify(state.table.columns));
  if (state.table.sort.length) put("sort", JSON.stringify(state.table.sort));
  if (state.table.sexagesimal) put("coordinates", "hms");
  const [plot, initial] = [state.plot, first.plot];
  for (const name of ["kind", "x", "y", "colour", "size", "density", "ramp"] as const) put(name, plot[name], initial[name]);
  put("bins", String(plot.bins), String(initial.bins));
  put("errors", plot.errors ? "1" : "0", initial.errors ? "1" : "0");
  put("xaxis", axisText(plot.xAxis), axisText(initial.xAxis));
  put("yaxis", axisText(plot.yAxis), axisText(initial.yAxis));
  if (plot.period !== undefined) put("period", String(plot.period));
  if (plot.epoch !== undefined) put("epoch", String(plot.epoch));
  const { sky } = state;
  put("sky", [sky.lon, sky.lat, sky.field].map((number) => Number(number.toFixed(6))).join(","), [first.sky.lon, first.sky.lat, first.sky.field].join(","));
  put("frame", sky.frame, first.sky.frame);
  // Rows picked one by one may be thousands: such a selection stays out of an address, which would not hold it.
  const selection = JSON.stringify(state.selection);
  if (state.selection.length && selection.length <= 4000) put("selection", selection);
  return out.toString();
}

/** The state that a fragment says, on top of a first look; what does not make sense is passed over. */
export function read(fragment: string, first: State): State {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const text = (name: string, initial: string): string => given.get(name) ?? initial;
  const number = (name: string): number | undefined => {
    const value = given.get(name);
    return value !== null && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : undefined;
  };
  const choice = <T extends string>(name: string, of: readonly T[], initial: T): T => of.find((one) => one === given.get(name)) ?? initial;
  const views = given.get("view")?.split(",").filter((one): one is ViewName => (VIEWS as readonly string[]).includes(one));
  const [lon, lat, field] = (given.get("sky") ?? "").split(",").map(Number);
  const sky = [lon, lat, field].every(Number.isFinite) && Math.abs(lat) <= 90 && field > 0 && field <= 360 ? { lon, lat, field } : first.sky;
  const bins = number("bins");
  const period = number("period");
  return {
    views: views?.length ? [...new Set(views)] : first.views,
    where: parsed(given.get("where") ?? "[]") ?? [],
    table: {
      columns: texts(given.get("columns")),
      sort: texts(given.get("sort")) ?? [],
      sexagesimal: given.get("coordinates") === "hms",
    },
    plot: {
      kind: choice("kind", ["scatter", "histogram", "time"], first.plot.kind),
      x: text("x", first.plot.x),
      y: text("y", first.plot.y),
      colour: text("colour", first.plot.colour),
      size: text("size", first.plot.size),
      errors: text("errors", first.plot.errors ? "1" : "0") === "1",
      xAxis: axis(given.get("xaxis")) ?? first.plot.xAxis,
      yAxis: axis(given.get("yaxis")) ?? first.plot.yAxis,
      density: choice("density", ["auto", "on", "off"], first.plot.density),
      ramp: choice("ramp", RAMPS, first.plot.ramp),
      bins: bins !== undefined && bins >= 2 && bins <= 1000 ? Math.round(bins) : first.plot.bins,
      period: period !== undefined && period > 0 ? period : undefined,
      epoch: number("epoch"),
    },
    sky: { ...sky, frame: choice("frame", ["icrs", "galactic"], first.sky.frame) },
    selection: steps(given.get("selection")),
  };
}

/** `log,rev,0.5..3`; an empty text for an axis as it comes. */
function axisText(limits: Limits): string {
  const words = [limits.log ? "log" : "", limits.reversed ? "rev" : ""].filter(Boolean);
  if (limits.min !== undefined || limits.max !== undefined) words.push(`${limits.min ?? ""}..${limits.max ?? ""}`);
  return words.join(",");
}

function axis(text: string | null): Limits | undefined {
  if (text === null) return undefined;
  const words = text.split(",");
  const range = words.find((one) => one.includes(".."))?.split("..") ?? [];
  const limit = (one: string | undefined): number | undefined => (one && Number.isFinite(Number(one)) ? Number(one) : undefined);
  return { log: words.includes("log"), reversed: words.includes("rev"), min: limit(range[0]), max: limit(range[1]) };
}

function json(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function texts(text: string | null): string[] | undefined {
  const given = json(text);
  return Array.isArray(given) && given.every((one) => typeof one === "string") ? given : undefined;
}

function steps(text: string | null): Steps {
  const given = json(text);
  return Array.isArray(given) && given.every(isStep) ? (given as Steps) : [];
}

function isStep(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return false;
  const { how, region } = given as Record<string, unknown>;
  return (how === "add" || how === "subtract") && typeof region === "object" && region !== null && isRegion(region as Record<string, unknown>);
}

const number = (one: unknown): boolean => typeof one === "number" && Number.isFinite(one);
const point = (one: unknown): boolean => Array.isArray(one) && one.length === 2 && one.every(number);
const rows = (one: unknown): one is RowNumbers => Array.isArray(one) && one.every((row) => number(row) || point(row));

function isRegion(given: Record<string, unknown>): boolean {
  const named = (...names: string[]): boolean => names.every((name) => typeof given[name] === "string");
  switch (given.kind as Region["kind"]) {
    case "range": return named("x") && number(given.from) && number(given.to);
    case "box": return named("x", "y") && point(given.from) && point(given.to);
    case "lasso":
      return named("x", "y") && Array.isArray(given.points) && given.points.every(point) &&
        Array.isArray(given.log) && given.log.length === 2 && given.log.every((one) => typeof one === "boolean");
    case "cone": return named("lon", "lat") && point(given.centre) && number(given.radius);
    case "rows": return rows(given.rows);
    default: return false;
  }
}
