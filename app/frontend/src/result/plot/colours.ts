/** Colour ramps that order by lightness and hold for colour-blind eyes, and colours between which words are told apart. */

/** 0xAABBGGRR, as a little-endian Uint32Array over ImageData wants it. */
export function word(r: number, g: number, b: number, a = 255): number {
  return ((a << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** `#rgb`, `#rrggbb` and `rgb(…)` as [r, g, b]; black for anything else. */
export function rgb(css: string): [number, number, number] {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(css.trim());
  if (hex) {
    const digits = hex[1].length === 3 ? hex[1].replace(/./g, "$&$&") : hex[1];
    return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) as [number, number, number];
  }
  const numbers = css.match(/\d+(\.\d+)?/g)?.map(Number) ?? [];
  return css.startsWith("rgb") && numbers.length >= 3 ? [numbers[0], numbers[1], numbers[2]] : [0, 0, 0];
}

export type RampName = "viridis" | "magma" | "cividis" | "grey";
export const RAMPS: readonly RampName[] = ["viridis", "magma", "cividis", "grey"];

/** Samples of matplotlib's maps at equal steps (viridis and magma: Smith and van der Walt 2015, CC0; cividis: Nuñez et al. 2018). */
const SAMPLES: Record<RampName, string> = {
  viridis: "440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725",
  magma: "000004 140e36 3b0f70 641a80 8c2981 b73779 de4968 f7705c fe9f6d fecf92 fcfdbf",
  cividis: "00224e 0f356c 35456c 4f576c 666970 7d7c78 948e77 aea371 c8b866 e5cf52 fee838",
  grey: "202020 363636 4c4c4c 626262 787878 8e8e8e a4a4a4 bababa d0d0d0 e6e6e6 fcfcfc",
};

/** 256 colours from dark to light; from light to dark if reversed, which reads better on paper. */
export function ramp(name: RampName, reversed = false): Uint32Array {
  const stops = SAMPLES[name].split(" ").map((hex) => rgb(`#${hex}`));
  const out = new Uint32Array(256);
  for (let k = 0; k < 256; k++) {
    const at = ((reversed ? 255 - k : k) / 255) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(at));
    const [a, b] = [stops[low], stops[low + 1]];
    out[k] = word(...([0, 1, 2].map((c) => Math.round(a[c] + (b[c] - a[c]) * (at - low))) as [number, number, number]));
  }
  return out;
}

/** A ramp of one hue between two colours: how a selection stands out on a density. */
export function between(from: readonly [number, number, number], to: readonly [number, number, number]): Uint32Array {
  const out = new Uint32Array(256);
  for (let k = 0; k < 256; k++) out[k] = word(...([0, 1, 2].map((c) => Math.round(from[c] + ((to[c] - from[c]) * k) / 255)) as [number, number, number]));
  return out;
}

/** Okabe and Ito 2008, without yellow and black, which are lost on one of the two grounds. */
const WORDS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a68c9", "#8c6d31"];

/** A colour for each of the most frequent words, grey for the rest. */
export function palette(count: number): string[] {
  return Array.from({ length: count }, (_, k) => (k < WORDS.length ? WORDS[k] : "#808080"));
}

export const WORDS_WITH_COLOUR = WORDS.length;

export function css(colour: number): string {
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}
