import { useEffect, useMemo, useRef, useState } from "react";

import type { Column, Job } from "../api";
import { useFrame, type Loaded } from "./data/useFrame";
import { POINTS } from "./data/requests";
import { firstLook } from "./guess";
import { Marks } from "./marks";
import { marks as marked, needed } from "./selection";
import { read, written, type State } from "./state";

/** The state of the viewer, which the address' fragment keeps. */
export function useViewerState(job: Job, columns: readonly Column[]): [State, (change: Partial<State>) => void, State] {
  const first = useMemo(() => firstLook(columns), [columns]);
  const [state, setState] = useState(() => read(window.location.hash, first));
  const [of, setOf] = useState(job.id);
  // Another job in the same place begins with a first look of its own.
  if (of !== job.id) {
    setOf(job.id);
    setState(read("", first));
  }
  const wrote = useRef(window.location.hash.replace(/^#/, ""));
  useEffect(() => {
    const fragment = written(state, first);
    const timer = setTimeout(() => {
      if (fragment === wrote.current) return;
      wrote.current = fragment;
      const { pathname, search } = window.location;
      window.history.replaceState(window.history.state, "", pathname + search + (fragment ? `#${fragment}` : ""));
    }, 150);
    return () => clearTimeout(timer);
  }, [state, first]);
  useEffect(() => {
    const onChange = (): void => {
      const fragment = window.location.hash.replace(/^#/, "");
      if (fragment === wrote.current) return;
      wrote.current = fragment;
      setState(read(fragment, first));
    };
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, [first]);
  return [state, (change) => setState((before) => ({ ...before, ...change })), first];
}

/** The marks of selected rows, made anew from the selection's regions whenever those or the filters change. */
export function useSelection(job: Job, columns: readonly Column[], state: State): [Marks, Loaded] {
  const [store] = useState(() => new Marks());
  const total = job.rows ?? 0;
  const names = needed(state.selection, columns);
  const able = total <= POINTS;
  const loaded = useFrame(job, names, state.where, able && names.length > 0);
  useEffect(() => {
    if (!able) return;
    if (state.selection.length === 0) {
      store.set(new Uint8Array(total), 0);
      return;
    }
    const frame = names.length > 0 ? loaded.frame : { length: 0, columns: new Map() };
    if (!frame) return;
    const found = marked(state.selection, frame, columns, loaded.numbers, total);
    store.set(found.marks, found.count);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `names` follow from the selection
  }, [state.selection, loaded.frame, loaded.numbers, total, able, columns, store]);
  return [store, loaded];
}
