import { useSyncExternalStore } from "react";

/** A sentence at the edge of the window about something just done; `undo` takes it back. */
export interface Toast {
  id: number;
  text: string;
  kind: "info" | "bad";
  action?: { label: string; run: () => void };
}

const SECONDS = 8;
const watchers = new Set<() => void>();
let toasts: readonly Toast[] = [];
let last = 0;

function set(changed: readonly Toast[]): void {
  toasts = changed;
  for (const watcher of watchers) {
    watcher();
  }
}

export function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Say something that happened; it goes by itself unless it is an error. */
export function say(text: string, options: Partial<Pick<Toast, "kind" | "action">> = {}): void {
  const id = ++last;
  set([...toasts.slice(-3), { id, text, kind: "info", ...options }]);
  if (options.kind !== "bad") {
    setTimeout(() => dismiss(id), SECONDS * 1000);
  }
}

/** Say why something was not done. */
export function complain(error: unknown): void {
  say(error instanceof Error ? error.message : String(error), { kind: "bad" });
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => toasts,
  );
}
