/** A good first look at a result: what its UCDs say it is. */
import type { Column } from "../api";
import { choices } from "./data/quantities";
import { roles } from "./roles";
import { INITIAL, type PlotState, type State } from "./state";

/** The state that a result is shown in before anyone has chosen anything. */
export function firstLook(columns: readonly Column[]): State {
  const { position } = roles(columns);
  return { ...INITIAL, plot: firstPlot(columns), sky: { ...INITIAL.sky, frame: position?.frame ?? "icrs" } };
}

/**
 * A colour–magnitude diagram where there are a colour and a magnitude, a light curve where there are time and
 * magnitude, else the first two columns that no position is made of.
 */
export function firstPlot(columns: readonly Column[]): PlotState {
  const initial = INITIAL.plot;
  const preset = colourMagnitude(columns);
  if (preset) return preset;
  const curve = lightCurve(columns);
  if (curve) return curve;
  const { position, magnitude } = roles(columns);
  const able = choices(columns).filter((one) => one.kind === "column").map((one) => one.columns[0]);
  const isCoordinate = (column: Column): boolean => column.name === position?.lon || column.name === position?.lat;
  const isName = (column: Column): boolean => /^(meta\.id|meta\.code|meta\.record|stat\.error)/i.test(column.ucd);
  const measured = able.filter((column) => !isCoordinate(column) && !isName(column));
  const motions = ["pos.pm;pos.eq.ra", "pos.pm;pos.eq.dec"].map((ucd) => measured.find((column) => column.ucd.toLowerCase().startsWith(ucd)));
  if (motions[0] && motions[1]) {
    return { ...initial, x: motions[0].name, y: motions[1].name, colour: "" };
  }
  const offered = measured.length >= 2 ? measured : [...measured, ...able.filter((column) => !measured.includes(column))];
  const x = offered.at(0);
  const y = offered.at(1);
  if (!x) return initial;
  if (!y) return { ...initial, kind: "histogram", x: x.name };
  return { ...initial, x: x.name, y: y.name, yAxis: { log: false, reversed: y === magnitude } };
}

/** The preset "colour–magnitude", where the result has what it takes. */
export function colourMagnitude(columns: readonly Column[]): PlotState | undefined {
  const { colour, bands, magnitude, parallax } = roles(columns);
  const x = colour?.name ?? (bands ? `${bands[0].name} - ${bands[1].name}` : undefined);
  if (x === undefined || !magnitude) return undefined;
  const y = parallax ? `M(${magnitude.name}, ${parallax.name})` : magnitude.name;
  return { ...INITIAL.plot, x, y, yAxis: { log: false, reversed: true } };
}

/** The preset "light curve". */
export function lightCurve(columns: readonly Column[]): PlotState | undefined {
  const { time, magnitude } = roles(columns);
  const flux = columns.find((column) => /^phot\.flux/i.test(column.ucd));
  const y = magnitude ?? flux;
  if (!time || !y) return undefined;
  return { ...INITIAL.plot, kind: "time", x: time.name, y: y.name, errors: true, yAxis: { log: false, reversed: y === magnitude } };
}
