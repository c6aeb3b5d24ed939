/**
 * The sky on a plane: Mollweide for all of it (equal areas, so that densities can be compared), gnomonic for a part
 * (great circles are straight). As d3-geo has no Mollweide and projects point by point, both are here, over typed arrays.
 * Snyder 1987, USGS Professional Paper 1395, pp. 249 and 164. Longitudes grow to the left: we look at the sky from inside.
 */

const RADIAN = Math.PI / 180;

export interface View {
  /** Middle of the map, degrees. */
  readonly lon: number;
  readonly lat: number;
  /** Width of the field in degrees; 360 is the whole sky, in Mollweide. */
  readonly field: number;
}

/** Fields that are wider than this are shown whole: gnomonic cannot show 180°. */
export const WIDEST = 100;

export function isWhole(view: View): boolean {
  return view.field > WIDEST;
}

/** From plane to pixels: the plane is in radians at the middle, y upwards. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly factor: number;
}

/** The largest map that fits, with a margin around the ellipse of the whole sky. */
export function plane(view: View, width: number, height: number): Plane {
  const factor = isWhole(view)
    ? Math.min((width - 24) / (4 * Math.SQRT2), (height - 24) / (2 * Math.SQRT2))
    : width / (2 * Math.tan((view.field * RADIAN) / 2));
  return { width, height, factor: Math.max(factor, 1e-9) };
}

/** θ of Mollweide: 2θ + sin 2θ = π sin φ. */
function theta(sine: number): number {
  const goal = Math.PI * sine;
  if (Math.abs(goal) > Math.PI - 1e-12) return (Math.sign(goal) * Math.PI) / 2;
  let twice = 2 * Math.asin(Math.max(-1, Math.min(1, sine)));
  for (let k = 0; k < 20; k++) {
    const step = (twice + Math.sin(twice) - goal) / (1 + Math.cos(twice));
    twice -= step;
    if (Math.abs(step) < 1e-10) break;
  }
  return Math.max(-Math.PI / 2, Math.min(Math.PI / 2, twice / 2));
}

const STEPS = 8192;
let table: Float64Array | undefined;

/** θ by a table over the latitude: a millionth of a radian exact, without an iteration a row. */
function thetas(): Float64Array {
  if (!table) {
    table = new Float64Array(STEPS + 2);
    for (let k = 0; k <= STEPS + 1; k++) table[k] = theta(Math.sin(((Math.min(k, STEPS) / STEPS) * 2 - 1) * (Math.PI / 2)));
  }
  return table;
}

/** Where a position lies, in pixels from the top left; nothing if it is behind the tangent plane. */
export function project(lon: number, lat: number, view: View, on: Plane): [number, number] | undefined {
  const lambda = (lon - view.lon) * RADIAN;
  const phi = lat * RADIAN;
  if (isWhole(view)) {
    const turned = lambda - 2 * Math.PI * Math.floor(lambda / (2 * Math.PI) + 0.5);
    const angle = theta(Math.sin(phi));
    const x = ((2 * Math.SQRT2) / Math.PI) * turned * Math.cos(angle);
    return [on.width / 2 - x * on.factor, on.height / 2 - Math.SQRT2 * Math.sin(angle) * on.factor];
  }
  const [sin0, cos0] = [Math.sin(view.lat * RADIAN), Math.cos(view.lat * RADIAN)];
  const [sin, cos] = [Math.sin(phi), Math.cos(phi)];
  const depth = sin0 * sin + cos0 * cos * Math.cos(lambda);
  if (depth <= 1e-6) return undefined;
  const x = (cos * Math.sin(lambda)) / depth;
  const y = (cos0 * sin - sin0 * cos * Math.cos(lambda)) / depth;
  return [on.width / 2 - x * on.factor, on.height / 2 - y * on.factor];
}

/** The position under a pixel, [longitude 0…360, latitude]; nothing outside of the sky's ellipse. */
export function unproject(px: number, py: number, view: View, on: Plane): [number, number] | undefined {
  const x = (on.width / 2 - px) / on.factor;
  const y = (on.height / 2 - py) / on.factor;
  const wrapped = (degrees: number): number => ((degrees % 360) + 360) % 360;
  if (isWhole(view)) {
    if (Math.abs(y) > Math.SQRT2) return undefined;
    const angle = Math.asin(y / Math.SQRT2);
    const lambda = (Math.PI * x) / (2 * Math.SQRT2 * Math.cos(angle));
    if (!(Math.abs(lambda) <= Math.PI)) return undefined;
    const sine = (2 * angle + Math.sin(2 * angle)) / Math.PI;
    return [wrapped(view.lon + lambda / RADIAN), Math.asin(Math.max(-1, Math.min(1, sine))) / RADIAN];
  }
  const [sin0, cos0] = [Math.sin(view.lat * RADIAN), Math.cos(view.lat * RADIAN)];
  const rho = Math.hypot(x, y);
  const c = Math.atan(rho);
  const lat = rho === 0 ? view.lat * RADIAN : Math.asin(Math.cos(c) * sin0 + (y * Math.sin(c) * cos0) / rho);
  const lon = Math.atan2(x * Math.sin(c), rho * cos0 * Math.cos(c) - y * sin0 * Math.sin(c));
  return [wrapped(view.lon + lon / RADIAN), lat / RADIAN];
}

/** The pixel of each row, −1 for one outside of the picture, as `places` of plot/raster.ts. */
export function skyPlaces(lon: Float64Array, lat: Float64Array, view: View, on: Plane, out: Int32Array): Int32Array {
  const { width, height, factor } = on;
  const n = lon.length;
  if (isWhole(view)) {
    const angles = thetas();
    const along = ((2 * Math.SQRT2) / Math.PI) * RADIAN * factor;
    const up = Math.SQRT2 * factor;
    for (let k = 0; k < n; k++) {
      const place = ((lat[k] + 90) / 180) * STEPS;
      if (!(place >= 0 && place <= STEPS)) {
        out[k] = -1;
        continue;
      }
      const whole = place | 0;
      const angle = angles[whole] + (angles[whole + 1] - angles[whole]) * (place - whole);
      const turned = lon[k] - view.lon;
      const x = (turned - 360 * Math.floor(turned / 360 + 0.5)) * along * Math.cos(angle);
      const px = width / 2 - x;
      const py = height / 2 - up * Math.sin(angle);
      out[k] = px >= 0 && px < width && py >= 0 && py < height ? (py | 0) * width + (px | 0) : -1;
    }
    return out;
  }
  const [sin0, cos0] = [Math.sin(view.lat * RADIAN), Math.cos(view.lat * RADIAN)];
  // What is further off in latitude than the corner of the picture is passed over without a sine.
  const reach = Math.atan(Math.hypot(width, height) / 2 / factor) / RADIAN;
  for (let k = 0; k < n; k++) {
    out[k] = -1;
    if (!(Math.abs(lat[k] - view.lat) <= reach)) continue;
    const lambda = (lon[k] - view.lon) * RADIAN;
    const sin = Math.sin(lat[k] * RADIAN);
    const cos = Math.cos(lat[k] * RADIAN);
    const cosine = Math.cos(lambda);
    const depth = sin0 * sin + cos0 * cos * cosine;
    if (depth <= 1e-6) continue;
    const px = width / 2 - ((cos * Math.sin(lambda)) / depth) * factor;
    const py = height / 2 - ((cos0 * sin - sin0 * cos * cosine) / depth) * factor;
    if (px >= 0 && px < width && py >= 0 && py < height) out[k] = (py | 0) * width + (px | 0);
  }
  return out;
}

/** A line on the sky as lines in the picture: broken where it leaves the map or jumps over its edge. */
export function path(points: readonly (readonly [number, number])[], view: View, on: Plane): [number, number][][] {
  const lines: [number, number][][] = [];
  let line: [number, number][] = [];
  const jump = isWhole(view) ? 2 * on.factor : Infinity;
  const far = 4 * (on.width + on.height);
  for (const [lon, lat] of points) {
    const at = project(lon, lat, view, on);
    const last = line.at(-1);
    if (!at || Math.abs(at[0]) > far || Math.abs(at[1]) > far || (last && Math.abs(at[0] - last[0]) > jump)) {
      if (line.length > 1) lines.push(line);
      line = at && Math.abs(at[0]) <= far && Math.abs(at[1]) <= far ? [at] : [];
    } else line.push(at);
  }
  if (line.length > 1) lines.push(line);
  return lines;
}

export interface GridLine {
  readonly label: string;
  readonly at: [number, number] | undefined;
  readonly lines: [number, number][][];
}

const STEP_CHOICES = [30, 15, 10, 5, 2, 1, 0.5, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 360, 1 / 720, 1 / 1800, 1 / 3600, 1 / 36000];

/** Meridians and parallels at round steps, about six across the field, with their labels. */
export function grid(view: View, on: Plane): { meridians: GridLine[]; parallels: GridLine[] } {
  const whole = isWhole(view);
  const step = whole ? 30 : (STEP_CHOICES.find((one) => one <= view.field / 4) ?? STEP_CHOICES[STEP_CHOICES.length - 1]);
  const reach = whole ? 90 : Math.min(90, (Math.atan(Math.hypot(on.width, on.height) / 2 / on.factor) / RADIAN) * 1.05);
  const [south, north] = whole ? [-90, 90] : [Math.max(-90, view.lat - reach), Math.min(90, view.lat + reach)];
  const pole = Math.max(Math.abs(south), Math.abs(north)) > 89.9;
  const span = whole || pole ? 180 : Math.min(180, reach / Math.cos(Math.max(Math.abs(south), Math.abs(north)) * RADIAN));
  const lonStep = whole ? 30 : roundUp((step * Math.min(span / reach, 180)) * (pole ? 0.2 : 0.8), step);
  const parallels: GridLine[] = [];
  for (let k = Math.ceil(south / step); k * step <= north && parallels.length < 60; k++) {
    const lat = k * step;
    if (Math.abs(lat) >= 90) continue;
    const points = samples(view.lon - span * (whole ? 0.99999 : 1), view.lon + span * (whole ? 0.99999 : 1)).map((lon): [number, number] => [lon, lat]);
    parallels.push({ label: degrees(lat, step, true), at: whole ? project(view.lon + 179.999, lat, view, on) : edge(points, view, on, 0), lines: path(points, view, on) });
  }
  const meridians: GridLine[] = [];
  for (let k = Math.ceil((view.lon - span) / lonStep); k * lonStep <= view.lon + span && meridians.length < 60; k++) {
    const lon = k * lonStep;
    if (whole && Math.abs(lon - view.lon) > 179.9) continue;
    const points = samples(south, north).map((lat): [number, number] => [lon, lat]);
    meridians.push({
      label: degrees(((lon % 360) + 360) % 360, lonStep, false),
      at: whole ? project(lon, 0, view, on) : edge(points, view, on, 1),
      lines: path(points, view, on),
    });
  }
  return { meridians, parallels };
}

function roundUp(least: number, start: number): number {
  const found = [...STEP_CHOICES].reverse().find((one) => one >= Math.max(least, start) - 1e-12);
  return found ?? 30;
}

function samples(from: number, to: number): number[] {
  return Array.from({ length: 181 }, (_, k) => from + ((to - from) * k) / 180);
}

/** Where a line crosses the left (axis 0) or lower (axis 1) edge of the picture: the place of its label. */
function edge(points: readonly [number, number][], view: View, on: Plane, axis: 0 | 1): [number, number] | undefined {
  const inside = points.map(([lon, lat]) => project(lon, lat, view, on)).filter(
    (at): at is [number, number] => at !== undefined && at[0] >= 0 && at[0] <= on.width && at[1] >= 0 && at[1] <= on.height,
  );
  if (inside.length === 0) return undefined;
  return inside.reduce((best, at) => (axis === 0 ? (at[0] < best[0] ? at : best) : at[1] > best[1] ? at : best));
}

function degrees(value: number, step: number, signed: boolean): string {
  const sign = value < -1e-9 ? "\u2212" : signed && value > 1e-9 ? "+" : "";
  const size = Math.abs(value);
  if (step >= 1 - 1e-9) return `${sign}${Math.round(size)}°`;
  const places = Math.min(6, Math.max(1, Math.ceil(-Math.log10(step) + 0.2)));
  return `${sign}${Number(size.toFixed(places))}°`;
}

/** The outline of the whole sky. */
export function outline(on: Plane): [number, number][] {
  return Array.from({ length: 181 }, (_, k) => {
    const angle = (k / 180) * 2 * Math.PI;
    return [on.width / 2 + 2 * Math.SQRT2 * on.factor * Math.cos(angle), on.height / 2 + Math.SQRT2 * on.factor * Math.sin(angle)];
  });
}

/** The points of a circle on the sky. */
export function circle(lon: number, lat: number, radius: number): [number, number][] {
  const [sin0, cos0] = [Math.sin(lat * RADIAN), Math.cos(lat * RADIAN)];
  const [sinR, cosR] = [Math.sin(radius * RADIAN), Math.cos(radius * RADIAN)];
  return Array.from({ length: 91 }, (_, k) => {
    const way = (k / 90) * 2 * Math.PI;
    const phi = Math.asin(Math.max(-1, Math.min(1, sin0 * cosR + cos0 * sinR * Math.cos(way))));
    const lambda = Math.atan2(Math.sin(way) * sinR * cos0, cosR - sin0 * Math.sin(phi));
    return [lon + lambda / RADIAN, phi / RADIAN];
  });
}
