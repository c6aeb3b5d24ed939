/** @public */
export { address, get, request, send } from "./client";
export type { Parameter } from "./client";
export { Problem } from "./problem";
export * from "./routes";
export type * from "./types";
