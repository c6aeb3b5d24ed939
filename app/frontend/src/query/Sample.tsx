import { useQuery } from "@tanstack/react-query";

import { getSample } from "../api";
import { Dialog } from "../frame/Dialog";
import { Waiting } from "../frame/Waiting";
import { words } from "../words";
import { cellText } from "./cells";

/** A few rows of a table, to see what its values look like. */
export function Sample({ table, onClose }: { table: string; onClose: () => void }) {
  const { data, error } = useQuery({ queryKey: ["sample", table], queryFn: ({ signal }) => getSample(table, signal) });
  return (
    <Dialog title={words.tables.sampleOf(table)} onClose={onClose}>
      {error && <p className="error">{error.message}</p>}
      {!data && !error && <Waiting />}
      {data && (
        // A region that scrolls has to be reached by the keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className="scroll" role="region" aria-label={words.tables.sampleOf(table)} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {data.columns.map((column) => (
                  <th key={column.name} scope="col" title={column.description}>
                    {column.name} <small className="quiet">{column.unit}</small>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.rows.map((row, index) => (
                <tr key={index}>
                  {row.map((cell, at) => (
                    <td key={data.columns[at].name} className={typeof cell === "string" ? "" : "digits"}>
                      {cellText(cell)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Dialog>
  );
}
