import type { Cell, Column } from "../../api";
import { dms, hms } from "../coordinates";
import { address, type CellKind } from "../roles";
import { aligned, exact, isMissing, shown } from "./numbers";

interface CellTextProps {
  value: Cell | undefined;
  column: Column;
  kind: CellKind;
  /** Places behind the decimal point that the column needs. */
  places: number;
  sexagesimal: boolean;
}

/** The text of a cell as it is shown, and the whole of it as it is copied. */
export function cellText(value: Cell | undefined, column: Column, kind: CellKind, sexagesimal: boolean): string {
  if (sexagesimal && typeof value === "number") {
    if (kind === "ra") return hms(value);
    if (kind === "dec") return dms(value);
  }
  return shown(value, column);
}

/** What stands in a cell: a number by its decimal point, a link to what it names, a dot for what is missing. */
export function CellText({ value, column, kind, places, sexagesimal }: CellTextProps) {
  if (isMissing(value) || value === "NaN") {
    return <span className="viewer-missing" role="img" aria-label={value === "NaN" ? "not a number" : "missing"}>·</span>;
  }
  const text = cellText(value, column, kind, sexagesimal);
  if (kind === "number" || kind === "ra" || kind === "dec") return <>{aligned(text, places)}</>;
  const href = kind !== "text" ? address(kind, exact(value)) : undefined;
  if (href !== undefined) {
    return (
      <a href={href} target="_blank" rel="noopener noreferrer" tabIndex={-1}>
        {kind === "image" && "▣ "}
        {text}
      </a>
    );
  }
  return <>{text}</>;
}
