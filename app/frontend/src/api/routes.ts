import { address, get, send } from "./client";
import type {
  Check, DatabaseFunction, Example, Found, Job, JobPage, JobRequest, Language, Me, Place, RowsPage, Sample, Schema, Site, Table,
} from "./types";

const segment = encodeURIComponent;

export const getSite = (signal?: AbortSignal): Promise<Site> => get(address("/site"), signal);
export const getMe = (signal?: AbortSignal): Promise<Me> => get(address("/me"), signal);
export const getSchemas = (signal?: AbortSignal): Promise<Schema[]> => get(address("/schemas"), signal);
export const getTable = (qualified: string, signal?: AbortSignal): Promise<Table> =>
  get(address(`/tables/${segment(qualified)}`), signal);
export const getSample = (qualified: string, signal?: AbortSignal): Promise<Sample> =>
  get(address(`/tables/${segment(qualified)}/sample`), signal);
export const getFunctions = (signal?: AbortSignal): Promise<DatabaseFunction[]> => get(address("/functions"), signal);
export const getExamples = (signal?: AbortSignal): Promise<Example[]> => get(address("/examples"), signal);
export const searchArchive = (q: string, limit: number, signal?: AbortSignal): Promise<Found[]> =>
  get(address("/search", { q, limit }), signal);

/** Where an object is, by its name, or a position as people write it. */
export const getPlace = (name: string, signal?: AbortSignal): Promise<Place> => get(address("/resolve", { name }), signal);

export const check = (query: string, language: Language, signal?: AbortSignal): Promise<Check> =>
  send("POST", address("/check"), { query, language }, signal);

/** Which jobs are listed, newest first. */
export interface JobFilter {
  phase?: string;
  run_id?: string;
  q?: string;
  after?: string;
  limit?: number;
}

export const createJob = (wanted: JobRequest): Promise<Job> => send("POST", address("/jobs"), wanted);
export const getJobs = (filter: JobFilter, signal?: AbortSignal): Promise<JobPage> =>
  get(address("/jobs", { ...filter }), signal);
/** The job; with `wait` as soon as its phase is another than `phase`, or after so many seconds. */
export const getJob = (id: string, wait?: { wait: number; phase: string }, signal?: AbortSignal): Promise<Job> =>
  get(address(`/jobs/${segment(id)}`, { ...wait }), signal);
export const changeJob = (id: string, change: { run_id?: string; destruction?: string }): Promise<Job> =>
  send("PATCH", address(`/jobs/${segment(id)}`), change);
export const abortJob = (id: string): Promise<Job> => send("POST", address(`/jobs/${segment(id)}/abort`));
export const runJobAgain = (id: string): Promise<Job> => send("POST", address(`/jobs/${segment(id)}/run_again`));
export const deleteJob = (id: string): Promise<null> => send("DELETE", address(`/jobs/${segment(id)}`));

export const getRows = (id: string, offset: number, limit: number, signal?: AbortSignal): Promise<RowsPage> =>
  get(address(`/jobs/${segment(id)}/rows`, { offset, limit }), signal);
