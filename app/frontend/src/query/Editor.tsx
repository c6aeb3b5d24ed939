import { EditorView } from "@codemirror/view";
import type { EditorState } from "@codemirror/state";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import type { Language, Position } from "../api";
import { words } from "../words";
import { editorState, setProblem, type Surroundings } from "./editor";
import type { Known } from "./completion";
import { span } from "./positions";

/** What the page around the editor may have it do. */
export interface EditorHandle {
  focus: () => void;
  /** Put text at the cursor, in place of what is selected. */
  insert: (text: string) => void;
  /** Replace the whole query, as a step that can be undone. */
  replace: (query: string) => void;
  select: (place: Position) => void;
}

interface EditorProps {
  ref: Ref<EditorHandle>;
  /** The tab; each has its own undo and cursor. */
  tab: string;
  query: string;
  language: Language;
  known: Known;
  fetchColumns: (tables: string[]) => Promise<void>;
  problem: { text: string; position: Position } | null;
  onChange: (query: string) => void;
  onRun: () => void;
}

/**
 * CodeMirror in a shadow root: there it brings its style sheets as objects, which the Content-Security-Policy allows,
 * instead of `<style>` elements, which it does not.
 */
export function Editor({ ref, tab, query, language, known, fetchColumns, problem, onChange, onRun }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const states = useRef(new Map<string, EditorState>());
  const shown = useRef(tab);
  const now = useRef({ language, known, fetchColumns, onChange, onRun });
  useEffect(() => {
    now.current = { language, known, fetchColumns, onChange, onRun };
  });

  function create(text: string): EditorState {
    const around: Surroundings = {
      label: words.query.editor,
      language: () => now.current.language,
      known: () => now.current.known,
      fetchColumns: (tables) => now.current.fetchColumns(tables),
      onChange: (changed) => now.current.onChange(changed),
      onRun: () => now.current.onRun(),
    };
    return editorState(text, around);
  }

  useEffect(() => {
    const root = place.current!.shadowRoot ?? place.current!.attachShadow({ mode: "open" });
    const made = new EditorView({ state: create(query), parent: root, root });
    view.current = made;
    made.focus();
    return () => made.destroy();
    // One view for the life of the page: what changes is sent to it below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  useEffect(() => {
    const current = view.current!;
    if (shown.current !== tab) {
      states.current.set(shown.current, current.state);
      shown.current = tab;
      const kept = states.current.get(tab);
      current.setState(kept?.doc.toString() === query ? kept : create(query));
    } else if (current.state.doc.toString() !== query) {
      current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: query } });
    }
  });

  useEffect(() => {
    const current = view.current!;
    const text = current.state.doc.toString();
    current.dispatch({ effects: setProblem.of(problem && { ...span(text, problem.position), text: problem.text }) });
  }, [problem, tab]);

  useImperativeHandle(ref, () => ({
    focus: () => view.current?.focus(),
    insert(text) {
      const current = view.current!;
      current.dispatch(current.state.replaceSelection(text));
      current.focus();
    },
    replace(text) {
      const current = view.current!;
      current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: text } });
      current.focus();
    },
    select(position) {
      const current = view.current!;
      const { from, to } = span(current.state.doc.toString(), position);
      current.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true });
      current.focus();
    },
  }));

  return <div ref={place} className="editor" />;
}
