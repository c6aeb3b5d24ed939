/** The nouns of `/api/v1/` as the server tells them (docs/app/api.md). Times are ISO 8601 UTC. */

/** A value of a cell. 64-bit whole numbers are text; so are "NaN", "Infinity" and "-Infinity". */
export type Cell = string | number | boolean | null | Cell[];

/** A column as in VOTable: `datatype` is VOTable's, and empty text stands for what is not said. */
export interface Column {
  name: string;
  datatype: string;
  arraysize: string;
  xtype: string;
  unit: string;
  ucd: string;
  utype: string;
  description: string;
}

export interface TableColumn extends Column {
  indexed: boolean;
  principal: boolean;
}

export interface TableSummary {
  name: string;
  qualified: string;
  title: string;
  description: string;
  rows: number | null;
  columns: number;
  /** Whether the asker may query it; others may be known of only. */
  readable: boolean;
}

export interface Schema {
  name: string;
  title: string;
  description: string;
  tables: TableSummary[];
}

export interface Table extends Omit<TableSummary, "columns"> {
  schema: string;
  /** Names of the columns with right ascension and declination. */
  position: [string, string] | null;
  epoch: string;
  /** Its page, empty for the asker's own. */
  url: string;
  columns: TableColumn[];
}

export interface Format {
  name: string;
  label: string;
  media_type: string;
  extension: string;
}

export interface Queue {
  name: string;
  seconds: number;
}

export interface Site {
  title: string;
  release: string;
  site_url: string;
  contact: { name: string | null; email: string | null; url: string | null };
  user: { name: string; authenticated: boolean };
  languages: Language[];
  formats: Format[];
  queues: Queue[];
  limits: { upload_bytes: number; rows: number; query_characters: number };
}

/** What may be used, and of how much; a limit of null is none. */
export interface Quota {
  used: number;
  limit: number | null;
}

export interface OwnTable {
  name: string;
  rows: number | null;
  bytes: number;
  created: string | null;
}

export interface Me {
  name: string;
  authenticated: boolean;
  quotas: Partial<Record<"bytes" | "rows" | "active", Quota>>;
  tables: OwnTable[];
}

export type Language = "ADQL" | "PostgreSQL";

export interface DatabaseFunction {
  name: string;
  signature: string;
  description: string;
  group: string;
  language: Language | "";
}

export interface Example {
  name: string;
  title: string;
  description: string;
  query: string;
  language: Language;
  tables: string[];
}

/** A place of the sky, in ICRS degrees; source: who says so. */
export interface Place {
  name: string;
  ra: number;
  dec: number;
  source: string;
}

/** A place in a query: line and column from 1, length in characters. */
export interface Position {
  line: number;
  column: number;
  length: number;
}

/** A change that would make a query valid. */
export interface Fix extends Position {
  text: string;
  label: string;
}

export interface QueryProblem {
  detail: string;
  position: Position | null;
  fix: Fix | null;
}

export interface Plan {
  rows: number | null;
  cost: number | null;
  seconds: number | null;
  indexed: boolean;
  queue: string | null;
  sentence: string;
  advice: string[];
}

export interface Check {
  valid: boolean;
  problem: QueryProblem | null;
  columns: Column[];
  tables: string[];
  plan: Plan | null;
}

export type Phase =
  | "PENDING"
  | "QUEUED"
  | "EXECUTING"
  | "COMPLETED"
  | "ERROR"
  | "ABORTED"
  | "HELD"
  | "SUSPENDED"
  | "ARCHIVED"
  | "UNKNOWN";

export interface Job {
  id: string;
  url: string;
  phase: Phase;
  run_id: string;
  created: string;
  queued: string | null;
  started: string | null;
  ended: string | null;
  destruction: string | null;
  /** Seconds that it may run. */
  duration: number | null;
  queue: string | null;
  place: number | null;
  query: string;
  language: Language;
  maxrec: number | null;
  table: string;
  rows: number | null;
  bytes: number | null;
  overflow: boolean;
  columns: Column[] | null;
  tables: string[];
  error: { detail: string; transient: boolean } | null;
  mine: boolean;
}

export interface JobPage {
  jobs: Job[];
  next: string | null;
}

/** What a new job is asked to do; `wait` are seconds in which the answer may already be its end. */
export interface JobRequest {
  query: string;
  language?: Language;
  maxrec?: number;
  run_id?: string;
  table_name?: string;
  queue?: string;
  wait?: number;
}

/** A few rows of a table: `numbers` are theirs, from 0. */
export interface Sample {
  columns: Column[];
  total: number;
  filtered: number;
  offset: number;
  rows: Cell[][];
  numbers: number[];
}

/** Rows of a result, with their numbers in the result as it is stored. `filtered` are those of its first `counted` rows that pass. */
export interface RowsPage extends Sample {
  counted: number;
}

/** Something of the archive that a search found; `url` is its page. */
export interface Found {
  kind: "table" | "column" | "schema" | "example";
  name: string;
  qualified: string;
  title: string;
  description: string;
  unit: string;
  ucd: string;
  url: string;
}
