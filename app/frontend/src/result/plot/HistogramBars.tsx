import { useMemo } from "react";

import { useMarks, type Marks } from "../marks";
import { toPixel, toValue, type Axis } from "./axis";
import type { PlotFrame } from "./frame";
import { histogram } from "./raster";

interface HistogramBarsProps {
  frame: PlotFrame;
  counts: Uint32Array;
  values: Float64Array;
  axis: Axis;
  marks: Marks;
  numbers: Int32Array | null;
}

/** Bars of all rows, and in front of them those of the selected rows. */
export function HistogramBars({ frame, counts, values, axis, marks, numbers }: HistogramBarsProps) {
  const version = useMarks(marks);
  const bins = counts.length;
  const { box } = frame;
  const selected = useMemo(() => {
    if (marks.count === 0) return undefined;
    const [a, b] = axis.log ? [Math.log10(axis.min), Math.log10(axis.max)] : [axis.min, axis.max];
    const factor = bins / (b - a);
    return histogram(values, { log: axis.log, factor, offset: -factor * a }, bins, marks.bytes, numbers);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `version` says that the marks are others
  }, [version, values, axis, bins, numbers]);
  const path = (of: Uint32Array): string => {
    const wide = box.width / bins;
    const foot = Math.min(box.height, Math.max(0, toPixel(frame.y, toValue(frame.y, box.height))));
    let d = "";
    for (let k = 0; k < bins; k++) {
      if (of[k] === 0) continue;
      const top = Math.min(foot, Math.max(0, toPixel(frame.y, of[k])));
      const at = axis.reversed ? bins - 1 - k : k;
      d += `M${(at * wide).toFixed(2)} ${foot.toFixed(2)}V${top.toFixed(2)}h${Math.max(0.5, wide - 0.5).toFixed(2)}V${foot.toFixed(2)}Z`;
    }
    return d;
  };
  return (
    <svg className="viewer-frame viewer-bars" style={{ left: box.left, top: box.top }} width={box.width} height={box.height} aria-hidden>
      <path d={path(counts)} className={selected ? "viewer-bar-all viewer-dimmed" : "viewer-bar-all"} />
      {selected && <path d={path(selected)} className="viewer-bar-selected" />}
    </svg>
  );
}
