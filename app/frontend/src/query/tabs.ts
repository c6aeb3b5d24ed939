import type { Language } from "../api";

/** A query on the workbench, with what its run is asked and its last job. */
export interface Tab {
  id: string;
  name: string;
  query: string;
  language: Language;
  job: string | null;
  options: RunOptions;
  /** Milliseconds since 1970, so that of two windows the later one's text stays. */
  edited: number;
}

/** Fields of the run, as they are typed. */
export interface RunOptions {
  maxrec: string;
  queue: string;
  table_name: string;
  run_id: string;
}

export interface Tabs {
  list: Tab[];
  active: string;
  /** Ids of closed ones: another window may still have them stored. */
  closed: string[];
}

const NO_OPTIONS: RunOptions = { maxrec: "", queue: "", table_name: "", run_id: "" };

export function newTab(query = "", fields: Partial<Tab> = {}): Tab {
  return { id: crypto.randomUUID(), name: "", query, language: "ADQL", job: null, options: NO_OPTIONS, edited: Date.now(), ...fields };
}

export function initial(): Tabs {
  const tab = newTab();
  return { list: [tab], active: tab.id, closed: [] };
}

export function activeTab(tabs: Tabs): Tab {
  return tabs.list.find(({ id }) => id === tabs.active) ?? tabs.list[0];
}

export function change(tabs: Tabs, id: string, fields: Partial<Tab>): Tabs {
  const list = tabs.list.map((tab) => (tab.id === id ? { ...tab, ...fields, edited: Date.now() } : tab));
  return { ...tabs, list };
}

/** Put a tab at the end and show it; it takes the place of the only one when that is empty. */
export function open(tabs: Tabs, tab: Tab): Tabs {
  const [only] = tabs.list;
  const unused = tabs.list.length === 1 && !only.query.trim() && !only.job;
  return unused
    ? { list: [tab], active: tab.id, closed: [...tabs.closed, only.id] }
    : { ...tabs, list: [...tabs.list, tab], active: tab.id };
}

/** Show the tab that has this query already, or a new one with it. */
export function openQuery(tabs: Tabs, query: string, fields: Partial<Tab> = {}): Tabs {
  const same = tabs.list.find((tab) => tab.query.trim() === query.trim());
  return same ? { ...tabs, active: same.id } : open(tabs, newTab(query, fields));
}

export function close(tabs: Tabs, id: string): Tabs {
  const at = tabs.list.findIndex((tab) => tab.id === id);
  const list = tabs.list.filter((tab) => tab.id !== id);
  const closed = [...tabs.closed, id];
  if (list.length === 0) {
    return { ...initial(), closed };
  }
  const active = tabs.active === id ? (list[at] ?? list.at(-1)!).id : tabs.active;
  return { list, active, closed };
}

/** Bring a closed tab back to where it was. */
export function reopen(tabs: Tabs, tab: Tab, at: number): Tabs {
  const closed = tabs.closed.filter((id) => id !== tab.id);
  return { list: tabs.list.toSpliced(at, 0, tab), active: tab.id, closed };
}

/** What a tab is called: its name, or the table that it reads, or nothing yet. */
export function titleOf(tab: Tab, untitled: string): string {
  const table = /\bFROM\s+([\w".]+)/i.exec(tab.query)?.[1]?.replaceAll('"', "") ?? "";
  return tab.name || table || untitled;
}

/** This window's tabs over those that another one stored meanwhile: of each the later text, and none is lost. */
export function merge(stored: readonly Tab[], mine: Tabs): Tab[] {
  const known = new Set(mine.list.map(({ id }) => id));
  const list = mine.list.map((tab) => {
    const other = stored.find(({ id }) => id === tab.id);
    return other && other.edited > tab.edited ? other : tab;
  });
  return [...list, ...stored.filter(({ id }) => !known.has(id) && !mine.closed.includes(id))];
}

/** Tabs out of text that a browser kept; whatever is no tab is left out. */
export function parse(text: string | null): Tab[] {
  let found: unknown;
  try {
    found = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  return Array.isArray(found) ? found.filter(isTab).map((tab) => ({ ...tab, options: { ...NO_OPTIONS, ...tab.options } })) : [];
}

function isTab(value: unknown): value is Tab {
  const tab = value as Partial<Tab> | null;
  return typeof tab === "object" && tab !== null && typeof tab.id === "string" && typeof tab.query === "string" && typeof tab.edited === "number";
}
