/** @public */
export { address, get, getWhenMade, request, send } from "./client";
export type { Parameter, Progress } from "./client";
export { Problem } from "./problem";
export * from "./routes";
export type * from "./types";
