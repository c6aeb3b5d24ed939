import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";

import type { Place, Schema, Table, TableColumn } from "../api";
import { Dialog } from "../frame/Dialog";
import { Field } from "../frame/Field";
import { Waiting } from "../frame/Waiting";
import { words } from "../words";
import { resolving, useSchemas, useTable } from "./archive";
import { built, EMPTY, operatorsOf, type AngleUnit, type Condition, type Draft, type Mistakes, type Operator } from "./builder";

interface BuilderProps {
  onQuery: (query: string, language: "ADQL") => void;
  onClose: () => void;
}

/** A query by choosing: for those who write no ADQL, and to see how it is written. */
export function Builder({ onQuery, onClose }: BuilderProps) {
  const { schemas, error, isPending } = useSchemas();
  const [chosen, setChosen] = useState("");
  // Another table is another query around the same place.
  const [near, setNear] = useState<Near>({ text: "", sought: "", radius: "10", unit: "arcmin" });
  const readable = schemas.map((schema) => ({ ...schema, tables: schema.tables.filter((table) => table.readable) })).filter(({ tables }) => tables.length > 0);
  const qualified = chosen || (readable[0]?.tables[0]?.qualified ?? "");
  return (
    <Dialog title={words.builder.title} onClose={onClose}>
      <p className="quiet">{words.builder.about}</p>
      {isPending && <Waiting />}
      {error && <p className="error">{error.message}</p>}
      {!isPending && !error && !qualified && <p className="quiet">{words.builder.noTable}</p>}
      {qualified && (
        <div className="fields">
          <Field
            label={words.builder.table}
            control={(ids) => <TableSelect ids={ids} schemas={readable} value={qualified} onChange={setChosen} />}
          />
          <OfTable key={qualified} qualified={qualified} schemas={readable} near={near} onNear={setNear} onQuery={onQuery} onClose={onClose} />
        </div>
      )}
    </Dialog>
  );
}

interface TableSelectProps {
  ids: object;
  schemas: Schema[];
  value: string;
  none?: string;
  onChange: (qualified: string) => void;
}

function TableSelect({ ids, schemas, value, none, onChange }: TableSelectProps) {
  return (
    <select {...ids} value={value} onChange={(event) => onChange(event.target.value)}>
      {none !== undefined && <option value="">{none}</option>}
      {schemas.map((schema) => (
        <optgroup key={schema.name} label={schema.title || schema.name}>
          {schema.tables.map((table) => (
            <option key={table.qualified} value={table.qualified}>
              {table.qualified}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}

interface Reach {
  radius: string;
  unit: AngleUnit;
}

interface Near extends Reach {
  text: string;
  /** What was last asked for: the text, unless it has been changed since. */
  sought: string;
}

interface MatchChoice extends Reach {
  qualified: string;
}

interface OfTableProps extends BuilderProps {
  schemas: Schema[];
  near: Near;
  onNear: (near: Near) => void;
}

function OfTable({ qualified, ...rest }: OfTableProps & { qualified: string }) {
  const { table, error } = useTable(qualified);
  if (!table) {
    return error ? <p className="error">{error.message}</p> : <Waiting />;
  }
  return <Form table={table} {...rest} />;
}

function Form({ table, schemas, near, onNear, onQuery, onClose }: OfTableProps & { table: Table }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Omit<Draft, "cone" | "match">>(EMPTY);
  const [match, setMatch] = useState<MatchChoice>({ qualified: "", radius: "1", unit: "arcsec" });
  const [told, setTold] = useState(false);
  const text = near.text.trim();
  const isSought = text !== "" && text === near.sought;
  const { data, error, isFetching } = useQuery({ ...resolving(text), enabled: isSought });
  const place = isSought ? (data ?? null) : null;
  // Of the table itself there is nothing to fetch.
  const other = useTable(match.qualified || table.qualified);
  const joined = match.qualified && other.table?.position ? { table: other.table, radius: match.radius, unit: match.unit } : null;
  const madeAround = (found: Place | null): ReturnType<typeof built> =>
    built({ ...draft, match: joined, cone: found && { ra: found.ra, dec: found.dec, radius: near.radius, unit: near.unit } }, table);
  const { query, mistakes } = madeAround(place);
  const change = (changed: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...changed }));
  const say = (field: string): string[] => sentences(told ? mistakes : {}, field);

  async function take(): Promise<void> {
    setTold(true);
    onNear({ ...near, sought: text });
    let found = null;
    if (text) {
      try {
        found = await client.query(resolving(text));
      } catch {
        // The field says why.
        return;
      }
    }
    const made = madeAround(found);
    if (Object.keys(made.mistakes).length === 0 && (!match.qualified || joined)) {
      onQuery(made.query, "ADQL");
      onClose();
    }
  }

  return (
    <form
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void take();
      }}
    >
      {table.position ? (
        <>
          <Field
            label={words.builder.place}
            hint={place ? words.builder.found(place.name, place.ra, place.dec, place.source) : words.builder.placeHint}
            errors={isSought && error ? [error.message] : undefined}
            control={(ids) => (
              <input
                {...ids}
                value={near.text}
                onChange={(event) => onNear({ ...near, text: event.target.value })}
                onBlur={() => onNear({ ...near, sought: text })}
              />
            )}
          />
          {text && <Angle label={words.builder.radius} errors={say("radius")} {...near} onChange={(changed) => onNear({ ...near, ...changed })} />}
          <MatchFields table={table} schemas={schemas} match={match} onChange={setMatch} />
          {joined && <Angle label={words.builder.matchRadius} errors={say("match")} {...match} onChange={(changed) => setMatch({ ...match, ...changed })} />}
          {match.qualified && other.error && <p className="error">{other.error.message}</p>}
          {match.qualified && other.table && !joined && <p className="error">{words.builder.noPositions}</p>}
        </>
      ) : (
        <p className="quiet">{words.builder.noPositions}</p>
      )}
      <ColumnChoice columns={table.columns} chosen={draft.columns} onChange={(columns) => change({ columns })} />
      <Conditions columns={table.columns} conditions={draft.conditions} say={say} onChange={(conditions) => change({ conditions })} />
      <Field
        label={words.builder.order}
        control={(ids) => (
          <div className="line">
            <select
              {...ids}
              value={draft.order?.column ?? ""}
              onChange={({ target }) => change({ order: target.value ? { column: target.value, descending: draft.order?.descending ?? false } : null })}
            >
              <option value="">{words.builder.orderNone}</option>
              {table.columns.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
            {draft.order && <Descending order={draft.order} onChange={(order) => change({ order })} />}
          </div>
        )}
      />
      <Field
        label={words.builder.rows}
        errors={say("rows")}
        control={(ids) => <input {...ids} inputMode="numeric" value={draft.rows} onChange={(event) => change({ rows: event.target.value })} />}
      />
      <pre className="made" aria-label={words.builder.query}>
        {query}
      </pre>
      <button type="submit" className="main" aria-busy={isFetching}>
        {words.builder.take}
      </button>
    </form>
  );
}

function sentences(mistakes: Mistakes, field: string): string[] {
  const mistake = mistakes[field];
  return mistake ? [words.builder.mistakes[mistake]] : [];
}

interface AngleProps extends Reach {
  label: string;
  errors: string[];
  onChange: (changed: Partial<Reach>) => void;
}

function Angle({ label, radius, unit, errors, onChange }: AngleProps) {
  return (
    <Field
      label={label}
      errors={errors}
      control={(ids) => (
        <div className="line">
          <input {...ids} inputMode="decimal" value={radius} onChange={(event) => onChange({ radius: event.target.value })} />
          <select aria-label={`${label}: ${words.builder.unit}`} value={unit} onChange={(event) => onChange({ unit: event.target.value as AngleUnit })}>
            {(Object.keys(words.builder.units) as AngleUnit[]).map((one) => (
              <option key={one} value={one}>
                {words.builder.units[one]}
              </option>
            ))}
          </select>
        </div>
      )}
    />
  );
}

interface MatchFieldsProps {
  table: Table;
  schemas: Schema[];
  match: MatchChoice;
  onChange: (match: MatchChoice) => void;
}

function MatchFields({ table, schemas, match, onChange }: MatchFieldsProps) {
  const others = schemas
    .map((schema) => ({ ...schema, tables: schema.tables.filter(({ qualified }) => qualified !== table.qualified) }))
    .filter(({ tables, name }) => tables.length > 0 && name !== "tap_schema");
  return (
    <Field
      label={words.builder.match}
      hint={words.builder.matchHint}
      control={(ids) => (
        <TableSelect ids={ids} schemas={others} value={match.qualified} none={words.builder.matchNone} onChange={(qualified) => onChange({ ...match, qualified })} />
      )}
    />
  );
}

function ColumnChoice({ columns, chosen, onChange }: { columns: TableColumn[]; chosen: string[]; onChange: (chosen: string[]) => void }) {
  return (
    <fieldset>
      <legend>{words.builder.columns}</legend>
      <p className="quiet">{words.builder.columnsHint}</p>
      <div className="choices">
        {columns.map(({ name, description }) => (
          <label key={name} title={description}>
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) => onChange(event.target.checked ? [...chosen, name] : chosen.filter((other) => other !== name))}
            />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface ConditionsProps {
  columns: TableColumn[];
  conditions: Condition[];
  say: (field: string) => string[];
  onChange: (conditions: Condition[]) => void;
}

function Conditions({ columns, conditions, say, onChange }: ConditionsProps) {
  const first = columns[0];
  const added: Condition = { column: first.name, operator: operatorsOf(first)[0], value: "", to: "" };
  return (
    <fieldset>
      <legend>{words.builder.conditions}</legend>
      {conditions.map((condition, place) => (
        <ConditionLine
          key={place}
          number={place + 1}
          columns={columns}
          condition={condition}
          errors={say(`conditions.${place}`)}
          onChange={(changed) => onChange(conditions.map((other, at) => (at === place ? changed : other)))}
          onRemove={() => onChange(conditions.filter((_, at) => at !== place))}
        />
      ))}
      <div>
        <button type="button" className="small" onClick={() => onChange([...conditions, added])}>
          {words.builder.add}
        </button>
      </div>
    </fieldset>
  );
}

interface ConditionLineProps {
  number: number;
  columns: TableColumn[];
  condition: Condition;
  errors: string[];
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}

function ConditionLine({ number, columns, condition, errors, onChange, onRemove }: ConditionLineProps) {
  const about = useId();
  const column = columns.find(({ name }) => name === condition.column) ?? columns[0];
  const valued = condition.operator !== "null" && condition.operator !== "not null";
  const described = { "aria-describedby": about, "aria-invalid": errors.length > 0 };

  function choose(name: string): void {
    const operators = operatorsOf(columns.find((other) => other.name === name) ?? column);
    onChange({ ...condition, column: name, operator: operators.includes(condition.operator) ? condition.operator : operators[0] });
  }

  return (
    <div className={errors.length > 0 ? "field wrong" : "field"}>
      <div className="line">
        <select aria-label={words.builder.column(number)} value={column.name} onChange={(event) => choose(event.target.value)}>
          {columns.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select
          aria-label={words.builder.operator(number)}
          value={condition.operator}
          onChange={(event) => onChange({ ...condition, operator: event.target.value as Operator })}
        >
          {operatorsOf(column).map((operator) => (
            <option key={operator} value={operator}>
              {words.builder.operators[operator]}
            </option>
          ))}
        </select>
        {valued && (
          <input {...described} aria-label={words.builder.value(number)} value={condition.value} onChange={(event) => onChange({ ...condition, value: event.target.value })} />
        )}
        {condition.operator === "between" && (
          <>
            <span>{words.builder.and}</span>
            <input {...described} aria-label={words.builder.to(number)} value={condition.to} onChange={(event) => onChange({ ...condition, to: event.target.value })} />
          </>
        )}
        {valued && <span className="quiet">{column.unit}</span>}
        <button type="button" className="plain" aria-label={words.builder.remove(number)} onClick={onRemove}>
          ×
        </button>
      </div>
      <div id={about}>
        {condition.operator === "like" && <p className="quiet">{words.builder.likeHint}</p>}
        {errors.length > 0 && <p className="error">{errors.join(" ")}</p>}
      </div>
    </div>
  );
}

function Descending({ order, onChange }: { order: NonNullable<Draft["order"]>; onChange: (order: NonNullable<Draft["order"]>) => void }) {
  return (
    <label>
      <input type="checkbox" checked={order.descending} onChange={(event) => onChange({ ...order, descending: event.target.checked })} /> {words.builder.descending}
    </label>
  );
}
