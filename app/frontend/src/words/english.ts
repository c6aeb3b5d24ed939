/** The sentences of the front end, by the screen that shows them. A translation is a module with the same names. */

const many = (count: number, one: string, more = `${one}s`): string => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

export const frame = {
  loading: "Loading …",
  broken: "This page met an error of its own and stopped. What you typed is kept: load the page again.",
  reload: "Load again",
  dismiss: "Dismiss",
  close: "Close",
  tryAgain: "Try again",
};

export const keys = {
  title: "Keys",
  list: [
    { keys: "Ctrl+Enter", does: "run the query" },
    { keys: "Ctrl+Space", does: "complete the name at the cursor" },
    { keys: "F8", does: "go to the error" },
    { keys: "Esc Tab", does: "leave the editor" },
    { keys: "[", does: "show or hide the tables" },
    { keys: "/", does: "search the archive" },
    { keys: "g q", does: "the query page" },
    { keys: "g j", does: "your jobs" },
    { keys: "g d", does: "the data pages" },
    { keys: "?", does: "this list" },
  ],
};

export const query = {
  title: "Query",
  run: "Run query",
  running: "Running …",
  runKeys: "Ctrl+Enter",
  editor: "Query",
  language: "Language",
  format: "Format",
  tabs: "Queries",
  untitled: "untitled",
  newTab: "New tab",
  closeTab: (name: string) => `Close ${name}`,
  closed: (name: string) => `Closed ${name}.`,
  undo: "Undo",
  rename: "Rename",
  options: "Options of the run",
  share: "Copy link",
  shared: "The link to this query is copied.",
  notCopied: "The browser did not allow it: copy the address instead.",
  empty: "Write a query, or take an example from the left.",
  checking: "Checking …",
  valid: "The query is valid.",
  unchecked: "The check does not answer; the query can still be run.",
  fix: (label: string) => label || "Fix",
  goToError: "Go to the error",
  place: (line: number, column: number) => `line ${line}, column ${column}`,
  maxrec: "At most this many rows",
  maxrecHint: (rows: number) => `Empty: up to ${many(rows, "row")}.`,
  queue: "Queue",
  queueAuto: "chosen by the archive",
  queueSeconds: (name: string, seconds: number) => `${name}: up to ${duration(seconds)}`,
  tableName: "Keep the result as your table",
  tableNameHint: "A name of small letters, digits and _. Empty: the job has the result alone.",
  runId: "Group (run id)",
  notWhole: "Enter a whole number of rows, 1 or more.",
  saved: "Saved in this browser.",
};

export const builder = {
  title: "Build a query",
  open: "Build a query …",
  about: "Choose instead of writing. The query below is what you choose, in ADQL.",
  table: "Table",
  noTable: "This archive has no table that you may query.",
  place: "Around",
  placeHint: "The name of an object, or a position such as 10.68 41.27 or 00 42 44.3 +41 16 09. Empty: the whole sky.",
  found: (name: string, ra: number, dec: number, source: string) => `${name}: ${ra.toFixed(5)}, ${dec.toFixed(5)} (${source})`,
  noPositions: "This table has no positions that the archive knows of.",
  radius: "Radius",
  unit: "Unit",
  units: { deg: "degrees", arcmin: "arcminutes", arcsec: "arcseconds" },
  match: "Match with",
  matchNone: "nothing",
  matchHint: "Rows of another table that are as near as this on the sky.",
  matchRadius: "No farther than",
  columns: "Columns",
  columnsHint: "None chosen: all of them.",
  conditions: "Conditions",
  add: "Add a condition",
  remove: (number: number) => `Remove condition ${number}`,
  column: (number: number) => `Column of condition ${number}`,
  operator: (number: number) => `Comparison of condition ${number}`,
  value: (number: number) => `Value of condition ${number}`,
  to: (number: number) => `Upper value of condition ${number}`,
  and: "and",
  operators: {
    "=": "is", "<>": "is not", "<": "less than", "<=": "at most", ">": "greater than", ">=": "at least", between: "between",
    like: "is like", null: "is missing", "not null": "is there",
  },
  likeHint: "% stands for any characters, _ for one",
  order: "Order by",
  orderNone: "no order",
  descending: "largest first",
  rows: "At most this many rows",
  query: "Query",
  take: "Open in the editor",
  mistakes: {
    number: "Enter a number, such as 1.5 or 2e-3.",
    truth: "Enter true or false.",
    rows: "Enter a whole number of rows, 1 or more.",
    radius: "Enter an angle of more than 0 and at most 90 degrees.",
    empty: "Enter a value; whether there is none has a comparison of its own.",
  },
};

export const result = {
  title: "Result",
  none: "Run a query to see its rows here.",
  queued: (place: number | null) => (place === null ? "Waiting for its turn" : place <= 1 ? "Next in its queue" : `Number ${place} in its queue`),
  executing: "Running",
  elapsed: (seconds: number) => duration(seconds),
  leave: "You can close this page: the job goes on, and your jobs list has its result.",
  abort: "Abort",
  aborted: "This job was aborted before it had a result.",
  archived: "The result of this job was deleted; its query is still here.",
  pending: "This job was made but not started.",
  failed: "The query failed",
  transient: "The failure was not your query's: run it again.",
  runAgain: "Run again",
  edit: "Edit the query",
  overview: "About this job",
  rows: (rows: number, seconds: number | null) => (seconds === null ? many(rows, "row") : `${many(rows, "row")} in ${duration(seconds)}`),
  overflow: (rows: number) => `Only the first ${many(rows, "row")}: the query has more. Raise the limit behind ⋯ to get them.`,
  empty: "The query found no rows.",
  notFound: "There is no such job, or it is somebody else's. Log in if it is yours.",
};

export const tables = {
  title: "Tables",
  show: "Tables",
  hide: "Hide tables",
  search: "Search tables and columns",
  searchHint: "name, description, UCD, unit",
  none: (text: string) => `Nothing here is called “${text}”, described so, or has such a UCD or unit.`,
  empty: "This archive has no tables for you yet.",
  rows: (rows: number | null) => (rows === null ? "" : short(rows)),
  rowsFull: (rows: number | null) => (rows === null ? "number of rows unknown" : many(rows, "row")),
  insert: (name: string) => `Insert ${name} into the query`,
  insertShort: "Insert",
  columns: "Columns",
  select: "New query",
  sample: "Sample rows",
  sampleOf: (table: string) => `Sample rows of ${table}`,
  page: "About this table",
  closed: "closed",
  closedHint: "You may know of this table but not query it: log in, or ask the archive.",
  indexed: "indexed",
  own: "Your tables",
  ownEmpty: "Tables that you keep or upload appear here.",
  examples: "Examples",
  examplesEmpty: "This archive has no examples yet.",
  history: "History",
  historyEmpty: "What you run appears here.",
  allJobs: "All jobs",
};

export const jobs = {
  title: "Jobs",
  empty: "You have no jobs yet. Run a query, and it appears here.",
  emptyFilter: "No job is like this.",
  toQuery: "Write a query",
  search: "Search in names and queries",
  phases: {
    all: "All",
    active: "Active",
    PENDING: "Not started",
    QUEUED: "Waiting",
    EXECUTING: "Running",
    COMPLETED: "Finished",
    ERROR: "Failed",
    ABORTED: "Aborted",
    ARCHIVED: "Result deleted",
    HELD: "Held",
    SUSPENDED: "Suspended",
    UNKNOWN: "Unknown",
  },
  filter: "Phase",
  group: (name: string) => `Group ${name}`,
  ungroup: "Any group",
  name: "Name",
  state: "State",
  query: "Query",
  rows: "Rows",
  size: "Size",
  age: "Made",
  kept: "Kept until",
  select: (name: string) => `Select ${name}`,
  selectAll: "Select all jobs shown",
  selected: (count: number) => `${many(count, "job")} selected`,
  clear: "Clear",
  delete: "Delete",
  abort: "Abort",
  runAgain: "Run again",
  rename: "Rename",
  renameTitle: "Name of this job",
  renameHint: "Jobs with the same name are a group; programs know it as the run id.",
  save: "Save",
  more: "Older jobs",
  confirmDelete: (count: number) => `Delete ${many(count, "job")} and what they found?`,
  confirmHint: "This cannot be undone. Tables that you kept under a name go with the job that made them.",
  deleted: (count: number) => `Deleted ${many(count, "job")}.`,
  aborted: (count: number) => `Aborted ${many(count, "job")}.`,
  keep: "Keep",
  quotaBytes: (used: number, limit: number | null) =>
    limit === null ? `${bytes(used)} stored` : `${bytes(used)} of ${bytes(limit)} stored`,
  quotaActive: (used: number, limit: number | null) =>
    limit === null ? `${used} active` : `${used} of ${many(limit, "active job")}`,
  quotaFull: "Your storage is full: delete results that you no longer need.",
  actions: (name: string) => `Actions of ${name}`,
  times: "Times",
  created: "Made",
  queued: "Queued",
  started: "Started",
  ended: "Ended",
  destruction: "Kept until",
  took: "Took",
  queue: "Queue",
  place: "Place in the queue",
  table: "Table",
  sources: "Tables that it reads",
  language: "Language",
  limit: "Row limit",
  id: "Job id",
  error: "Error",
  openResult: "Open the result",
  overview: "Overview",
  copyLink: "Copy link",
  copied: "The link to this job is copied.",
  unnamed: "unnamed",
};

/** Seconds in the unit that a person would say. */
export function duration(seconds: number): string {
  if (seconds < 1) {
    return `${seconds.toFixed(2)} s`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Bytes in decimal units. */
export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${at === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[at]}`;
}

/** A number of rows in few letters: 482 k, 1.8 M. */
export function short(count: number): string {
  const [value, unit] = count < 1000 ? [count, ""] : count < 1e6 ? [count / 1e3, " k"] : count < 1e9 ? [count / 1e6, " M"] : [count / 1e9, " G"];
  return `${value < 10 && unit ? value.toFixed(1) : Math.floor(value)}${unit}`;
}

/** How long ago, or how long until, with the absolute time beside it in a title. */
export function relative(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const size = Math.abs(seconds);
  const [value, unit] =
    size < 60 ? [0, "minute"] : size < 3600 ? [seconds / 60, "minute"] : size < 86_400 ? [seconds / 3600, "hour"] : [seconds / 86_400, "day"];
  if (value === 0) {
    return "just now";
  }
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(value), unit as Intl.RelativeTimeFormatUnit);
}

/** A time as archives write it, in UTC. */
export function absolute(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}
