import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import type { Marks } from "../marks";
import { ink } from "./frame";
import { Painter, type Layer } from "./layer";

interface PictureProps {
  layer: Layer;
  marks: Marks;
  /** Size on the page. */
  width: number;
  height: number;
  left: number;
  top: number;
  /** Drawn over the rows, such as error bars. */
  over?: ((context: CanvasRenderingContext2D) => void) | undefined;
  base?: Ref<HTMLCanvasElement>;
}

/** Rows as pixels: one canvas for all of them, and one for those that are selected, drawn again with every frame of a brush. */
export function Picture({ layer, marks, width, height, left, top, over, base }: PictureProps) {
  const below = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter>(undefined);
  useImperativeHandle(base, () => below.current!, []);

  useEffect(() => {
    const canvas = below.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    painter.current ??= new Painter();
    canvas.width = layer.size.width;
    canvas.height = layer.size.height;
    painter.current.base(layer, context);
    over?.(context);
  }, [layer, over]);

  useEffect(() => {
    const canvas = above.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return undefined;
    canvas.width = layer.size.width;
    canvas.height = layer.size.height;
    const accent = ink(canvas).accent;
    let waiting = 0;
    const draw = (): void => {
      waiting = 0;
      below.current?.classList.toggle("viewer-dimmed", marks.count > 0);
      if (marks.count === 0) context.clearRect(0, 0, canvas.width, canvas.height);
      else painter.current?.selected(layer, marks.bytes, accent, context);
    };
    draw();
    const stop = marks.subscribe(() => { waiting ||= requestAnimationFrame(draw); });
    return () => {
      stop();
      cancelAnimationFrame(waiting);
    };
  }, [layer, marks]);

  const place = { left, top, width, height };
  return (
    <>
      <canvas ref={below} style={place} aria-hidden />
      <canvas ref={above} style={place} aria-hidden />
    </>
  );
}
