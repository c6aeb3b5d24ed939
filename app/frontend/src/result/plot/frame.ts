/** The frame of a plot: where its axes, ticks and titles stand. Pure; drawn as SVG on the page and into files. */
import { scale, ticks, toPixel, type Axis, type Scale, type Tick } from "./axis";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface PlotFrame {
  readonly width: number;
  readonly height: number;
  /** Where the points are. */
  readonly box: Box;
  /** Values to pixels of the box. */
  readonly x: Scale;
  readonly y: Scale;
  readonly xTicks: readonly (Tick & { readonly at: number })[];
  readonly yTicks: readonly (Tick & { readonly at: number })[];
  readonly xTitle: string;
  readonly yTitle: string;
}

const CHARACTER = 7;

/** The frame of a plot of this size; room is made for the labels of the y axis. */
export function plotFrame(width: number, height: number, xAxis: Axis, yAxis: Axis, xTitle: string, yTitle: string): PlotFrame {
  const top = 10;
  const bottom = 46;
  const rough = ticks(yAxis, Math.max(2, Math.floor((height - top - bottom) / 46)));
  const left = Math.min(width / 3, 30 + CHARACTER * Math.max(2, ...rough.map((tick) => tick.label.length)));
  const box = { left, top, width: Math.max(20, Math.floor(width - left - 14)), height: Math.max(20, Math.floor(height - top - bottom)) };
  const x = scale(xAxis, 0, box.width);
  const y = scale(yAxis, box.height, 0);
  const wanted = Math.max(2, Math.floor(box.width / (xAxis.time ? 110 : 80)));
  const placed = (list: Tick[], by: Scale, length: number): (Tick & { at: number })[] =>
    list.map((tick) => ({ ...tick, at: toPixel(by, tick.value) })).filter((tick) => tick.at >= -0.5 && tick.at <= length + 0.5);
  return {
    width, height, box, x, y, xTitle, yTitle,
    xTicks: placed(ticks(xAxis, wanted), x, box.width),
    yTicks: placed(rough, y, box.height),
  };
}

export interface Ink {
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly paper: string;
  readonly accent: string;
  readonly font: string;
}

/** The page's colours as they are now: light or dark. */
export function ink(element: Element): Ink {
  const style = getComputedStyle(element);
  const value = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: value("--ink", "#1b2233"),
    quiet: value("--quiet", "#586174"),
    line: value("--line", "#e2dfd6"),
    paper: value("--card", "#ffffff"),
    accent: value("--accent-text", "#85600f"),
    font: style.fontFamily || "sans-serif",
  };
}

/** The frame into a canvas, for pictures that are saved. */
export function paintFrame(context: CanvasRenderingContext2D, frame: PlotFrame, colours: Ink): void {
  const { box } = frame;
  context.save();
  context.strokeStyle = colours.quiet;
  context.fillStyle = colours.ink;
  context.lineWidth = 1;
  context.font = `12px ${colours.font}`;
  context.strokeRect(box.left + 0.5, box.top + 0.5, box.width, box.height);
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of frame.xTicks) {
    line(context, box.left + tick.at, box.top + box.height, box.left + tick.at, box.top + box.height + 5);
    context.fillText(tick.label, box.left + tick.at, box.top + box.height + 8);
  }
  context.fillText(frame.xTitle, box.left + box.width / 2, box.top + box.height + 26);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of frame.yTicks) {
    line(context, box.left - 5, box.top + tick.at, box.left, box.top + tick.at);
    context.fillText(tick.label, box.left - 8, box.top + tick.at);
  }
  context.translate(11, box.top + box.height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(frame.yTitle, 0, 0);
  context.restore();
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The frame as SVG, with what was drawn inside of it (`inside`: SVG in pixels of the box). */
export function svgOf(frame: PlotFrame, colours: Ink, inside: string): string {
  const { box } = frame;
  const text = (x: number, y: number, label: string, more: string): string =>
    `<text x="${round(x)}" y="${round(y)}" fill="${escaped(colours.ink)}" ${more}>${escaped(label)}</text>`;
  const tick = (x1: number, y1: number, x2: number, y2: number): string =>
    `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="${escaped(colours.quiet)}"/>`;
  const foot = box.top + box.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${frame.width}" height="${frame.height}" viewBox="0 0 ${frame.width} ${frame.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="${escaped(colours.paper)}"/>`,
    `<svg x="${round(box.left)}" y="${box.top}" width="${box.width}" height="${box.height}">${inside}</svg>`,
    `<rect x="${round(box.left)}" y="${box.top}" width="${box.width}" height="${box.height}" fill="none" stroke="${escaped(colours.quiet)}"/>`,
    ...frame.xTicks.map((one) => tick(box.left + one.at, foot, box.left + one.at, foot + 5) + text(box.left + one.at, foot + 18, one.label, 'text-anchor="middle"')),
    ...frame.yTicks.map((one) => tick(box.left - 5, box.top + one.at, box.left, box.top + one.at) + text(box.left - 8, box.top + one.at + 4, one.label, 'text-anchor="end"')),
    text(box.left + box.width / 2, foot + 36, frame.xTitle, 'text-anchor="middle"'),
    text(0, 0, frame.yTitle, `text-anchor="middle" transform="translate(14 ${round(box.top + box.height / 2)}) rotate(-90)"`),
    "</svg>",
  ].join("\n");
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
