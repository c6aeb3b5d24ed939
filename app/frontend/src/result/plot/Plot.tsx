import { useCallback, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import { Waiting } from "../../frame/Waiting";
import { useFrame } from "../data/useFrame";
import { POINTS } from "../data/requests";
import type { ViewProps } from "../Result";
import { simplified, type Region } from "../selection";
import { brief } from "../table/numbers";
import type { Limits, PlotState } from "../state";
import { words } from "../words";
import { toPixel, toValue, type Axis } from "./axis";
import { BinnedPlot } from "./BinnedPlot";
import { Controls } from "./Controls";
import { ExportMenu } from "./ExportMenu";
import { Frame } from "./Frame";
import { plotFrame, type PlotFrame } from "./frame";
import { HistogramBars } from "./HistogramBars";
import { discs, nearest, opacityOf, type Layer } from "./layer";
import { Legend } from "./Legend";
import { axesValues, axisOf, DENSE, shades, sizes, wanted } from "./model";
import { Picture } from "./Picture";
import { places, histogram } from "./raster";
import { useBrush, type Drawn, type Place, type Tool } from "./useBrush";
import { useInk } from "./useInk";
import { useSize } from "./useSize";
import { useWheel } from "./useWheel";
import { ramp as rampOf } from "./colours";

/** The plot of a result: scatter, histogram or light curve, drawn from columns, or from bins where there are too many rows. */
export default function Plot(props: ViewProps) {
  const { job, columns, state, change } = props;
  const { plot } = state;
  const want = useMemo(() => wanted(plot, columns), [plot, columns]);
  const binned = (job.rows ?? 0) > POINTS;
  const onPlot = useCallback((part: Partial<PlotState>) => change({ plot: { ...plot, ...part } }), [change, plot]);
  const loaded = useFrame(job, want.names, state.where, !binned && want.names.length > 0);
  return (
    <section className="viewer-panel viewer-panel-plot" aria-label={words.plot.title}>
      <Controls plot={plot} columns={columns} dense={(loaded.frame?.length ?? 0) > DENSE} onPlot={onPlot} />
      {!want.x ? <p className="viewer-empty">{words.plot.nothing}</p>
      : binned ? <BinnedPlot {...props} onPlot={onPlot} />
      : loaded.error ? <p className="viewer-problem" role="alert">{loaded.error.message}</p>
      : !loaded.frame ? <Waiting what={words.plot.loading} />
      : <Drawing {...props} frame={loaded.frame} numbers={loaded.numbers} onPlot={onPlot} />}
    </section>
  );
}

interface DrawingProps extends ViewProps {
  frame: NonNullable<ReturnType<typeof useFrame>["frame"]>;
  numbers: Int32Array | null;
  onPlot: (part: Partial<PlotState>) => void;
}

function Drawing({ columns, state, change, marks, frame, numbers, onPlot }: DrawingProps) {
  const { plot } = state;
  const holder = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const surface = useRef<SVGSVGElement>(null);
  const size = useSize(holder);
  const colours = useInk(holder);
  const [tool, setTool] = useState<Tool>("box");
  const [under, setUnder] = useState<{ place: Place; lines: string[] }>();
  const want = useMemo(() => wanted(plot, columns), [plot, columns]);
  const data = useMemo(() => axesValues(plot, want, frame), [plot, want, frame]);
  const bars = plot.kind === "histogram";
  const xAxis = useMemo(() => data && axisOf(data.x, plot.xAxis, data.xTime), [data, plot.xAxis]);
  const counts = useMemo(() => {
    if (!bars || !data || !xAxis) return undefined;
    return histogram(data.x, binScale(xAxis, plot.bins), plot.bins);
  }, [bars, data, xAxis, plot.bins]);
  const yAxis = useMemo((): Axis | undefined => {
    if (!data) return undefined;
    if (!counts) return axisOf(data.y, plot.yAxis, false);
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    const { log, reversed, min, max } = plot.yAxis;
    return { log, reversed, time: false, min: min ?? (log ? 0.5 : 0), max: max ?? most * (log ? 1.5 : 1.05) };
  }, [data, counts, plot.yAxis]);
  const drawn = useMemo(() => {
    if (!data || !xAxis || !yAxis || size.width < 60 || size.height < 60) return undefined;
    return plotFrame(size.width, size.height, xAxis, yAxis, data.xTitle, data.yTitle);
  }, [data, xAxis, yAxis, size]);

  const dense = plot.density === "on" || (plot.density === "auto" && frame.length > DENSE);
  const ratio = dense ? 1 : Math.min(2, window.devicePixelRatio || 1);
  const shade = useMemo(() => shades(plot, dense ? undefined : want.colour, frame, colours.dot), [plot, dense, want.colour, frame, colours.dot]);
  const layer = useMemo((): Layer | undefined => {
    if (!drawn || !data || bars) return undefined;
    const pixels = { width: Math.round(drawn.box.width * ratio), height: Math.round(drawn.box.height * ratio) };
    const by = (scale: PlotFrame["x"]) => ({ ...scale, offset: scale.offset * ratio, factor: scale.factor * ratio });
    return {
      size: pixels,
      at: places(data.x, data.y, by(drawn.x), by(drawn.y), pixels, new Int32Array(frame.length)),
      numbers,
      density: dense,
      ramp: dense ? rampOf(plot.ramp) : shade.ramp,
      shade: shade.shade,
      big: dense ? undefined : sizes(want.size, frame, 8),
      stamps: discs(ratio),
      opacity: opacityOf(frame.length),
    };
  }, [drawn, data, bars, ratio, frame, numbers, dense, plot.ramp, shade, want.size]);
  const errorBars = useMemo(() => {
    if (!drawn || !data || dense || (!want.xError && !want.yError)) return undefined;
    const xError = want.xError && frame.columns.get(want.xError.name);
    const yError = want.yError && frame.columns.get(want.yError.name);
    return (context: CanvasRenderingContext2D): void => {
      context.save();
      context.scale(ratio, ratio);
      context.strokeStyle = colours.dot;
      context.globalAlpha = 0.4;
      context.beginPath();
      for (let k = 0; k < frame.length; k++) {
        const [x, y] = [toPixel(drawn.x, data.x[k]), toPixel(drawn.y, data.y[k])];
        if (!(x >= 0 && x <= drawn.box.width && y >= 0 && y <= drawn.box.height)) continue;
        if (xError?.kind === "number" && xError.values[k] > 0) {
          context.moveTo(toPixel(drawn.x, data.x[k] - xError.values[k]), y);
          context.lineTo(toPixel(drawn.x, data.x[k] + xError.values[k]), y);
        }
        if (yError?.kind === "number" && yError.values[k] > 0) {
          context.moveTo(x, toPixel(drawn.y, data.y[k] - yError.values[k]));
          context.lineTo(x, toPixel(drawn.y, data.y[k] + yError.values[k]));
        }
      }
      context.stroke();
      context.restore();
    };
  }, [drawn, data, dense, want.xError, want.yError, frame, ratio, colours.dot]);

  const select = (region: Region, how: Drawn["how"]): void => {
    const step = { how: how === "subtract" ? ("subtract" as const) : ("add" as const), region };
    change({ selection: how === "set" ? [step] : [...state.selection, step] });
  };

  const limits = (which: "xAxis" | "yAxis", min: number, max: number): Limits => ({ ...plot[which], min, max });

  /** New limits from two places of the box on each axis. */
  const zoomTo = (left: number, right: number, top: number, bottom: number): void => {
    if (!drawn) return;
    const [x1, x2] = [toValue(drawn.x, left), toValue(drawn.x, right)].sort((a, b) => a - b);
    const [y1, y2] = [toValue(drawn.y, top), toValue(drawn.y, bottom)].sort((a, b) => a - b);
    if (x1 < x2 && y1 < y2) onPlot({ xAxis: limits("xAxis", x1, x2), ...(!bars && { yAxis: limits("yAxis", y1, y2) }) });
  };
  const zoom = (factor: number, [x, y]: Place): void => {
    if (!drawn) return;
    const { width, height } = drawn.box;
    zoomTo(x - x * factor, x + (width - x) * factor, y - y * factor, y + (height - y) * factor);
  };
  const pan = (dx: number, dy: number): void => {
    if (drawn) zoomTo(dx, drawn.box.width + dx, dy, drawn.box.height + dy);
  };
  const home = (): void => {
    const { log, reversed } = plot.xAxis;
    onPlot({ xAxis: { log, reversed }, yAxis: { log: plot.yAxis.log, reversed: plot.yAxis.reversed } });
  };

  const regionOf = (points: readonly Place[], shape: Tool): Region | undefined => {
    if (!drawn) return undefined;
    // A phase is no column, and cannot be said of rows again.
    if (plot.kind === "time" && plot.period !== undefined) return undefined;
    const values = points.map(([x, y]): Place => [toValue(drawn.x, x), toValue(drawn.y, y)]);
    const [xs, ys] = [values.map(([x]) => x), values.map(([, y]) => y)];
    const from: Place = [tidy(Math.min(...xs)), tidy(Math.min(...ys))];
    const to: Place = [tidy(Math.max(...xs)), tidy(Math.max(...ys))];
    if (bars) return { kind: "range", x: plot.x, from: from[0], to: to[0] };
    if (shape === "box") return { kind: "box", x: plot.x, y: plot.y, from, to };
    return { kind: "lasso", x: plot.x, y: plot.y, points: values.map(([x, y]) => [tidy(x), tidy(y)]), log: [plot.xAxis.log, plot.yAxis.log] };
  };

  const brush = useBrush({
    tool,
    layer,
    marks,
    ratio,
    onDone: ({ tool: shape, points, how }) => {
      const region = regionOf(shape === "lasso" ? simplified(points, 1.5) : points, shape);
      if (region) select(region, how);
      else change({ selection: [{ how: "add", region: { kind: "rows", rows: rowsOf(marks.bytes) } }] });
    },
    onClick: (place) => {
      const row = layer ? nearest(layer, place[0] * ratio, place[1] * ratio, 8 * ratio) : -1;
      if (row >= 0) select({ kind: "rows", rows: [numbers ? numbers[row] : row] }, "set");
      else if (state.selection.length) change({ selection: [] });
    },
    onPan: (from, to) => pan(from[0] - to[0], from[1] - to[1]),
  });

  const onHover = (event: PointerEvent): void => {
    brush.onPointerMove(event);
    if (!layer || !data || event.buttons) {
      setUnder(undefined);
      return;
    }
    const box = event.currentTarget.getBoundingClientRect();
    const place: Place = [event.clientX - box.left, event.clientY - box.top];
    const row = nearest(layer, place[0] * ratio, place[1] * ratio, 7 * ratio);
    setUnder(row < 0 ? undefined : {
      place,
      lines: [words.table.row(numbers ? numbers[row] : row), `${data.xTitle}: ${brief(data.x[row])}`, `${data.yTitle}: ${brief(data.y[row])}`],
    });
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!drawn || event.ctrlKey || event.metaKey) return;
    const { width, height } = drawn.box;
    const moves: Partial<Record<string, () => void>> = {
      ArrowLeft: () => pan(-width / 8, 0), ArrowRight: () => pan(width / 8, 0), ArrowUp: () => pan(0, -height / 8), ArrowDown: () => pan(0, height / 8),
      "+": () => zoom(0.7, [width / 2, height / 2]), "=": () => zoom(0.7, [width / 2, height / 2]), "-": () => zoom(1 / 0.7, [width / 2, height / 2]),
      "0": home, s: selectShown,
    };
    const does = moves[event.key];
    if (!does) return;
    does();
    event.preventDefault();
    event.stopPropagation();
  };
  const selectShown = (): void => {
    const region = drawn && regionOf([[0, 0], [drawn.box.width, drawn.box.height]], "box");
    if (region) select(region, "set");
  };

  useWheel(surface, drawn !== undefined, (delta, place) => zoom(delta > 0 ? 1.15 : 1 / 1.15, place));

  const shown = useMemo(() => (layer ? layer.at.reduce((sum, at) => sum + (at >= 0 ? 1 : 0), 0) : frame.length), [layer, frame]);
  return (
    <>
      <div className="viewer-bar viewer-tools">
        <div className="viewer-switch" role="group" aria-label={words.plot.tool}>
          {(["box", "lasso", "pan"] as const).filter((one) => one !== "lasso" || !bars).map((one) => (
            <button key={one} type="button" aria-pressed={tool === one} onClick={() => setTool(one)}>{words.plot[one]}</button>
          ))}
        </div>
        <button type="button" className="viewer-small" aria-label={words.plot.zoomIn} onClick={() => drawn && zoom(0.7, [drawn.box.width / 2, drawn.box.height / 2])}>+</button>
        <button type="button" className="viewer-small" aria-label={words.plot.zoomOut} onClick={() => drawn && zoom(1 / 0.7, [drawn.box.width / 2, drawn.box.height / 2])}>−</button>
        <button type="button" className="viewer-small" onClick={home}>{words.plot.home}</button>
        <button type="button" className="viewer-small" onClick={selectShown}>{words.plot.selectShown}</button>
        <span className="viewer-spacer" />
        <span className="viewer-quiet" role="status">{words.plot.points(shown, frame.length)}</span>
        {drawn && <ExportMenu frame={drawn} layer={layer} base={base} holder={holder} plot={plot} columns={columns} counts={counts} xAxis={xAxis} yAxis={yAxis} />}
      </div>
      <div ref={holder} className="viewer-drawing" onPointerLeave={() => setUnder(undefined)}>
        {data && !drawn && size.width > 0 && <p className="viewer-empty">{words.plot.noValues}</p>}
        {drawn && (
          <>
            {layer && <Picture layer={layer} marks={marks} left={drawn.box.left} top={drawn.box.top} width={drawn.box.width} height={drawn.box.height} over={errorBars} base={base} />}
            <Frame frame={drawn} />
            {bars && data && xAxis && counts && <HistogramBars frame={drawn} counts={counts} values={data.x} axis={xAxis} marks={marks} numbers={numbers} />}
            <svg
              ref={surface}
              className={`viewer-surface viewer-surface-${tool}`}
              role="group"
              aria-roledescription="plot"
              aria-label={words.plot.picture(words.plot[plot.kind], data?.xTitle ?? "", data?.yTitle ?? "", shown)}
              aria-describedby="viewer-plot-hint"
              tabIndex={0}
              style={{ left: drawn.box.left, top: drawn.box.top }}
              width={drawn.box.width}
              height={drawn.box.height}
              onPointerDown={brush.onPointerDown}
              onPointerMove={onHover}
              onPointerUp={brush.onPointerUp}
              onPointerCancel={brush.onPointerCancel}
              onDoubleClick={home}
              onKeyDown={onKeyDown}
            >
              {brush.shape.length > 1 && <polygon className="viewer-brush" points={brush.shape.map(([x, y]) => `${x},${y}`).join(" ")} />}
            </svg>
            {under && (
              <div className="viewer-tip" style={{ left: drawn.box.left + under.place[0] + 12, top: drawn.box.top + under.place[1] + 12 }} aria-hidden>
                {under.lines.map((line) => <div key={line}>{line}</div>)}
              </div>
            )}
            {shade.legend && !dense && <Legend shades={shade} />}
          </>
        )}
        <p id="viewer-plot-hint" className="unseen">{words.plot.hint}</p>
      </div>
    </>
  );
}

/** Values of the axis to bins 0…n. */
function binScale(axis: Axis, bins: number) {
  const [a, b] = axis.log ? [Math.log10(axis.min), Math.log10(axis.max)] : [axis.min, axis.max];
  const factor = bins / (b - a);
  return { log: axis.log, factor, offset: -factor * a };
}

/** Seven digits are finer than a pixel, and fit into an address. */
function tidy(value: number): number {
  return Number(value.toPrecision(7));
}

function rowsOf(bytes: Uint8Array): number[] {
  const rows: number[] = [];
  for (let k = 0; k < bytes.length; k++) if (bytes[k] === 1) rows.push(k);
  return rows;
}
