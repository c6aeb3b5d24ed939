import { useId, useState, type SyntheticEvent } from "react";

import type { Column } from "../../api";
import { words } from "../words";
import { Histogram } from "../columns/Histogram";
import type { Statistics } from "../data/requests";
import type { Condition, Operand, Operator, Where } from "../where";
import { isNumeric, isText } from "./numbers";

interface FilterFormProps {
  column: Column;
  where: Where;
  statistics: Statistics | undefined;
  onApply: (conditions: Condition[]) => void;
}

type Missing = "any" | "isnull" | "notnull";

/** The conditions on one column: a range, a text, a truth value, and whether something is there. */
export function FilterForm({ column, where, statistics, onApply }: FilterFormProps) {
  const own = where.filter((condition) => condition[0] === column.name);
  const operand = (...operators: Operator[]): Operand | undefined => {
    const found = own.find((condition) => operators.includes(condition[1]));
    return typeof found?.[2] === "object" ? undefined : found?.[2];
  };
  const between = own.find((condition) => condition[1] === "between")?.[2] as readonly Operand[] | undefined;
  const [from, setFrom] = useState(String(between?.[0] ?? operand(">=", ">") ?? ""));
  const [to, setTo] = useState(String(between?.[1] ?? operand("<=", "<") ?? ""));
  const [how, setHow] = useState<Operator>(own.find((condition) => ["contains", "starts", "=", "!="].includes(condition[1]))?.[1] ?? "contains");
  const [text, setText] = useState(String(operand("contains", "starts", "=", "!=") ?? ""));
  const [missing, setMissing] = useState<Missing>(own.some(([, one]) => one === "isnull") ? "isnull" : own.some(([, one]) => one === "notnull") ? "notnull" : "any");
  const [problem, setProblem] = useState("");
  const id = useId();
  const numeric = isNumeric(column);
  const ordered = numeric || column.xtype === "timestamp";

  const apply = (event: SyntheticEvent): void => {
    event.preventDefault();
    try {
      onApply(conditions());
      setProblem("");
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  const conditions = (): Condition[] => {
    if (missing === "isnull") return [[column.name, "isnull", null]];
    const out: Condition[] = missing === "notnull" ? [[column.name, "notnull", null]] : [];
    if (ordered) {
      const [low, high] = [limit(from, column), limit(to, column)];
      if (low !== undefined && high !== undefined) {
        if (Number(low) > Number(high)) throw new Error(words.filter.order);
        out.push([column.name, "between", [low, high]]);
      } else if (low !== undefined) out.push([column.name, ">=", low]);
      else if (high !== undefined) out.push([column.name, "<=", high]);
    } else if (text !== "") out.push([column.name, how, column.datatype === "boolean" ? text === "true" : text]);
    return out;
  };

  return (
    <form className="viewer-filter" onSubmit={apply} aria-label={words.filter.of(column.name)}>
      {problem && <p className="viewer-problem" role="alert">{problem}</p>}
      {numeric && statistics?.histogram && (
        <Histogram
          edges={statistics.histogram.edges}
          counts={statistics.histogram.counts}
          onRange={(low, high) => {
            setFrom(String(Number(low.toPrecision(6))));
            setTo(String(Number(high.toPrecision(6))));
          }}
        />
      )}
      {ordered && (
        <div className="viewer-fields">
          <label htmlFor={`${id}from`}>{words.filter.from}</label>
          <input id={`${id}from`} value={from} inputMode="decimal" onChange={(event) => setFrom(event.target.value)} />
          <label htmlFor={`${id}to`}>{words.filter.to}</label>
          <input id={`${id}to`} value={to} inputMode="decimal" onChange={(event) => setTo(event.target.value)} />
          <span className="viewer-unit">{column.unit}</span>
        </div>
      )}
      {!ordered && column.datatype !== "boolean" && isText(column) && (
        <div className="viewer-fields">
          <label htmlFor={`${id}how`} className="unseen">{words.filter.how}</label>
          <select id={`${id}how`} value={how} onChange={(event) => setHow(event.target.value as Operator)}>
            <option value="contains">{words.filter.contains}</option>
            <option value="starts">{words.filter.starts}</option>
            <option value="=">{words.filter.equals}</option>
            <option value="!=">{words.filter.differs}</option>
          </select>
          <label htmlFor={`${id}text`} className="unseen">{words.filter.text}</label>
          <input id={`${id}text`} value={text} list={`${id}top`} onChange={(event) => setText(event.target.value)} />
          <datalist id={`${id}top`}>{statistics?.top?.map(([value]) => <option key={String(value)} value={String(value)} />)}</datalist>
        </div>
      )}
      {column.datatype === "boolean" && (
        <div className="viewer-fields">
          <label htmlFor={`${id}truth`}>{words.filter.value}</label>
          <select id={`${id}truth`} value={text} onChange={(event) => { setHow("="); setText(event.target.value); }}>
            <option value="">{words.filter.any}</option>
            <option value="true">true</option>
            <option value="false">false</option>
          </select>
        </div>
      )}
      <div className="viewer-fields">
        <label htmlFor={`${id}missing`}>{words.filter.missing}</label>
        <select id={`${id}missing`} value={missing} onChange={(event) => setMissing(event.target.value as Missing)}>
          <option value="any">{words.filter.any}</option>
          <option value="notnull">{words.filter.notnull}</option>
          <option value="isnull">{words.filter.isnull}</option>
        </select>
      </div>
      <div className="viewer-actions">
        <button type="submit" className="main">{words.filter.apply}</button>
        <button type="button" onClick={() => onApply([])}>{words.filter.clear}</button>
      </div>
    </form>
  );
}

/** A limit as the API takes it: a number, a long integer or an instant as text; nothing for an empty field. */
function limit(text: string, column: Column): Operand | undefined {
  const given = text.trim().replace("\u2212", "-");
  if (given === "") return undefined;
  if (column.xtype === "timestamp") {
    if (!/^\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?)?$/.test(given)) throw new Error(words.filter.noDate(given));
    return given;
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(given)) throw new Error(words.filter.noNumber(given));
  return column.datatype === "long" && /^[+-]?\d+$/.test(given) ? given : Number(given);
}
