import { useId, useState, type ReactNode, type SyntheticEvent } from "react";

import type { Column } from "../../api";
import { choices } from "../data/quantities";
import { colourMagnitude, lightCurve } from "../guess";
import { isNumeric, isText } from "../table/numbers";
import type { Limits, PlotState } from "../state";
import { words } from "../words";
import { usable } from "./axis";
import { RAMPS } from "./colours";
import { freshAxis } from "./model";

interface ControlsProps {
  plot: PlotState;
  columns: readonly Column[];
  dense: boolean;
  onPlot: (change: Partial<PlotState>) => void;
}

/** What is plotted: kind, columns, axes. */
export function Controls({ plot, columns, dense, onPlot }: ControlsProps) {
  const quantities = choices(columns).map((one) => one.text);
  const colourable = columns.filter((column) => isNumeric(column) || isText(column)).map((column) => column.name);
  const preset = colourMagnitude(columns);
  const curve = lightCurve(columns);
  const kind = (to: PlotState["kind"]): void => {
    if (to === "time" && curve && plot.kind !== "time") onPlot(curve);
    else onPlot({ kind: to });
  };
  return (
    <div className="viewer-controls">
      <div className="viewer-switch" role="group" aria-label={words.plot.kind}>
        {(["scatter", "histogram", "time"] as const).map((one) => (
          <button key={one} type="button" aria-pressed={plot.kind === one} onClick={() => kind(one)}>{words.plot[one]}</button>
        ))}
      </div>
      {preset && <button type="button" onClick={() => onPlot(preset)}>{words.plot.preset}</button>}
      <Choice label={words.plot.x} value={plot.x} options={quantities} onChange={(x) => onPlot({ x, xAxis: freshAxis(x, columns) })} />
      <AxisButton name={words.plot.x} limits={plot.xAxis} onLimits={(xAxis) => onPlot({ xAxis })} />
      {plot.kind !== "histogram" && (
        <Choice label={words.plot.y} value={plot.y} options={quantities} onChange={(y) => onPlot({ y, yAxis: freshAxis(y, columns) })} />
      )}
      <AxisButton name={plot.kind === "histogram" ? words.plot.count : words.plot.y} limits={plot.yAxis} onLimits={(yAxis) => onPlot({ yAxis })} />
      {plot.kind === "histogram" && (
        <NumberField label={words.plot.bins} value={plot.bins} onValue={(bins) => bins !== undefined && onPlot({ bins: Math.min(1000, Math.max(2, Math.round(bins))) })} />
      )}
      {plot.kind === "time" && (
        <>
          <NumberField label={words.plot.period} value={plot.period} onValue={(period) => onPlot({ period: period !== undefined && period > 0 ? period : undefined })} />
          {plot.period !== undefined && <NumberField label={words.plot.epoch} value={plot.epoch} onValue={(epoch) => onPlot({ epoch })} />}
        </>
      )}
      {plot.kind !== "histogram" && (
        <More label="⋯">
          <Choice label={words.plot.colour} value={plot.colour} options={colourable} none onChange={(colour) => onPlot({ colour })} />
          <Choice label={words.plot.size} value={plot.size} options={quantities} none onChange={(size) => onPlot({ size })} />
          <Choice label={words.plot.ramp} value={plot.ramp} options={RAMPS} onChange={(ramp) => onPlot({ ramp: RAMPS.find((one) => one === ramp) ?? "viridis" })} />
          <label className="viewer-field">
            <span>{words.plot.density}</span>
            <select value={plot.density} onChange={(event) => onPlot({ density: event.target.value as PlotState["density"] })}>
              <option value="auto">{words.plot.auto}</option>
              <option value="on">{words.plot.on}</option>
              <option value="off">{words.plot.off}</option>
            </select>
          </label>
          <label className="viewer-check">
            <input type="checkbox" checked={plot.errors} disabled={dense} onChange={(event) => onPlot({ errors: event.target.checked })} /> {words.plot.errors}
          </label>
        </More>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly string[];
  none?: boolean;
  onChange: (value: string) => void;
}

export function Choice({ label, value, options, none, onChange }: ChoiceProps) {
  return (
    <label className="viewer-field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {(none ?? !options.includes(value)) && <option value="">{words.plot.none}</option>}
        {options.map((option) => <option key={option}>{option}</option>)}
      </select>
    </label>
  );
}

/** A number that is taken when the field is left, or with Enter. */
export function NumberField({ label, value, onValue }: { label: string; value: number | undefined; onValue: (value: number | undefined) => void }) {
  const [text, setText] = useState<string>();
  const take = (): void => {
    if (text === undefined) return;
    const given = text.trim() === "" ? undefined : Number(text.replace("\u2212", "-"));
    if (given === undefined || Number.isFinite(given)) onValue(given);
    setText(undefined);
  };
  return (
    <label className="viewer-field">
      <span>{label}</span>
      <input
        size={9}
        inputMode="decimal"
        value={text ?? (value === undefined ? "" : String(value))}
        onChange={(event) => setText(event.target.value)}
        onBlur={take}
        onKeyDown={(event) => event.key === "Enter" && take()}
      />
    </label>
  );
}

/** Further settings behind a button, which Esc closes. */
export function More({ label, title = label === "⋯" ? "More" : label, children }: { label: string; title?: string; children: ReactNode }) {
  const id = useId();
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- takes Esc from the fields inside, is not itself operated
    <details
      className="viewer-more"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !event.currentTarget.open) return;
        event.currentTarget.open = false;
        event.currentTarget.querySelector("summary")?.focus();
        event.stopPropagation();
      }}
      onBlur={(event) => {
        if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false;
      }}
    >
      <summary id={id} aria-label={title}>{label}</summary>
      <div role="group" aria-labelledby={id}>{children}</div>
    </details>
  );
}

function AxisButton({ name, limits, onLimits }: { name: string; limits: Limits; onLimits: (limits: Limits) => void }) {
  const key = `${limits.min ?? ""} ${limits.max ?? ""}`;
  return (
    <More label="⚙" title={words.plot.axis(name)}>
      <label className="viewer-check">
        <input type="checkbox" checked={limits.log} onChange={(event) => onLimits({ reversed: limits.reversed, log: event.target.checked })} /> {words.plot.log}
      </label>
      <label className="viewer-check">
        <input type="checkbox" checked={limits.reversed} onChange={(event) => onLimits({ ...limits, reversed: event.target.checked })} /> {words.plot.reversed}
      </label>
      <LimitsForm key={key} limits={limits} onLimits={onLimits} />
    </More>
  );
}

function LimitsForm({ limits, onLimits }: { limits: Limits; onLimits: (limits: Limits) => void }) {
  const [from, setFrom] = useState(limits.min === undefined ? "" : String(Number(limits.min.toPrecision(6))));
  const [to, setTo] = useState(limits.max === undefined ? "" : String(Number(limits.max.toPrecision(6))));
  const [problem, setProblem] = useState(false);
  const apply = (event: SyntheticEvent): void => {
    event.preventDefault();
    const limit = (text: string): number | undefined => (text.trim() === "" ? undefined : Number(text.replace("\u2212", "-")));
    const [min, max] = [limit(from), limit(to)];
    const good = (min === undefined || !Number.isNaN(min)) && (max === undefined || !Number.isNaN(max)) &&
      (min === undefined || max === undefined ? !limits.log || (min ?? max ?? 1) > 0 : usable(min, max, limits.log));
    setProblem(!good);
    if (good) onLimits({ ...limits, min, max });
  };
  return (
    <form onSubmit={apply} className="viewer-fields">
      {problem && <p className="viewer-problem" role="alert">{words.plot.limitsProblem}</p>}
      <label className="viewer-field"><span>{words.plot.from}</span><input size={9} value={from} onChange={(event) => setFrom(event.target.value)} /></label>
      <label className="viewer-field"><span>{words.plot.to}</span><input size={9} value={to} onChange={(event) => setTo(event.target.value)} /></label>
      <button type="submit">{words.filter.apply}</button>
      <button type="button" onClick={() => onLimits({ log: limits.log, reversed: limits.reversed })}>{words.plot.fit}</button>
    </form>
  );
}
