export { default } from "./Result";
export type { ResultProps } from "./Result";
