import type { JobRequest } from "../api";
import type { Tab } from "./tabs";

/** What the server is asked to run, of a tab; fields that are left empty are not said. */
export function requested({ query, language, name, options }: Pick<Tab, "query" | "language" | "name" | "options">): JobRequest {
  const wanted: JobRequest = { query, language };
  const group = options.run_id.trim() || name;
  if (options.maxrec.trim()) {
    wanted.maxrec = Number(options.maxrec);
  }
  if (options.queue) {
    wanted.queue = options.queue;
  }
  if (options.table_name.trim()) {
    wanted.table_name = options.table_name.trim();
  }
  if (group) {
    wanted.run_id = group;
  }
  return wanted;
}
