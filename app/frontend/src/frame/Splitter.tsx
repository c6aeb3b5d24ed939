import { useRef, type KeyboardEvent, type PointerEvent } from "react";

interface SplitterProps {
  label: string;
  /** The size in pixels of what is before it. */
  value: number;
  min: number;
  max: number;
  orientation: "horizontal" | "vertical";
  onChange: (value: number) => void;
}

const STEP = 16;

/** A border that can be dragged, or moved by the arrow keys (WAI-ARIA's window splitter). */
export function Splitter({ label, value, min, max, orientation, onChange }: SplitterProps) {
  const start = useRef<{ at: number; value: number } | null>(null);
  const upright = orientation === "vertical";

  function set(wanted: number): void {
    onChange(Math.round(Math.min(max, Math.max(min, wanted))));
  }
  function down(event: PointerEvent<HTMLDivElement>): void {
    event.currentTarget.setPointerCapture(event.pointerId);
    start.current = { at: upright ? event.clientX : event.clientY, value };
  }
  function move(event: PointerEvent): void {
    const from = start.current;
    if (from !== null) {
      set(from.value + (upright ? event.clientX : event.clientY) - from.at);
    }
  }
  function key(event: KeyboardEvent): void {
    const steps: Partial<Record<string, number>> = upright ? { ArrowLeft: -STEP, ArrowRight: STEP } : { ArrowUp: -STEP, ArrowDown: STEP };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      set(value + step);
    }
  }
  return (
    // A separator with a value is a widget; the rule knows separators as lines only.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      className={`splitter ${orientation}`}
      role="separator"
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => {
        start.current = null;
      }}
      onKeyDown={key}
    />
  );
}
