import { autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { Compartment, Prec, EditorState, RangeSetBuilder, StateEffect, StateField, type Extension, type Transaction } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";

import { complete, type Known } from "./completion";
import { describe } from "./hover";
import { tokens } from "./tokens";
import { theme } from "./editor-theme";
import type { Language } from "../api";

/** What the editor asks of the page around it. */
export interface Surroundings {
  label: string;
  language: () => Language;
  known: () => Known;
  /** Fetch the columns of tables; resolves when they are known. */
  fetchColumns: (tables: string[]) => Promise<void>;
  onChange: (query: string) => void;
  onRun: () => void;
}

/** The place of the error in the query, underlined; null for none. */
export const setProblem = StateEffect.define<{ from: number; to: number; text: string } | null>();

const problemMark = (text: string): Decoration => Decoration.mark({ class: "problem", attributes: { title: text } });

const problemField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let changed = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) {
      if (effect.is(setProblem)) {
        const place = effect.value;
        const fits = place && place.from < place.to && place.to <= transaction.newDoc.length;
        changed = fits ? Decoration.set(problemMark(place.text).range(place.from, place.to)) : Decoration.none;
      }
    }
    return changed;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function colours(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { kind, text, from } of tokens(view.state.doc.toString())) {
    if (kind !== "space" && kind !== "name" && kind !== "sign") {
      builder.add(from, from + text.length, Decoration.mark({ class: `token-${kind}` }));
    }
  }
  return builder.finish();
}

const colouring = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = colours(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged) {
        this.decorations = colours(update.view);
      }
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function completionSource(around: Surroundings) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const query = context.state.doc.toString();
    let found = complete(query, context.pos, around.language(), around.known());
    if (found?.missing.length) {
      await around.fetchColumns(found.missing);
      found = complete(query, context.pos, around.language(), around.known());
    }
    const nothingTyped = found?.from === context.pos && query[context.pos - 1] !== ".";
    if (!found || (nothingTyped && !context.explicit)) {
      return null;
    }
    return {
      from: found.from,
      options: found.options.map(({ label, insert, kind, detail, info, rank }) => ({
        label,
        apply: insert,
        type: kind,
        detail,
        boost: rank,
        ...(info && { info: () => infoElement(info) }),
      })),
      validFor: /^"?[\w$]*$/,
    };
  };
}

function infoElement(text: string): HTMLElement {
  const element = document.createElement("div");
  for (const line of text.split("\n")) {
    element.appendChild(document.createElement("p")).textContent = line;
  }
  return element;
}

function hover(around: Surroundings): Extension {
  return hoverTooltip((view, position) => {
    const found = describe(view.state.doc.toString(), position, around.known());
    return found && { pos: found.from, end: found.to, above: true, create: () => ({ dom: infoElement(found.text) }) };
  });
}

/** The state of one query in the editor: its text, its undo, its cursor. */
export function editorState(query: string, around: Surroundings): EditorState {
  // Tab indents; after Esc it leaves the editor, so that the keyboard is not caught in it.
  const tab = new Compartment();
  let free = false;
  const escape = EditorView.domEventHandlers({
    keydown(event, view) {
      const wanted = event.key === "Escape" || (free && (event.key === "Shift" || event.key === "Tab"));
      if (wanted !== free) {
        free = wanted;
        view.dispatch({ effects: tab.reconfigure(free ? [] : keymap.of([indentWithTab])) });
      }
      return false;
    },
    blur() {
      free = false;
    },
    focus(_, view) {
      view.dispatch({ effects: tab.reconfigure(keymap.of([indentWithTab])) });
    },
    // The browser would keep the look of what is typed over in a style attribute, which the page's policy forbids.
    beforeinput(event, view) {
      const text = event.data;
      if (event.inputType !== "insertText" || !text || view.composing || view.state.selection.main.empty) return false;
      const { from, to } = view.state.selection.main;
      const insert = (): Transaction => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type", scrollIntoView: true });
      if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
      event.preventDefault();
      return true;
    },
  });
  return EditorState.create({
    doc: query,
    extensions: [
      // Before the keys, one of which may close the completions with the same Esc.
      Prec.highest(escape),
      // Before the rest, so that Enter with Ctrl is no new line.
      keymap.of([{ key: "Mod-Enter", run: (view) => (closeCompletion(view), around.onRun(), true), preventDefault: true }]),
      tab.of(keymap.of([indentWithTab])),
      lineNumbers(),
      history(),
      drawSelection(),
      highlightActiveLine(),
      bracketMatching(),
      closeBrackets(),
      indentUnit.of("  "),
      EditorView.lineWrapping,
      autocompletion({ override: [completionSource(around)], icons: false }),
      hover(around),
      keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      colouring,
      problemField,
      theme,
      EditorView.contentAttributes.of({ "aria-label": around.label, spellcheck: "false", autocapitalize: "off", tabindex: "0" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          around.onChange(update.state.doc.toString());
        }
      }),
    ],
  });
}
