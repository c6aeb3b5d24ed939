/** What the viewer asks of `/api/v1/jobs/<id>/` about a stored result. */
import { address, request, type Column, type Job, type RowsPage } from "../../api";
import type { Where } from "../where";
import { read, type Frame } from "./arrow";

/** Rows of a result that are more than this come as counts in bins instead of points. */
export const POINTS = 2_000_000;

/** An address longer than this goes as a form instead: proxies keep to 8 kB with all their headers. */
const LONGEST = 4000;

export interface Shape {
  readonly columns?: readonly string[] | undefined;
  readonly sort?: readonly string[] | undefined;
  readonly where?: Where | undefined;
}

export type Wanted = Record<string, string | number | boolean | undefined>;

/** A name in a list with commas; in quotes where it would be read as something else. */
export function listed(name: string): string {
  return /^[A-Za-z0-9_.# ]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A column of an order, with a minus before it if it falls. */
function ordering(name: string): string {
  return name.startsWith("-") ? `-${listed(name.slice(1))}` : listed(name);
}

function parameters({ columns, sort, where }: Shape, more: Wanted): Record<string, string> {
  const out: Record<string, string> = {};
  if (columns) out.columns = columns.map(listed).join(",");
  if (sort?.length) out.sort = sort.map(ordering).join(",");
  if (where?.length) out.where = JSON.stringify(where);
  for (const [name, value] of Object.entries(more)) if (value !== undefined) out[name] = String(value);
  return out;
}

/** Address and options of a request; by POST where the address would be too long. */
export function asked(job: Job, what: string, shape: Shape, more: Wanted = {}): [string, RequestInit] {
  const path = `/jobs/${encodeURIComponent(job.id)}/${what}`;
  const given = parameters(shape, more);
  const url = address(path, given);
  return url.length <= LONGEST ? [url, {}] : [address(path), { method: "POST", body: new URLSearchParams(given) }];
}

/** How far the server is with what it has to make first, an index for a sort, say. */
export interface Making {
  readonly progress: number;
  readonly sentence: string;
}

type Told = (making: Making | undefined) => void;

async function made(url: string, init: RequestInit, accept: string, signal: AbortSignal | undefined, told?: Told): Promise<Response> {
  for (;;) {
    const response = await request(url, { ...init, headers: { Accept: accept }, ...(signal && { signal }) });
    if (response.status !== 202) {
      told?.(undefined);
      return response;
    }
    told?.((await response.json()) as Making);
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, Math.min(10, Math.max(0.05, seconds)) * 1000));
    signal?.throwIfAborted();
  }
}

/** Rows `offset` to `offset + limit` of the result in this shape. */
export async function getPage(job: Job, shape: Shape, offset: number, limit: number, signal?: AbortSignal, told?: Told): Promise<RowsPage> {
  const response = await made(...asked(job, "rows", shape, { offset, limit }), "application/json", signal, told);
  return (await response.json()) as RowsPage;
}

/** What a column's values are like; numbers that are no numbers of JSON (long, NaN) are text. */
export interface Statistics {
  readonly name: string;
  readonly n: number;
  readonly nulls: number;
  readonly distinct?: number | null;
  readonly min: number | string | null;
  readonly quartiles: readonly (number | string | null)[] | null;
  readonly max: number | string | null;
  readonly mean: number | string | null;
  readonly histogram: { readonly edges: readonly (number | string)[]; readonly counts: readonly number[] } | null;
  readonly top: readonly (readonly [string | number | boolean | null, number])[] | null;
}

export async function getStatistics(job: Job, columns: readonly string[], where: Where, signal?: AbortSignal): Promise<Statistics[]> {
  const response = await made(...asked(job, "statistics", { columns, where }), "application/json", signal);
  return (await response.json()) as Statistics[];
}

/** A column with the number of each row, in the order of the numbers. */
export async function getColumn(job: Job, name: string, where: Where, signal?: AbortSignal): Promise<Frame> {
  const response = await made(...asked(job, "data", { columns: [name], where }, { numbers: true }), "application/vnd.apache.arrow.stream", signal);
  return ordered(read(await response.arrayBuffer()));
}

/** Rows in the order of their numbers: a parallel scan hands them out as they come. */
function ordered(frame: Frame): Frame {
  const numbers = frame.columns.get("#");
  if (numbers?.kind !== "number") return frame;
  const order = numbers.values;
  let rising = true;
  for (let k = 1; k < order.length && rising; k++) rising = order[k] > order[k - 1];
  if (rising) return frame;
  const sorted = Uint32Array.from(order, (_, k) => k).sort((a, b) => order[a] - order[b]);
  const columns = new Map(frame.columns);
  for (const [name, column] of frame.columns) {
    columns.set(
      name,
      column.kind === "number"
        ? { ...column, values: Float64Array.from(sorted, (k) => column.values[k]) }
        : { ...column, codes: Int32Array.from(sorted, (k) => column.codes[k]) },
    );
  }
  return { length: frame.length, columns };
}

export interface Bins {
  readonly nx: number;
  readonly ny: number;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Row by row, the lowest y first. */
  readonly counts: readonly number[];
}

export interface BinsWanted {
  readonly x: Column;
  readonly y: Column;
  readonly nx: number;
  readonly ny: number;
  readonly x0?: number | undefined;
  readonly x1?: number | undefined;
  readonly y0?: number | undefined;
  readonly y1?: number | undefined;
  readonly logx: boolean;
  readonly logy: boolean;
}

/** How many rows fall on each cell of a grid. */
export async function getBins(job: Job, wanted: BinsWanted, where: Where, signal?: AbortSignal): Promise<Bins> {
  const { x, y, ...rest } = wanted;
  const response = await made(...asked(job, "bins", { where }, { ...rest, x: x.name, y: y.name }), "application/json", signal);
  return (await response.json()) as Bins;
}
