/** Sexagesimal positions, and the two frames of the sky map. Angles are degrees throughout. */

const RADIAN = Math.PI / 180;
const MINUS = "\u2212";

/** Right ascension in hours, minutes and seconds: `03 47 29.077`. */
export function hms(degrees: number, decimals = 3): string {
  const turned = ((degrees % 360) + 360) % 360;
  return sexagesimal(turned / 15, decimals, 24);
}

/** Declination in degrees, minutes and seconds, with its sign: `+24 06 18.49`. */
export function dms(degrees: number, decimals = 2): string {
  const sign = degrees < 0 || Object.is(degrees, -0) ? MINUS : "+";
  return sign + sexagesimal(Math.abs(degrees), decimals, Infinity);
}

/** Rounded once, in units of the last digit, so that 59.9996 s carries instead of showing 60.000. */
function sexagesimal(value: number, decimals: number, turn: number): string {
  const unit = 10 ** decimals;
  let rest = Math.round(value * 3600 * unit);
  if (rest >= turn * 3600 * unit) rest -= turn * 3600 * unit;
  const seconds = (rest % (60 * unit)) / unit;
  rest = Math.floor(rest / (60 * unit));
  const width = decimals > 0 ? decimals + 3 : 2;
  return [
    String(Math.floor(rest / 60)).padStart(2, "0"),
    String(rest % 60).padStart(2, "0"),
    seconds.toFixed(decimals).padStart(width, "0"),
  ].join(" ");
}

export type Frame = "icrs" | "galactic";

/** ICRS to galactic, row by row: the Hipparcos catalogue, ESA SP-1200, vol. 1, §1.5.3 (1.5.11). */
const GALACTIC: readonly number[] = [
  -0.0548755604, -0.8734370902, -0.4838350155,
  0.4941094279, -0.44482963, 0.7469822445,
  -0.867666149, -0.1980763734, 0.4559837762,
];

/** The position of another frame: [longitude 0…360, latitude]. */
export function converted(lon: number, lat: number, from: Frame, to: Frame): [number, number] {
  if (from === to) return [lon, lat];
  const cos = Math.cos(lat * RADIAN);
  const v = [cos * Math.cos(lon * RADIAN), cos * Math.sin(lon * RADIAN), Math.sin(lat * RADIAN)];
  const m = GALACTIC;
  // The inverse of a rotation is its transpose.
  const at = (row: number, column: number): number => (to === "galactic" ? m[3 * row + column] : m[3 * column + row]);
  const [x, y, z] = [0, 1, 2].map((row) => at(row, 0) * v[0] + at(row, 1) * v[1] + at(row, 2) * v[2]);
  const turned = Math.atan2(y, x) / RADIAN;
  return [turned < 0 ? turned + 360 : turned, Math.asin(Math.min(1, Math.max(-1, z))) / RADIAN];
}

/** Angle between two positions (Vincenty's formula: exact at every distance). */
export function separation(lon1: number, lat1: number, lon2: number, lat2: number): number {
  const [p, q, d] = [lat1 * RADIAN, lat2 * RADIAN, (lon2 - lon1) * RADIAN];
  const y = Math.hypot(
    Math.cos(q) * Math.sin(d),
    Math.cos(p) * Math.sin(q) - Math.sin(p) * Math.cos(q) * Math.cos(d),
  );
  const x = Math.sin(p) * Math.sin(q) + Math.cos(p) * Math.cos(q) * Math.cos(d);
  return Math.atan2(y, x) / RADIAN;
}

/** An angle in the unit that people use at this size: `2.4°`, `13′`, `8.1″`. */
export function angle(degrees: number): string {
  const tidy = (value: number): string => String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
  if (degrees >= 1) return `${tidy(degrees)}°`;
  return degrees * 60 >= 1 ? `${tidy(degrees * 60)}′` : `${tidy(degrees * 3600)}″`;
}
