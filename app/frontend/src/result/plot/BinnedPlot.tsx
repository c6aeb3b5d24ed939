import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";

import type { Column } from "../../api";
import { Waiting } from "../../frame/Waiting";
import { getBins, POINTS } from "../data/requests";
import type { ViewProps } from "../Result";
import { title } from "../data/quantities";
import type { PlotState } from "../state";
import { words } from "../words";
import { toPixel, toValue } from "./axis";
import { ramp } from "./colours";
import { Frame } from "./Frame";
import { plotFrame } from "./frame";
import { wanted } from "./model";
import { paintDensity } from "./raster";
import { useBrush } from "./useBrush";
import { useSize } from "./useSize";

interface BinnedProps extends ViewProps {
  onPlot: (part: Partial<PlotState>) => void;
}

/** More rows than a browser should hold: the archive counts them in bins, and a rectangle over them is a condition. */
export function BinnedPlot({ job, columns, state, change, marks }: BinnedProps) {
  const { plot } = state;
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(holder);
  const want = wanted(plot, columns);
  const x = want.x?.kind === "column" ? want.x.columns[0] : undefined;
  const y = plot.kind === "histogram" ? x : want.y?.kind === "column" ? want.y.columns[0] : undefined;
  const shape = { nx: 300, ny: plot.kind === "histogram" ? 1 : 200 };
  const ask = (a: Column, b: Column, signal: AbortSignal) => getBins(job, {
    x: a, y: b, ...shape,
    x0: plot.xAxis.min, x1: plot.xAxis.max, y0: plot.yAxis.min, y1: plot.yAxis.max,
    logx: plot.xAxis.log, logy: plot.yAxis.log,
  }, state.where, signal);
  const bins = useQuery({
    queryKey: ["bins", job.id, x?.name, y?.name, shape, plot.xAxis, plot.yAxis, JSON.stringify(state.where)],
    queryFn: ({ signal }) => ask(x!, y!, signal),
    enabled: x !== undefined && y !== undefined,
    staleTime: Infinity,
    placeholderData: (before) => before,
  });
  const drawn = useMemo(() => {
    if (!bins.data || !want.x || size.width < 60 || !(bins.data.x[0] < bins.data.x[1]) || !(bins.data.y[0] < bins.data.y[1])) return undefined;
    const axis = ([min, max]: readonly [number, number], { log, reversed }: PlotState["xAxis"]) => ({ log, reversed, min, max, time: false });
    return plotFrame(size.width, size.height, axis(bins.data.x, plot.xAxis), axis(bins.data.y, plot.yAxis), title(want.x), want.y ? title(want.y) : words.plot.count);
  }, [bins.data, want.x, want.y, size, plot.xAxis, plot.yAxis]);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !bins.data || !canvas.current) return;
    const { nx, ny, counts } = bins.data;
    canvas.current.width = nx;
    canvas.current.height = ny;
    const image = context.createImageData(nx, ny);
    const turned = new Uint32Array(nx * ny);
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const to = (plot.yAxis.reversed ? j : ny - 1 - j) * nx + (plot.xAxis.reversed ? nx - 1 - i : i);
        turned[to] = counts[j * nx + i] ?? 0;
      }
    }
    paintDensity(turned, turned.reduce((a, b) => Math.max(a, b), 1), ramp(plot.ramp), new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
  }, [bins.data, drawn, plot.ramp, plot.xAxis.reversed, plot.yAxis.reversed]);

  const brush = useBrush({
    tool: "box", layer: undefined, marks, ratio: 1,
    onDone: ({ points, how }) => {
      if (!drawn) return;
      const values = points.map(([px, py]) => [toValue(drawn.x, px), toValue(drawn.y, py)] as const);
      const side = (k: 0 | 1): [number, number] => [Math.min(...values.map((one) => one[k])), Math.max(...values.map((one) => one[k]))];
      const [[x0, x1], [y0, y1]] = [side(0), side(1)];
      const step = { how: how === "subtract" ? ("subtract" as const) : ("add" as const), region: { kind: "box" as const, x: plot.x, y: plot.y, from: [x0, y0] as const, to: [x1, y1] as const } };
      change({ selection: how === "set" ? [step] : [...state.selection, step] });
    },
    onClick: () => state.selection.length && change({ selection: [] }),
    onPan: () => undefined,
  });
  if (!x || !y || plot.kind === "histogram") return <p className="viewer-empty">{words.plot.tooMany(POINTS)}</p>;
  return (
    <>
      <p className="viewer-quiet" role="status">{words.plot.binned(job.rows ?? 0)}</p>
      <div ref={holder} className="viewer-drawing">
        {bins.error && <p className="viewer-problem" role="alert">{bins.error.message}</p>}
        {!bins.data && !bins.error && <Waiting what={words.plot.loading} />}
        {drawn && (
          <>
            <canvas ref={canvas} className="viewer-bins" style={{ left: drawn.box.left, top: drawn.box.top, width: drawn.box.width, height: drawn.box.height }} aria-hidden />
            <Frame frame={drawn} />
            <svg
              className="viewer-surface viewer-surface-box"
              role="img"
              aria-label={words.plot.picture(words.plot[plot.kind], drawn.xTitle, drawn.yTitle, job.rows ?? 0)}
              style={{ left: drawn.box.left, top: drawn.box.top }}
              width={drawn.box.width}
              height={drawn.box.height}
              onPointerDown={brush.onPointerDown}
              onPointerMove={brush.onPointerMove}
              onPointerUp={brush.onPointerUp}
              onPointerCancel={brush.onPointerCancel}
            >
              {state.selection.map(({ region }) => region.kind === "box" && region.x === plot.x && region.y === plot.y && (
                <rect
                  key={JSON.stringify(region)}
                  className="viewer-brush"
                  x={Math.min(toPixel(drawn.x, region.from[0]), toPixel(drawn.x, region.to[0]))}
                  y={Math.min(toPixel(drawn.y, region.from[1]), toPixel(drawn.y, region.to[1]))}
                  width={Math.abs(toPixel(drawn.x, region.to[0]) - toPixel(drawn.x, region.from[0]))}
                  height={Math.abs(toPixel(drawn.y, region.to[1]) - toPixel(drawn.y, region.from[1]))}
                />
              ))}
              {brush.shape.length > 1 && <polygon className="viewer-brush" points={brush.shape.map(([px, py]) => `${px},${py}`).join(" ")} />}
            </svg>
          </>
        )}
      </div>
    </>
  );
}
