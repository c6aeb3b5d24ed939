import { useSyncExternalStore } from "react";

/** Which screen an address names. */
export type Place = { screen: "query"; job: string | null; query: string | null } | { screen: "jobs" } | { screen: "job"; id: string };

export const QUERY = "/query/";
export const JOBS = "/query/jobs/";

/** The page of one job's overview. */
export function jobPage(id: string): string {
  return `${JOBS}${encodeURIComponent(id)}/`;
}

/** The workbench with a job's result. */
export function resultPage(id: string): string {
  return `${QUERY}?${new URLSearchParams({ job: id }).toString()}`;
}

/** The workbench with a query in a new tab of the editor. */
export function queryPage(query: string): string {
  return `${QUERY}?${new URLSearchParams({ query }).toString()}`;
}

export function placeOf(path: string, search: string): Place {
  const job = /^\/query\/jobs\/([^/]+)\/?$/.exec(path);
  if (job) {
    return { screen: "job", id: decodeURIComponent(job[1]) };
  }
  if (/^\/query\/jobs\/?$/.test(path)) {
    return { screen: "jobs" };
  }
  const parameters = new URLSearchParams(search);
  return { screen: "query", job: parameters.get("job"), query: parameters.get("query") };
}

const watchers = new Set<() => void>();

function tell(): void {
  for (const watcher of watchers) {
    watcher();
  }
}

/** Go to an address of the front end without loading a page; `replace` leaves no entry in the browser's history. */
export function go(to: string, { replace = false } = {}): void {
  if (to !== window.location.pathname + window.location.search + window.location.hash) {
    window.history[replace ? "replaceState" : "pushState"](null, "", to);
  }
  tell();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  window.addEventListener("popstate", watcher);
  return () => {
    watchers.delete(watcher);
    window.removeEventListener("popstate", watcher);
  };
}

/** The address as it is; the component is drawn again when it changes. */
export function usePlace(): Place {
  const address = useSyncExternalStore(watch, () => window.location.pathname + window.location.search);
  const [path = "", search = ""] = address.split(/(?=\?)/, 2);
  return placeOf(path, search);
}
