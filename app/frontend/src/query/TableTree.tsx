import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";

import { searchArchive, type Schema, type TableSummary } from "../api";
import { Waiting } from "../frame/Waiting";
import { words } from "../words";
import { useSchemas, useTable } from "./archive";
import { Sample } from "./Sample";
import { filtered, firstQuery } from "./search";
import type { SidebarProps } from "./Sidebar";
import { written, writtenPath } from "./tokens";

const OWN = "tap_user";

/** Schemas, tables and columns; a name that is clicked goes into the query. */
export function TableTree({ onInsert, onQuery }: SidebarProps) {
  const { schemas, error, isPending } = useSchemas();
  const [text, setText] = useState("");
  const sought = useDeferredValue(text.trim());
  const [sampled, setSampled] = useState<string | null>(null);
  const shown = filtered(schemas, sought);
  const published = shown.filter(({ name }) => name !== OWN);
  const own = shown.find(({ name }) => name === OWN);
  const actions = { onInsert, onQuery, onSample: setSampled };
  return (
    <div className="section tree">
      <h2>{words.tables.title}</h2>
      <input
        type="search"
        aria-label={words.tables.search}
        placeholder={words.tables.searchHint}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {isPending && <Waiting />}
      {error && <p className="error">{error.message}</p>}
      {!isPending && !error && schemas.length === 0 && <p className="quiet">{words.tables.empty}</p>}
      {published.map((schema) => (
        <SchemaBranch key={schema.name} schema={schema} open={sought !== "" || schemas.length <= 4} actions={actions} />
      ))}
      {sought && <FoundColumns text={sought} onInsert={onInsert} nothing={shown.length === 0} />}
      <h2>{words.tables.own}</h2>
      {own ? (
        <ul>
          {own.tables.map((table) => (
            <TableBranch key={table.qualified} table={table} actions={actions} />
          ))}
        </ul>
      ) : (
        <p className="quiet">{words.tables.ownEmpty}</p>
      )}
      {sampled && <Sample table={sampled} onClose={() => setSampled(null)} />}
    </div>
  );
}

interface Actions extends SidebarProps {
  onSample: (table: string) => void;
}

function SchemaBranch({ schema, open, actions }: { schema: Schema; open: boolean; actions: Actions }) {
  const [toggled, setToggled] = useState<boolean | null>(null);
  const isOpen = toggled ?? open;
  return (
    <div className="branch">
      <button type="button" className="plain item" aria-expanded={isOpen} title={schema.description} onClick={() => setToggled(!isOpen)}>
        {schema.name}
      </button>
      {isOpen && (
        <ul>
          {schema.tables.map((table) => (
            <TableBranch key={table.qualified} table={table} actions={actions} />
          ))}
        </ul>
      )}
    </div>
  );
}

function TableBranch({ table, actions }: { table: TableSummary; actions: Actions }) {
  const [isOpen, setOpen] = useState(false);
  const path = writtenPath(table.qualified);
  return (
    <li>
      <div className="row">
        <button type="button" className="plain item" aria-expanded={isOpen} title={table.title || table.description} onClick={() => setOpen(!isOpen)}>
          <span className="name">{table.name}</span>
          {!table.readable && (
            <span className="quiet" title={words.tables.closedHint}>
              {words.tables.closed}
            </span>
          )}
          <span className="quiet digits" title={words.tables.rowsFull(table.rows)}>
            {words.tables.rows(table.rows)}
          </span>
        </button>
      </div>
      {isOpen && (
        <div className="leaf">
          {(table.description || table.title) && <p className="quiet tree-about">{table.description || table.title}</p>}
          <div className="leaf-actions">
            <button type="button" className="small" aria-label={words.tables.insert(path)} onClick={() => actions.onInsert(path)}>
              {words.tables.insertShort}
            </button>
            <button type="button" className="small" onClick={() => actions.onQuery(firstQuery(path))}>
              {words.tables.select}
            </button>
            <button type="button" className="small" onClick={() => actions.onSample(table.qualified)}>
              {words.tables.sample}
            </button>
          </div>
          <Columns table={table.qualified} onInsert={actions.onInsert} />
        </div>
      )}
    </li>
  );
}

function Columns({ table, onInsert }: { table: string; onInsert: (text: string) => void }) {
  const { table: found, error } = useTable(table);
  if (!found) {
    return error ? <p className="error">{error.message}</p> : <Waiting />;
  }
  return (
    <ul className="tree-columns">
      {found.columns.map((column) => (
        <li key={column.name}>
          <button
            type="button"
            className="plain item"
            title={[column.description, column.ucd, column.datatype, column.indexed && words.tables.indexed].filter(Boolean).join("\n")}
            onClick={() => onInsert(written(column.name))}
          >
            <span className="name">
              <span className="unseen">{words.tables.insertShort} </span>
              {column.name}
              {column.indexed && <span className="mark" aria-hidden="true">•</span>}
            </span>
            <span className="quiet">{column.unit}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Columns by name, description, UCD and unit: the server ranks them. */
function FoundColumns({ text, onInsert, nothing }: { text: string; onInsert: (text: string) => void; nothing: boolean }) {
  const { data } = useQuery({
    queryKey: ["search", text],
    queryFn: ({ signal }) => searchArchive(text, 30, signal),
    enabled: text.length > 1,
    placeholderData: (before) => before,
  });
  const columns = (data ?? []).filter(({ kind }) => kind === "column");
  if (columns.length === 0) {
    return nothing && data ? <p className="quiet">{words.tables.none(text)}</p> : null;
  }
  return (
    <>
      <h3>{words.tables.columns}</h3>
      <ul className="tree-columns">
        {columns.map((column) => (
          <li key={column.qualified}>
            <button
              type="button"
              className="plain item"
              title={[column.description, column.ucd].filter(Boolean).join("\n")}
              onClick={() => onInsert(written(column.name))}
            >
              <span className="name">
                <span className="unseen">{words.tables.insertShort} </span>
                {column.name} <small className="quiet">{column.qualified.split(".").slice(0, -1).join(".")}</small>
              </span>
              <span className="quiet">{column.unit}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
