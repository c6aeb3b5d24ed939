/** From the state of a plot and its columns to what is drawn: values, axes, colours, sizes. Pure. */
import type { Column } from "../../api";
import type { Frame } from "../data/arrow";
import { isMagnitude, isTime, quantity, title, values, type Quantity } from "../data/quantities";
import { uncertainty } from "../roles";
import type { Limits, PlotState } from "../state";
import { extent, padded, usable, type Axis } from "./axis";
import { palette, ramp, rgb, word, WORDS_WITH_COLOUR } from "./colours";
import { words } from "../words";

/** Above this many rows discs hide each other, and counts are coloured instead. */
export const DENSE = 100_000;

export interface Wanted {
  readonly x: Quantity | undefined;
  readonly y: Quantity | undefined;
  readonly colour: Column | undefined;
  readonly size: Quantity | undefined;
  readonly xError: Column | undefined;
  readonly yError: Column | undefined;
  /** All columns that must be loaded. */
  readonly names: readonly string[];
}

/** The columns that a plot is made of. */
export function wanted(plot: PlotState, columns: readonly Column[]): Wanted {
  const x = quantity(plot.x, columns);
  const y = plot.kind === "histogram" ? undefined : quantity(plot.y, columns);
  const colour = plot.kind === "histogram" ? undefined : columns.find((column) => column.name === plot.colour);
  const size = plot.kind === "histogram" ? undefined : quantity(plot.size, columns);
  const own = (one: Quantity | undefined): Column | undefined =>
    plot.errors && one?.kind === "column" ? uncertainty(columns, one.columns[0].name) : undefined;
  const [xError, yError] = plot.kind === "histogram" ? [undefined, undefined] : [plot.period === undefined ? own(x) : undefined, own(y)];
  const names = new Set<string>();
  for (const one of [x, y, size]) for (const column of one?.columns ?? []) names.add(column.name);
  for (const column of [colour, xError, yError]) if (column) names.add(column.name);
  return { x, y, colour, size, xError, yError, names: [...names] };
}

export interface Values {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xTime: boolean;
}

/** The values on both axes; a period folds those on x into phases 0…1. */
export function axesValues(plot: PlotState, want: Wanted, frame: Frame): Values | undefined {
  if (!want.x || (plot.kind !== "histogram" && !want.y)) return undefined;
  const x = values(want.x, frame);
  const y = want.y ? values(want.y, frame) : x;
  const folded = plot.kind === "time" && plot.period !== undefined;
  return {
    x: folded ? phases(x, plot.period, plot.epoch ?? 0, isTime(want.x)) : x,
    y,
    xTitle: folded ? words.plot.phase : title(want.x),
    yTitle: want.y ? title(want.y) : words.plot.count,
    xTime: !folded && isTime(want.x),
  };
}

const DAY = 86_400_000;

/** Phases 0…1 of times by a period in days (instants) or in the unit of the column. */
export function phases(times: Float64Array, period: number, epoch: number, instants: boolean): Float64Array {
  const unit = instants ? DAY : 1;
  // The zero of instants counts in days from 1970, as the period does.
  return times.map((time) => {
    const turns = (time / unit - epoch) / period;
    return turns - Math.floor(turns);
  });
}

/** An axis over the values, or over the limits that were chosen. */
export function axisOf(values: Float64Array, limits: Limits, time: boolean): Axis | undefined {
  const found = extent(values, limits.log);
  const [low, high] = found ? padded(found, limits.log) : [limits.log ? 1 : 0, limits.log ? 10 : 1];
  const [min, max] = [limits.min ?? low, limits.max ?? high];
  if (!usable(min, max, limits.log)) return found && usable(low, high, limits.log) ? { log: limits.log, reversed: limits.reversed, time, min: low, max: high } : undefined;
  return { log: limits.log, reversed: limits.reversed, time, min, max };
}

/** Axis settings when another column is put on it: magnitudes run downwards, limits are those of the data. */
export function freshAxis(text: string, columns: readonly Column[]): Limits {
  const one = quantity(text, columns);
  return { log: false, reversed: one !== undefined && isMagnitude(one) };
}

export interface Shades {
  readonly ramp: Uint32Array;
  readonly shade?: Uint8Array | undefined;
  /** What the colours mean: a range of numbers, or words. */
  readonly legend?: { readonly title: string; readonly range?: readonly [number, number]; readonly words?: readonly (readonly [string, string])[] } | undefined;
}

/** The colour of each row by a column: numbers along a ramp, the most frequent words each their own. */
export function shades(plot: PlotState, column: Column | undefined, frame: Frame, single: string): Shades {
  const found = column && frame.columns.get(column.name);
  if (!column || !found) return { ramp: new Uint32Array([word(...rgb(single))]) };
  if (found.kind === "text") {
    const times = new Int32Array(found.words.length);
    for (const code of found.codes) if (code >= 0) times[code] += 1;
    const order = [...times.keys()].sort((a, b) => times[b] - times[a]).slice(0, WORDS_WITH_COLOUR);
    const colours = palette(WORDS_WITH_COLOUR + 1);
    const own = new Map(order.map((code, k) => [code, k]));
    return {
      ramp: Uint32Array.from(colours, (colour) => word(...rgb(colour))),
      shade: Uint8Array.from(found.codes, (code) => own.get(code) ?? WORDS_WITH_COLOUR),
      legend: { title: column.name, words: order.map((code, k) => [found.words[code], colours[k]] as const) },
    };
  }
  const [low, high] = extent(found.values) ?? [0, 1];
  const factor = high > low ? 255 / (high - low) : 0;
  const out = new Uint8Array(found.values.length);
  for (let k = 0; k < out.length; k++) out[k] = (found.values[k] - low) * factor;
  return { ramp: ramp(plot.ramp), shade: out, legend: { title: column.unit ? `${column.name} [${column.unit}]` : column.name, range: [low, high] } };
}

/** The size of each row's disc by a quantity: magnitudes the other way round. */
export function sizes(one: Quantity | undefined, frame: Frame, steps: number): Uint8Array | undefined {
  if (!one) return undefined;
  const found = values(one, frame);
  const [low, high] = extent(found) ?? [0, 1];
  const factor = high > low ? (steps - 1) / (high - low) : 0;
  const turn = isMagnitude(one);
  return Uint8Array.from(found, (value) => (Number.isNaN(value) ? 0 : Math.round((turn ? high - value : value - low) * factor)));
}
