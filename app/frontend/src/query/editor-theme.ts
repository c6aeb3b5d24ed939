import { EditorView } from "@codemirror/view";

/** The editor in the tokens of the site; custom properties reach into its shadow root. */
export const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "var(--text-data)", color: "var(--ink)", backgroundColor: "var(--card)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--ink)", padding: "var(--space-8) 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--quiet)", border: "none", paddingLeft: "var(--space-4)" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--sunken)" },
  "& .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "var(--selected)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selected)", outline: "1px solid var(--edge)" },
  ".token-keyword": { color: "var(--link)", fontWeight: "600" },
  ".token-text, .token-number": { color: "var(--good)" },
  ".token-comment": { color: "var(--quiet)", fontStyle: "italic" },
  ".token-quoted": { color: "var(--ink)" },
  ".problem": { textDecoration: "underline wavy var(--bad) 1.5px", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-tooltip": {
    backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--edge)", borderRadius: "var(--radius)",
    maxWidth: "min(30rem, 90vw)", fontSize: "var(--text-small)", overflow: "hidden",
  },
  ".cm-tooltip p": { margin: "0 0 var(--space-4)" },
  ".cm-tooltip-hover, .cm-completionInfo": { padding: "var(--space-8) var(--space-12)", whiteSpace: "normal" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16rem", maxWidth: "min(44rem, 92vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px var(--space-8)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--selected)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--quiet)", fontStyle: "normal", fontFamily: "var(--sans)", marginLeft: "var(--space-12)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
});
