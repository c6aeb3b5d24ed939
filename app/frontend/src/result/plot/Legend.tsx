import { useEffect, useRef } from "react";

import { brief } from "../table/numbers";
import type { Shades } from "./model";

/** What the colours of a plot mean. */
export function Legend({ shades }: { shades: Shades }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { legend, ramp } = shades;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || ramp.length < 2) return;
    const image = context.createImageData(ramp.length, 1);
    new Uint32Array(image.data.buffer).set(ramp);
    context.putImageData(image, 0, 0);
  }, [ramp, legend]);
  if (!legend) return null;
  return (
    <div className="viewer-legend">
      <strong>{legend.title}</strong>
      {legend.range && (
        <>
          <canvas ref={canvas} width={256} height={1} aria-hidden />
          <span className="viewer-legend-range"><span>{brief(legend.range[0])}</span><span>{brief(legend.range[1])}</span></span>
        </>
      )}
      {legend.words?.map(([word, colour]) => (
        <span key={word}><svg width={10} height={10} aria-hidden><circle cx={5} cy={5} r={4.5} fill={colour} /></svg> {word}</span>
      ))}
    </div>
  );
}
