/** An axis: from values to pixels and back, its ticks and their labels. */
import { brief } from "../table/numbers";

export interface Axis {
  readonly log: boolean;
  readonly reversed: boolean;
  readonly min: number;
  readonly max: number;
  readonly time: boolean;
}

/** A linear map of value (or its logarithm) to pixel: `pixel = offset + factor × value`. */
export interface Scale {
  readonly log: boolean;
  readonly offset: number;
  readonly factor: number;
}

/** The map that puts an axis on pixels `from` (its beginning) to `to` (its end), which may run downwards. */
export function scale(axis: Axis, from: number, to: number): Scale {
  const [a, b] = axis.log ? [Math.log10(axis.min), Math.log10(axis.max)] : [axis.min, axis.max];
  const [start, end] = axis.reversed ? [to, from] : [from, to];
  const factor = (end - start) / (b - a);
  return { log: axis.log, factor, offset: start - factor * a };
}

export function toPixel(by: Scale, value: number): number {
  return by.offset + by.factor * (by.log ? Math.log10(value) : value);
}

export function toValue(by: Scale, pixel: number): number {
  const value = (pixel - by.offset) / by.factor;
  return by.log ? 10 ** value : value;
}

/** Least and greatest finite value (above 0 for a logarithmic axis), or nothing where there is none. */
export function extent(values: Float64Array, log = false): [number, number] | undefined {
  let min = Infinity;
  let max = -Infinity;
  const n = values.length;
  for (let k = 0; k < n; k++) {
    const value = values[k];
    if (log && !(value > 0)) continue;
    if (value < min && value !== -Infinity) min = value;
    if (value > max && value !== Infinity) max = value;
  }
  return min <= max ? [min, max] : undefined;
}

/** Limits with air around what is shown; a single value gets an axis around itself. */
export function padded([min, max]: [number, number], log: boolean): [number, number] {
  if (log) {
    const air = min === max ? 2 : (max / min) ** 0.03;
    return [min / air, max * air];
  }
  const air = min === max ? Math.abs(min) * 0.05 || 0.5 : (max - min) * 0.03;
  return [min - air, max + air];
}

/** Whether limits can be an axis: finite, in order, positive if logarithmic. */
export function usable(min: number, max: number, log: boolean): boolean {
  return Number.isFinite(min) && Number.isFinite(max) && min < max && (!log || min > 0);
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** About `wanted` ticks at round values. */
export function ticks(axis: Axis, wanted: number): Tick[] {
  if (axis.time) return timeTicks(axis, wanted);
  if (axis.log && axis.max / axis.min > 20) return decades(axis, wanted);
  const step = roundStep((axis.max - axis.min) / Math.max(1, wanted));
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found: Tick[] = [];
  const first = Math.ceil(axis.min / step - 1e-9);
  const last = Math.floor(axis.max / step + 1e-9);
  const far = Math.max(Math.abs(axis.min), Math.abs(axis.max));
  const exponent = far >= 1e7 || far < 1e-4;
  for (let k = first; k <= last && found.length < 100; k++) {
    const value = k * step;
    found.push({ value, label: exponent ? brief(value) : signed(value.toFixed(places)) });
  }
  return found;
}

function signed(text: string): string {
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace("-", "\u2212");
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const rest = least / power;
  return power * (rest <= 1.0000001 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function power(exponent: number): string {
  if (exponent >= -3 && exponent <= 4) return String(Number(`1e${exponent}`));
  const digits = String(Math.abs(exponent)).split("").map((digit) => SUPERSCRIPT[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

function decades(axis: Axis, wanted: number): Tick[] {
  const first = Math.ceil(Math.log10(axis.min) - 1e-9);
  const last = Math.floor(Math.log10(axis.max) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, wanted)));
  const found: Tick[] = [];
  for (let exponent = first; exponent <= last; exponent += step) found.push({ value: 10 ** exponent, label: power(exponent) });
  return found;
}

const SECOND = 1000;
const DAY = 86_400 * SECOND;
const STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600].map((s) => s * SECOND).concat([1, 2, 5, 10].map((d) => d * DAY));

/** Values are milliseconds since 1970, UTC. Below a month equal steps, above it months and years. */
function timeTicks(axis: Axis, wanted: number): Tick[] {
  const least = (axis.max - axis.min) / Math.max(1, wanted);
  const step = STEPS.find((one) => one >= least);
  const found: Tick[] = [];
  if (step !== undefined) {
    for (let at = Math.ceil(axis.min / step) * step; at <= axis.max && found.length < 100; at += step) {
      const iso = new Date(at).toISOString();
      found.push({ value: at, label: step >= DAY ? iso.slice(0, 10) : step >= 60 * SECOND ? iso.slice(5, 16).replace("T", " ") : iso.slice(11, 19) });
    }
    return found;
  }
  const months = Math.max(1, Math.ceil(least / (30.5 * DAY)));
  const every = [1, 3, 6, 12].find((m) => m >= months) ?? 12 * roundStep(months / 12);
  const start = new Date(axis.min);
  let month = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / every) * every;
  for (; found.length < 100; month += every) {
    const at = Date.UTC(Math.floor(month / 12), month % 12, 1);
    if (at > axis.max) break;
    if (at >= axis.min) found.push({ value: at, label: new Date(at).toISOString().slice(0, every >= 12 ? 4 : 7) });
  }
  return found;
}
