/** What columns are for, from their UCDs (and, where a table has none, from the names that catalogues use). */
import type { Column } from "../api";
import { isNumeric, isText } from "./table/numbers";

/** The words of a UCD 1+, in lower case. */
export function words(ucd: string): string[] {
  return ucd.toLowerCase().split(";").map((word) => word.trim()).filter(Boolean);
}

/** Whether the first word of a UCD is this one or below it: `phot.mag` holds for `phot.mag;em.opt.V`. */
function isKind(column: Column, atom: string): boolean {
  const first = words(column.ucd)[0] ?? "";
  return first === atom || first.startsWith(`${atom}.`);
}

function isMain(column: Column): boolean {
  return words(column.ucd).includes("meta.main");
}

function isError(column: Column): boolean {
  return isKind(column, "stat.error") || isKind(column, "stat.stdev");
}

function pick(columns: readonly Column[], ...tests: ((column: Column) => boolean)[]): Column | undefined {
  for (const test of tests) {
    const found = columns.find((column) => isNumeric(column) && test(column));
    if (found) return found;
  }
  return undefined;
}

function named(...names: string[]): (column: Column) => boolean {
  return (column) => names.includes(column.name.toLowerCase());
}

export interface Position {
  readonly lon: string;
  readonly lat: string;
  readonly frame: "icrs" | "galactic";
}

/** The main position of a row: `meta.main` first, then any pair of one frame, then well-known names. */
export function position(columns: readonly Column[]): Position | undefined {
  const pair = (lon: Column | undefined, lat: Column | undefined, frame: Position["frame"]): Position | undefined =>
    lon && lat ? { lon: lon.name, lat: lat.name, frame } : undefined;
  return (
    pair(
      pick(columns, (c) => isKind(c, "pos.eq.ra") && isMain(c), (c) => isKind(c, "pos.eq.ra")),
      pick(columns, (c) => isKind(c, "pos.eq.dec") && isMain(c), (c) => isKind(c, "pos.eq.dec")),
      "icrs",
    ) ??
    pair(
      pick(columns, named("ra", "ra_icrs", "raj2000", "ra_j2000", "s_ra", "ra_deg")),
      pick(columns, named("dec", "de_icrs", "dej2000", "dec_j2000", "s_dec", "dec_deg", "decl", "de")),
      "icrs",
    ) ??
    pair(pick(columns, (c) => isKind(c, "pos.galactic.lon")), pick(columns, (c) => isKind(c, "pos.galactic.lat")), "galactic")
  );
}

/** The column that names a row, for selections by identifier. */
export function identifier(columns: readonly Column[]): Column | undefined {
  const able = (column: Column): boolean =>
    column.arraysize === "" ? ["long", "int", "short"].includes(column.datatype) : isText(column);
  return (
    columns.find((column) => able(column) && isKind(column, "meta.id") && isMain(column)) ??
    columns.find((column) => able(column) && ["source_id", "objid", "hip", "id"].includes(column.name.toLowerCase()))
  );
}

/** The uncertainty that belongs to a quantity: by UCD `stat.error;…`, or by the names that catalogues use. */
export function uncertainty(columns: readonly Column[], name: string): Column | undefined {
  const own = name.toLowerCase();
  const names = ["_error", "_err", "_e", "_sigma", "err", "_unc"].map((end) => own + end);
  names.push(...["e_", "err_", "sigma_", "error_"].map((start) => start + own));
  const quantity = columns.find((column) => column.name === name);
  const ucd = quantity ? words(quantity.ucd) : [];
  const byName = pick(columns, (column) => names.includes(column.name.toLowerCase()));
  if (byName) return byName;
  const same = columns.filter((column) => {
    const [first, ...rest] = words(column.ucd);
    return first === "stat.error" && rest.length > 0 && rest.join(";") === ucd.filter((word) => word !== "meta.main").join(";");
  });
  return same.length === 1 ? same[0] : undefined;
}

export interface Roles {
  readonly position?: Position | undefined;
  readonly magnitude?: Column | undefined;
  readonly colour?: Column | undefined;
  /** Two magnitudes whose difference is a colour, the shorter wavelength first. */
  readonly bands?: readonly [Column, Column] | undefined;
  readonly parallax?: Column | undefined;
  readonly time?: Column | undefined;
}

/** What a result has that a plot is usually made of. */
export function roles(columns: readonly Column[]): Roles {
  const magnitudes = columns.filter((c) => isNumeric(c) && isKind(c, "phot.mag") && !isError(c));
  const band = (...names: string[]): Column | undefined =>
    magnitudes.find((c) => names.some((name) => words(c.ucd).includes(name.toLowerCase())) || names.includes(c.name));
  const blue = band("phot_bp_mean_mag", "bpmag", "em.opt.b");
  const red = band("phot_rp_mean_mag", "rpmag", "em.opt.v", "em.opt.r");
  return {
    position: position(columns),
    magnitude:
      pick(magnitudes, isMain, (c) => /^(phot_g_mean_mag|gmag|g|vmag|v|mag)$/i.test(c.name)) ??
      magnitudes.at(0) ??
      pick(columns, (c) => /(^|_)(mag|vmag|gmag|hpmag)$/i.test(c.name)),
    colour: pick(
      columns.filter((c) => !isError(c)),
      (c) => isKind(c, "phot.color"),
      (c) => /^(bp_rp|b_v|bv|g_r|bp_g|j_k|color|colour)$/i.test(c.name),
    ),
    bands: blue && red && blue !== red ? [blue, red] : undefined,
    parallax: pick(columns.filter((c) => !isError(c)), (c) => isKind(c, "pos.parallax"), named("parallax", "plx")),
    time: pick(columns.filter((c) => !isError(c)), (c) => isKind(c, "time.epoch"), named("mjd", "jd", "hjd", "bjd", "obstime", "time")) ??
      columns.find((c) => isText(c) && c.xtype === "timestamp"),
  };
}

export type CellKind = "text" | "number" | "link" | "image" | "bibcode" | "doi" | "ra" | "dec";

/** How a cell of this column is drawn. */
export function cellKind(column: Column): CellKind {
  const all = words(column.ucd);
  if (isNumeric(column)) {
    const angle = column.unit === "deg" && !isError(column);
    if (angle && isKind(column, "pos.eq.ra")) return "ra";
    if (angle && isKind(column, "pos.eq.dec")) return "dec";
    return "number";
  }
  if (!isText(column)) return "text";
  if (all.some((word) => word === "meta.image" || word === "meta.preview")) return "image";
  if (all.includes("meta.ref.url") || all.includes("meta.ref.uri") || all.includes("meta.datalink")) return "link";
  if (all.includes("meta.bib.bibcode")) return "bibcode";
  if (all.includes("meta.ref.doi") || all.includes("meta.bib.doi")) return "doi";
  return "text";
}

/**
 * The address that a cell leads to; nothing for any scheme but http and https, whatever the value says: a result may
 * hold text of strangers, and `javascript:` in an address is code.
 */
export function address(kind: CellKind, value: string): string | undefined {
  const text = value.trim();
  if (kind === "bibcode") return text ? `https://ui.adsabs.harvard.edu/abs/${encodeURIComponent(text)}` : undefined;
  if (kind === "doi") {
    const doi = text.replace(/^(doi:|https?:\/\/(dx\.)?doi\.org\/)/i, "");
    return /^10\.\d{4,9}\//.test(doi) ? `https://doi.org/${encodeURI(doi)}` : undefined;
  }
  if (!/^https?:\/\//i.test(text)) return undefined;
  try {
    const url = new URL(text);
    return (url.protocol === "http:" || url.protocol === "https:") && !url.username ? url.href : undefined;
  } catch {
    return undefined;
  }
}
