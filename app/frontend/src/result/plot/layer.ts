/** What a picture of rows is made of, and how it is painted: the base once, the selection with every frame. */
import { between, rgb } from "./colours";
import { counted, greatest, paintDensity, paintDiscs, stamp, type Size, type Stamp } from "./raster";

export interface Layer {
  readonly size: Size;
  /** The pixel of each row. */
  readonly at: Int32Array;
  /** The row number of each row; nothing if row k has number k. */
  readonly numbers: Int32Array | null;
  readonly density: boolean;
  readonly ramp: Uint32Array;
  /** Index into `ramp` of each row, where a column gives the colour. */
  readonly shade?: Uint8Array | undefined;
  /** Index into `stamps` of each row, where a column gives the size. */
  readonly big?: Uint8Array | undefined;
  readonly stamps: readonly Stamp[];
  readonly opacity: number;
}

/** Discs of growing radius, in pixels of the picture. */
export function discs(pixels: number): Stamp[] {
  return [1.6, 2, 2.5, 3.1, 3.8, 4.6, 5.5, 6.5].map((radius) => stamp(radius * pixels));
}

/** Opaque where few, see-through where many: overlaps should stay legible. */
export function opacityOf(rows: number): number {
  return rows < 300 ? 0.9 : rows < 3000 ? 0.75 : rows < 20_000 ? 0.55 : 0.35;
}

/** Paints layers of one size, and keeps what it needs for it between frames. */
export class Painter {
  private counts = new Uint32Array(0);
  private most = 0;
  private of: Layer | undefined;

  base(layer: Layer, context: CanvasRenderingContext2D): void {
    const image = context.createImageData(layer.size.width, layer.size.height);
    const picture = new Uint32Array(image.data.buffer);
    this.room(layer);
    if (layer.density) {
      counted(layer.at, this.counts);
      this.most = greatest(this.counts);
      paintDensity(this.counts, this.most, layer.ramp, picture);
    } else {
      paintDiscs({ at: layer.at, shade: layer.shade, size: layer.big, colours: layer.ramp, stamps: layer.stamps, opacity: layer.opacity }, layer.size, picture);
    }
    context.putImageData(image, 0, 0);
    this.of = layer;
  }

  /** Only the selected rows, in the colour of selection. */
  selected(layer: Layer, marks: Uint8Array, accent: string, context: CanvasRenderingContext2D): void {
    const image = context.createImageData(layer.size.width, layer.size.height);
    const picture = new Uint32Array(image.data.buffer);
    const [r, g, b] = rgb(accent);
    const colours = between([r * 0.75, g * 0.75, b * 0.75].map(Math.round) as [number, number, number], [r, g, b]);
    this.room(layer);
    if (layer.density) {
      counted(layer.at, this.counts, marks, layer.numbers);
      paintDensity(this.counts, this.of === layer ? Math.max(1, this.most) : greatest(this.counts), colours, picture);
    } else {
      const one = new Uint32Array([colours[255]]);
      paintDiscs({ at: layer.at, size: layer.big, colours: one, stamps: layer.stamps, opacity: Math.max(0.7, layer.opacity) }, layer.size, picture, marks, layer.numbers);
    }
    context.putImageData(image, 0, 0);
  }

  private room(layer: Layer): void {
    const pixels = layer.size.width * layer.size.height;
    if (this.counts.length !== pixels) this.counts = new Uint32Array(pixels);
  }
}

/** Marks for the rows that lie on the pixels of a shape, on top of the marks that were there. Returns how many are set. */
export function brushed(layer: Layer, inside: Uint8Array, before: Uint8Array, how: "set" | "add" | "subtract", out: Uint8Array): number {
  const { at, numbers } = layer;
  if (how === "set") out.fill(0);
  else out.set(before);
  const mark = how === "subtract" ? 0 : 1;
  if (numbers) {
    for (let k = 0; k < at.length; k++) if (at[k] >= 0 && inside[at[k]] !== 0) out[numbers[k]] = mark;
  } else {
    for (let k = 0; k < at.length; k++) if (at[k] >= 0 && inside[at[k]] !== 0) out[k] = mark;
  }
  let count = 0;
  const n = out.length;
  for (let k = 0; k < n; k++) count += out[k];
  return count;
}

/** The row whose disc is nearest to a pixel, within so many pixels; −1 if there is none. */
export function nearest(layer: Layer, x: number, y: number, within: number): number {
  const { width } = layer.size;
  let best = -1;
  let least = within * within + 1;
  for (let k = 0; k < layer.at.length; k++) {
    const place = layer.at[k];
    if (place < 0) continue;
    const py = (place / width) | 0;
    const dy = py - y;
    if (dy * dy >= least) continue;
    const dx = place - py * width - x;
    const distance = dx * dx + dy * dy;
    if (distance < least) [best, least] = [k, distance];
  }
  return best;
}
