/**
 * Points to pixels, by typed arrays: which pixel each row falls on, how many fall on each, and the picture of them.
 * Loops are plain and over one type of array each, so that engines compile them well (measured in docs/performance.md).
 */
import type { Scale } from "./axis";

/** Pixels of a picture, row by row from the top. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The pixel of each row, −1 for one outside or without a place. */
export function places(x: Float64Array, y: Float64Array, byX: Scale, byY: Scale, size: Size, out: Int32Array): Int32Array {
  const { width, height } = size;
  const { offset: ox, factor: fx } = byX;
  const { offset: oy, factor: fy } = byY;
  const n = x.length;
  if (byX.log || byY.log) {
    for (let k = 0; k < n; k++) {
      const px = ox + fx * (byX.log ? Math.log10(x[k]) : x[k]);
      const py = oy + fy * (byY.log ? Math.log10(y[k]) : y[k]);
      out[k] = px >= 0 && px < width && py >= 0 && py < height ? (py | 0) * width + (px | 0) : -1;
    }
    return out;
  }
  for (let k = 0; k < n; k++) {
    const px = ox + fx * x[k];
    const py = oy + fy * y[k];
    // Comparisons with NaN are false, so rows without a value fall out here.
    out[k] = px >= 0 && px < width && py >= 0 && py < height ? (py | 0) * width + (px | 0) : -1;
  }
  return out;
}

/** How many rows fall on each pixel; only rows whose mark is set, if marks are given. */
export function counted(at: Int32Array, counts: Uint32Array, marks?: Uint8Array, numbers?: Int32Array | null): Uint32Array {
  counts.fill(0);
  const n = at.length;
  if (!marks) {
    for (let k = 0; k < n; k++) if (at[k] >= 0) counts[at[k]]++;
  } else if (numbers) {
    for (let k = 0; k < n; k++) if (at[k] >= 0 && marks[numbers[k]] !== 0) counts[at[k]]++;
  } else {
    for (let k = 0; k < n; k++) if (at[k] >= 0 && marks[k] !== 0) counts[at[k]]++;
  }
  return counts;
}

export function greatest(counts: Uint32Array): number {
  let most = 0;
  const n = counts.length;
  for (let k = 0; k < n; k++) if (counts[k] > most) most = counts[k];
  return most;
}

/** Pixels coloured by the logarithm of their counts; pixels without a row stay as they are. `colours` is a ramp of RGBA words. */
export function paintDensity(counts: Uint32Array, most: number, colours: Uint32Array, picture: Uint32Array): void {
  const last = colours.length - 1;
  // Counts repeat: a table of the small ones spares a logarithm per pixel.
  const table = new Uint32Array(Math.min(most, 4095) + 1);
  const norm = most > 1 ? last / Math.log(most) : 0;
  // A lone row must be seen: the ramp begins above its darkest colour.
  const colour = (count: number): number => colours[Math.min(last, Math.round(0.12 * last + 0.88 * Math.log(count) * norm))];
  for (let count = 1; count < table.length; count++) table[count] = colour(count);
  for (let k = 0; k < counts.length; k++) {
    const count = counts[k];
    if (count !== 0) picture[k] = count < table.length ? table[count] : colour(count);
  }
}

/** How much of each pixel around its centre a disc of radius `r` covers, 0…255, as a square of odd side. */
export interface Stamp {
  readonly side: number;
  readonly cover: Uint8Array;
}

export function stamp(r: number): Stamp {
  const half = Math.ceil(r - 0.5);
  const side = 2 * half + 1;
  const cover = new Uint8Array(side * side);
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const distance = Math.hypot(i - half, j - half);
      cover[j * side + i] = Math.round(255 * Math.min(1, Math.max(0, r + 0.5 - distance)));
    }
  }
  return { side, cover };
}

export interface Discs {
  readonly at: Int32Array;
  /** Index into `colours` of each row, or nothing: all have the first. */
  readonly shade?: Uint8Array | undefined;
  /** Index into `stamps` of each row, or nothing: all have the first. */
  readonly size?: Uint8Array | undefined;
  readonly colours: Uint32Array;
  readonly stamps: readonly Stamp[];
  /** 0…1. */
  readonly opacity: number;
}

/** Discs drawn over each other in the order of rows; only rows whose mark is set, if marks are given. */
export function paintDiscs(discs: Discs, size: Size, picture: Uint32Array, marks?: Uint8Array, numbers?: Int32Array | null): void {
  const { at, shade, size: sizes, colours, stamps } = discs;
  const { width, height } = size;
  const opacity = Math.round(discs.opacity * 256);
  for (let k = 0; k < at.length; k++) {
    const place = at[k];
    if (place < 0) continue;
    if (marks?.[numbers ? numbers[k] : k] === 0) continue;
    const { side, cover } = stamps[sizes ? sizes[k] : 0];
    const half = side >> 1;
    const colour = colours[shade ? shade[k] : 0];
    const cy = (place / width) | 0;
    const cx = place - cy * width;
    for (let j = 0; j < side; j++) {
      const y = cy + j - half;
      if (y < 0 || y >= height) continue;
      for (let i = 0; i < side; i++) {
        const x = cx + i - half;
        if (x < 0 || x >= width) continue;
        const alpha = (cover[j * side + i] * opacity) >> 8;
        if (alpha === 0) continue;
        const index = y * width + x;
        picture[index] = over(picture[index], colour, alpha);
      }
    }
  }
}

/** A colour laid over another (RGBA words, little-endian: 0xAABBGGRR), without premultiplication. */
function over(below: number, colour: number, alpha: number): number {
  const a0 = below >>> 24;
  if (a0 === 0) return ((alpha << 24) | (colour & 0xffffff)) >>> 0;
  const a = alpha + ((a0 * (255 - alpha)) / 255);
  const w = alpha / a;
  const r = (colour & 255) * w + (below & 255) * (1 - w);
  const g = ((colour >> 8) & 255) * w + ((below >> 8) & 255) * (1 - w);
  const b = ((colour >> 16) & 255) * w + ((below >> 16) & 255) * (1 - w);
  return ((Math.round(a) << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;
}

/** Pixels inside a polygon (even–odd), 1 or 0: the live answer to "is this row in the lasso?" is one look-up. */
export function filled(polygon: readonly (readonly [number, number])[], size: Size, out: Uint8Array): Uint8Array {
  out.fill(0);
  const { width, height } = size;
  const crossings: number[] = [];
  const tops = polygon.map(([, y]) => y);
  const first = Math.max(0, Math.floor(Math.min(...tops)));
  const last = Math.min(height - 1, Math.ceil(Math.max(...tops)));
  for (let row = first; row <= last; row++) {
    const y = row + 0.5;
    crossings.length = 0;
    for (let k = 0; k < polygon.length; k++) {
      const [x1, y1] = polygon[k];
      const [x2, y2] = polygon[(k + 1) % polygon.length];
      if (y1 > y !== y2 > y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
    }
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const start = Math.max(0, Math.ceil(crossings[k] - 0.5));
      const end = Math.min(width - 1, Math.floor(crossings[k + 1] - 0.5));
      if (end >= start) out.fill(1, row * width + start, row * width + end + 1);
    }
  }
  return out;
}

/** Rows per bin of equal width (equal ratio on a logarithmic scale); rows outside are in none. */
export function histogram(values: Float64Array, by: Scale, bins: number, marks?: Uint8Array, numbers?: Int32Array | null): Uint32Array {
  const counts = new Uint32Array(bins);
  const { offset, factor, log } = by;
  for (let k = 0; k < values.length; k++) {
    if (marks?.[numbers ? numbers[k] : k] === 0) continue;
    const place = offset + factor * (log ? Math.log10(values[k]) : values[k]);
    if (place >= 0 && place < bins) counts[place | 0]++;
    else if (place === bins) counts[bins - 1]++;
  }
  return counts;
}
