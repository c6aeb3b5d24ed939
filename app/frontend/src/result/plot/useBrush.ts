import { useRef, useState, type PointerEvent } from "react";

import type { Marks } from "../marks";
import { brushed, type Layer } from "./layer";
import { filled } from "./raster";

export type Tool = "box" | "lasso" | "pan";
export type Place = readonly [number, number];

export interface Drawn {
  readonly tool: Tool;
  /** Corners of the shape, or beginning and end of a move, in pixels of the plot's box. */
  readonly points: readonly Place[];
  readonly how: "set" | "add" | "subtract";
}

interface BrushOptions {
  tool: Tool;
  layer: Layer | undefined;
  marks: Marks;
  /** Pixels of the layer to a pixel of the page. */
  ratio: number;
  onDone: (drawn: Drawn) => void;
  onClick: (place: Place) => void;
  onPan: (from: Place, to: Place, ended: boolean) => void;
}

/** Dragging over a plot: rows under a rectangle or lasso are marked with every frame, before anything is decided. */
export function useBrush({ tool, layer, marks, ratio, onDone, onClick, onPan }: BrushOptions) {
  const [shape, setShape] = useState<readonly Place[]>([]);
  const drag = useRef<{ points: Place[]; how: Drawn["how"]; before: Uint8Array; waiting: number; inside: Uint8Array | undefined; out: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] }>(undefined);

  const place = (event: PointerEvent): Place => {
    const box = event.currentTarget.getBoundingClientRect();
    return [Math.min(box.width, Math.max(0, event.clientX - box.left)), Math.min(box.height, Math.max(0, event.clientY - box.top))];
  };

  const corners = (points: readonly Place[]): Place[] => {
    if (tool !== "box") return [...points];
    const [a, b] = [points[0], points[points.length - 1]];
    return [a, [b[0], a[1]], b, [a[0], b[1]]];
  };

  const mark = (): void => {
    const now = drag.current;
    if (!now) return;
    now.waiting = 0;
    setShape(corners(now.points));
    if (!layer) return;
    now.inside ??= new Uint8Array(layer.size.width * layer.size.height);
    filled(corners(now.points).map(([x, y]) => [x * ratio, y * ratio] as const), layer.size, now.inside);
    // Two buffers by turns: who draws may still read the other.
    const out = now.out[0];
    now.out.reverse();
    marks.set(out, brushed(layer, now.inside, now.before, now.how, out));
  };

  return {
    shape,
    onPointerDown: (event: PointerEvent): void => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const room = marks.bytes.length;
      drag.current = {
        points: [place(event)],
        how: event.shiftKey ? "add" : event.altKey ? "subtract" : "set",
        before: marks.bytes.slice(),
        waiting: 0,
        inside: undefined,
        out: [new Uint8Array(room), new Uint8Array(room)],
      };
    },
    onPointerMove: (event: PointerEvent): void => {
      const now = drag.current;
      if (!now) return;
      const to = place(event);
      const from = now.points[0];
      if (now.points.length === 1 && Math.hypot(to[0] - from[0], to[1] - from[1]) < 4) return;
      if (tool === "pan") {
        onPan(now.points[now.points.length - 1], to, false);
        now.points = [from, to];
        return;
      }
      if (tool === "box") now.points = [from, to];
      else now.points.push(to);
      now.waiting ||= requestAnimationFrame(mark);
    },
    onPointerUp: (event: PointerEvent): void => {
      const now = drag.current;
      if (!now) return;
      drag.current = undefined;
      cancelAnimationFrame(now.waiting);
      setShape([]);
      if (now.points.length < 2) onClick(place(event));
      else if (tool === "pan") onPan(now.points[0], place(event), true);
      else onDone({ tool, points: now.points, how: now.how });
    },
    onPointerCancel: (): void => {
      const now = drag.current;
      drag.current = undefined;
      setShape([]);
      if (now) marks.set(now.before.slice(), now.before.reduce((sum, one) => sum + one, 0));
    },
  };
}
