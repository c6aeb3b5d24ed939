import { useQuery } from "@tanstack/react-query";

import { getRows, type Cell, type Job, type Site } from "../api";

export interface ResultProps {
  job: Job;
  site: Site;
  /** Called with a query over what is selected. */
  onQuery?: (query: string) => void;
}

const FIRST = 100;

function text(cell: Cell): string {
  return cell === null ? "·" : Array.isArray(cell) ? cell.map(text).join(" ") : String(cell);
}

/** The first rows of a job's result. */
export default function Result({ job }: ResultProps) {
  const rows = useQuery({ queryKey: ["rows", job.id], queryFn: ({ signal }) => getRows(job.id, 0, FIRST, signal) });
  if (!rows.data) {
    return rows.error ? <p role="alert">{rows.error.message}</p> : null;
  }
  return (
    <table aria-label="Result" className="plain-result">
      <thead>
        <tr>
          {rows.data.columns.map((column) => (
            <th key={column.name} scope="col">
              {column.name} <small>{column.unit}</small>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.data.rows.map((row, index) => (
          <tr key={rows.data.numbers[index]}>
            {row.map((cell, at) => (
              <td key={rows.data.columns[at]?.name}>{text(cell)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
