/**
 * Which rows are selected, shared by all views. While someone brushes it changes with every frame: views listen and draw
 * again by themselves, without React.
 */
import { useSyncExternalStore } from "react";

export class Marks {
  /** 1 for each selected row number. */
  bytes = new Uint8Array(0);
  count = 0;
  private version = 0;
  private readonly listeners = new Set<() => void>();

  /** Room for so many rows, all unmarked. */
  resize(total: number): void {
    if (this.bytes.length !== total) {
      this.bytes = new Uint8Array(total);
      this.set(this.bytes, 0);
    }
  }

  /** Other marks; the bytes belong to this object from now on. */
  set(bytes: Uint8Array<ArrayBuffer>, count: number): void {
    this.bytes = bytes;
    this.count = count;
    this.version += 1;
    for (const listener of this.listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): number => this.version;
}

/** Draws the component again whenever the marks change. */
export function useMarks(marks: Marks): number {
  return useSyncExternalStore(marks.subscribe, marks.snapshot);
}
