import type { RefObject } from "react";

import type { Column } from "../../api";
import { complain } from "../../frame/toasts";
import type { PlotState } from "../state";
import { plotCode } from "../take/code";
import { save } from "../take/save";
import { words } from "../words";
import type { Axis } from "./axis";
import { css } from "./colours";
import { More } from "./Controls";
import { ink, paintFrame, round, svgOf, type Ink, type PlotFrame } from "./frame";
import type { Layer } from "./layer";

interface ExportMenuProps {
  frame: PlotFrame;
  layer: Layer | undefined;
  base: RefObject<HTMLCanvasElement | null>;
  holder: RefObject<HTMLElement | null>;
  plot: PlotState;
  columns: readonly Column[];
  counts: Uint32Array | undefined;
  xAxis: Axis | undefined;
  yAxis: Axis | undefined;
}

/** Rows up to which a drawing has each row as a circle; more would be a file that no program likes to open. */
const CIRCLES = 5000;

/** The plot as a picture, as a drawing and as the code that draws it. */
export function ExportMenu({ frame, layer, base, holder, plot, columns, counts, xAxis, yAxis }: ExportMenuProps) {
  const png = (): void => {
    if (!holder.current) return;
    const colours = ink(holder.current);
    const times = 2;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(frame.width * times);
    canvas.height = Math.round(frame.height * times);
    const context = canvas.getContext("2d");
    if (!context) return;
    context.scale(times, times);
    context.fillStyle = colours.paper;
    context.fillRect(0, 0, frame.width, frame.height);
    const { box } = frame;
    if (base.current) context.drawImage(base.current, box.left, box.top, box.width, box.height);
    if (counts) paintBars(context, frame, counts, plot.xAxis.reversed, colours);
    paintFrame(context, frame, colours);
    canvas.toBlob((blob) => (blob ? save(blob, "plot.png") : complain(words.plot.nothing)), "image/png");
  };
  const svg = (): void => {
    if (!holder.current) return;
    const colours = ink(holder.current);
    save(svgOf(frame, colours, inside(frame, layer, base.current, counts, plot, colours)), "plot.svg", "image/svg+xml");
  };
  return (
    <More label={words.plot.exportAs}>
      <button type="button" onClick={png}>{words.plot.png}</button>
      <button type="button" onClick={svg}>{words.plot.svg}</button>
      <button type="button" onClick={() => save(plotCode(plot, columns, xAxis, yAxis), "plot.py", "text/x-python")}>{words.plot.code}</button>
    </More>
  );
}

function bars(frame: PlotFrame, counts: Uint32Array, reversed: boolean): [number, number, number, number][] {
  const wide = frame.box.width / counts.length;
  const foot = frame.box.height;
  const { offset, factor, log } = frame.y;
  return [...counts].flatMap((count, k) => {
    if (count === 0) return [];
    const top = Math.max(0, Math.min(foot, offset + factor * (log ? Math.log10(count) : count)));
    return [[(reversed ? counts.length - 1 - k : k) * wide, top, Math.max(0.5, wide - 0.5), foot - top]];
  });
}

function paintBars(context: CanvasRenderingContext2D, frame: PlotFrame, counts: Uint32Array, reversed: boolean, colours: Ink): void {
  context.fillStyle = colours.quiet;
  for (const [x, y, w, h] of bars(frame, counts, reversed)) context.fillRect(frame.box.left + x, frame.box.top + y, w, h);
}

function inside(frame: PlotFrame, layer: Layer | undefined, base: HTMLCanvasElement | null, counts: Uint32Array | undefined, plot: PlotState, colours: Ink): string {
  if (counts) {
    return bars(frame, counts, plot.xAxis.reversed).map(([x, y, w, h]) => `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${colours.quiet}"/>`).join("");
  }
  if (!layer) return "";
  if (layer.density || layer.at.length > CIRCLES) {
    return base ? `<image href="${base.toDataURL("image/png")}" width="${frame.box.width}" height="${frame.box.height}"/>` : "";
  }
  const ratio = layer.size.width / frame.box.width;
  const circles: string[] = [];
  for (let k = 0; k < layer.at.length; k++) {
    const place = layer.at[k];
    if (place < 0) continue;
    const radius = layer.stamps[layer.big ? layer.big[k] : 0].side / 2 / ratio;
    const colour = css(layer.ramp[layer.shade ? layer.shade[k] : 0]);
    circles.push(`<circle cx="${round((place % layer.size.width) / ratio)}" cy="${round(Math.floor(place / layer.size.width) / ratio)}" r="${round(radius)}" fill="${colour}"/>`);
  }
  return `<g fill-opacity="${layer.opacity}">${circles.join("")}</g>`;
}
