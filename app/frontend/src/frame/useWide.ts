import { useSyncExternalStore } from "react";

/** Whether the window has room for things side by side; frame.css has the same width. */
const WIDE = "(min-width: 56rem)";

export function useWide(): boolean {
  return useSyncExternalStore(
    (watcher) => {
      const query = window.matchMedia(WIDE);
      query.addEventListener("change", watcher);
      return () => query.removeEventListener("change", watcher);
    },
    () => window.matchMedia(WIDE).matches,
  );
}
