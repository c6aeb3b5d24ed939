import { useRef, useState, type PointerEvent } from "react";

import { words } from "../words";

interface HistogramProps {
  /** Numbers, or the instants of a histogram of times as text. */
  edges: readonly (number | string)[];
  counts: readonly number[];
  /** Called with the range that was drawn. Whoever uses keys has fields for it beside. */
  onRange?: (from: number, to: number) => void;
}

const [WIDTH, HEIGHT] = [160, 36];

/** A small histogram; a range can be drawn over it. */
export function Histogram({ edges: given, counts, onRange }: HistogramProps) {
  const edges = given.map((edge) => (typeof edge === "number" ? edge : Number.isNaN(Number(edge)) ? Date.parse(edge) : Number(edge)));
  const [range, setRange] = useState<[number, number]>();
  const start = useRef<number>(undefined);
  const most = Math.max(1, ...counts);
  const [low, high] = [edges[0] ?? 0, edges[edges.length - 1] ?? 1];
  const x = (value: number): number => (high > low ? ((value - low) / (high - low)) * WIDTH : 0);
  const place = (event: PointerEvent<SVGSVGElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const draw = (event: PointerEvent<SVGSVGElement>): void => {
    if (start.current === undefined) return;
    const [a, b] = [start.current, place(event)].sort((p, q) => p - q) as [number, number];
    setRange([low + a * (high - low), low + b * (high - low)]);
  };
  return (
    <svg
      className={onRange ? "viewer-histogram viewer-brushable" : "viewer-histogram"}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words.columns.histogram(counts.length)}
      onPointerDown={(event) => {
        if (!onRange) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = place(event);
      }}
      onPointerMove={draw}
      onPointerUp={(event) => {
        draw(event);
        start.current = undefined;
        if (range && range[1] > range[0]) onRange?.(range[0], range[1]);
      }}
    >
      {counts.map((count, k) => {
        const [a, b] = [x(edges[k] ?? 0), x(edges[k + 1] ?? 0)];
        const tall = (count / most) * (HEIGHT - 2);
        return <rect key={edges[k]} x={a} y={HEIGHT - tall} width={Math.max(0.5, b - a - 0.5)} height={tall} />;
      })}
      {range && <rect className="viewer-brush" x={x(range[0])} y={0} width={x(range[1]) - x(range[0])} height={HEIGHT} />}
    </svg>
  );
}
