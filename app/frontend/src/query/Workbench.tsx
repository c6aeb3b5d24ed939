import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { createJob, getJob, Problem, type Fix, type Job, type Language, type QueryProblem } from "../api";
import { Dialog } from "../frame/Dialog";
import { isBoolean, isNumber, useKept } from "../frame/kept";
import { useKeys } from "../frame/keys";
import { go, QUERY, queryPage, resultPage } from "../frame/location";
import { Splitter } from "../frame/Splitter";
import { complain, say } from "../frame/toasts";
import { useWide } from "../frame/useWide";
import { hasEnded } from "../jobs/phases";
import { jobKey } from "../jobs/useJob";
import { words } from "../words";
import { useKnown, useSite } from "./archive";
import { Builder } from "./Builder";
import { Editor, type EditorHandle } from "./Editor";
import { format } from "./format";
import { JobResult } from "./JobResult";
import { Options } from "./Options";
import { fixed } from "./positions";
import { requested } from "./request";
import { Sidebar } from "./Sidebar";
import { Status } from "./Status";
import { TabBar } from "./TabBar";
import { change, close, newTab, open, openQuery, reopen, type Tab } from "./tabs";
import { useCheck } from "./useCheck";
import { useTabs } from "./useTabs";
import "./query.css";

const LANGUAGES: Language[] = ["ADQL", "PostgreSQL"];

interface WorkbenchProps {
  /** The job and the query that the address names. */
  job: string | null;
  query: string | null;
}

/** `/query/`: tables, editor and result. */
export default function Workbench({ job, query }: WorkbenchProps) {
  const client = useQueryClient();
  const wide = useWide();
  const site = useSite();
  const { known, fetchColumns } = useKnown();
  const { tabs, tab, update } = useTabs();
  const checked = useCheck(tab.query, tab.language);
  const editor = useRef<EditorHandle>(null);
  const [refusal, setRefusal] = useState<{ query: string; problem: QueryProblem } | null>(null);
  const [errors, setErrors] = useState<Record<string, string[]>>({});
  const [choosing, setChoosing] = useState(false);
  const [building, setBuilding] = useState(false);
  const [sideShown, setSideShown] = useKept("side.shown", true, isBoolean);
  const [sheetShown, setSheetShown] = useState(false);
  const [sideWidth, setSideWidth] = useKept("side.width", 288, isNumber);
  const [editorHeight, setEditorHeight] = useKept("editor.height", 220, isNumber);

  useEffect(() => {
    if (query !== null) {
      update((now) => openQuery(now, query));
      go(QUERY, { replace: true });
    }
  }, [query, update]);

  useEffect(() => {
    if (job === null || tab.job === job) {
      return;
    }
    const owner = tabs.list.find((one) => one.job === job);
    if (owner) {
      update((now) => ({ ...now, active: owner.id }));
      return;
    }
    void client
      .query({ queryKey: jobKey(job), queryFn: ({ signal }) => getJob(job, undefined, signal) })
      .then((found) => update((now) => open(now, newTab(found.query, { job, language: found.language, name: found.run_id }))))
      .catch((error: unknown) => {
        complain(error instanceof Problem && error.status === 404 ? new Error(words.result.notFound) : error);
        go(QUERY, { replace: true });
      });
    // Only another address opens a tab; the address follows the tabs otherwise.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [job]);

  function show(shown: Pick<Tab, "id" | "job">): void {
    update((now) => ({ ...now, active: shown.id }));
    go(shown.job ? resultPage(shown.job) : QUERY, { replace: true });
  }

  const running = useMutation({
    mutationFn: ({ asked }: { asked: Tab }) => createJob({ ...requested(asked), wait: 5 }),
    onSuccess(made: Job, { asked }) {
      client.setQueryData(jobKey(made.id), made);
      update((now) => change(now, asked.id, { job: made.id }));
      if (asked.id === tab.id) {
        go(resultPage(made.id), { replace: true });
      }
      void client.invalidateQueries({ queryKey: ["jobs"] });
      void client.invalidateQueries({ queryKey: ["me"] });
      if (asked.options.table_name && hasEnded(made)) {
        void client.invalidateQueries({ queryKey: ["schemas"] });
      }
    },
    onError(error, { asked }) {
      const problem = error instanceof Problem ? error : new Problem(0, { detail: error.message });
      const named = Object.keys(problem.errors).filter((name) => name in asked.options);
      if (named.length > 0) {
        setErrors(problem.errors);
        setChoosing(true);
      } else {
        setRefusal({ query: asked.query, problem });
      }
    },
  });

  function run(): void {
    setRefusal(null);
    setErrors({});
    if (running.isPending || !tab.query.trim()) {
      return;
    }
    if (tab.options.maxrec.trim() && !/^[1-9]\d*$/.test(tab.options.maxrec.trim())) {
      setErrors({ maxrec: [words.query.notWhole] });
      setChoosing(true);
      return;
    }
    running.mutate({ asked: tab });
  }

  const problem = checked.check?.problem ?? (refusal?.query === tab.query ? refusal.problem : null);
  function goToProblem(): boolean {
    if (problem?.position) {
      editor.current?.select(problem.position);
    }
    return Boolean(problem?.position);
  }

  const toggleSide = (): void => (wide ? setSideShown(!sideShown) : setSheetShown(!sheetShown));
  useKeys({ "Mod+Enter": run, F8: goToProblem, "[": toggleSide });

  function share(): void {
    const link = tab.query.trim() ? queryPage(tab.query) : QUERY;
    navigator.clipboard.writeText(new URL(link, window.location.href).href).then(
      () => say(words.query.shared),
      () => say(words.query.notCopied, { kind: "bad" }),
    );
  }

  function closeTab(closed: Tab): void {
    const at = tabs.list.findIndex(({ id }) => id === closed.id);
    const after = close(tabs, closed.id);
    update((now) => close(now, closed.id));
    const shown = after.list.find(({ id }) => id === after.active);
    go(shown?.job ? resultPage(shown.job) : QUERY, { replace: true });
    if (closed.query.trim()) {
      const undo = { label: words.query.undo, run: () => update((now) => reopen(now, closed, at)) };
      say(words.query.closed(closed.name || words.query.untitled), { action: undo });
    }
  }

  function openInTab(text: string, language?: Language): void {
    setSheetShown(false);
    update((now) => openQuery(now, text, language && { language }));
    go(QUERY, { replace: true });
  }

  const side = (
    <Sidebar
      onInsert={(text) => {
        setSheetShown(false);
        editor.current?.insert(text);
      }}
      onQuery={openInTab}
      onBuild={() => setBuilding(true)}
    />
  );

  return (
    <div className="workbench" style={{ "--side": `${sideWidth}px`, "--editor": `${editorHeight}px` }}>
      {wide && sideShown && (
        <>
          <aside className="side" aria-label={words.tables.title}>
            {side}
          </aside>
          <Splitter label={words.tables.title} value={sideWidth} min={200} max={560} orientation="vertical" onChange={setSideWidth} />
        </>
      )}
      {!wide && sheetShown && (
        <Dialog title={words.tables.title} onClose={() => setSheetShown(false)}>
          {side}
        </Dialog>
      )}
      <div className="desk">
        <h1 className="unseen">{words.query.title}</h1>
        <div className="desk-bar">
          <button type="button" className="plain" aria-expanded={wide ? sideShown : sheetShown} onClick={toggleSide}>
            {words.tables.show}
          </button>
          <TabBar
            tabs={tabs.list}
            active={tab.id}
            onShow={(id) => show(tabs.list.find((one) => one.id === id)!)}
            onClose={closeTab}
            onRename={(id, name) => update((now) => change(now, id, { name }))}
            onNew={() => {
              update((now) => ({ ...open(now, newTab("", { language: tab.language })) }));
              go(QUERY, { replace: true });
            }}
          />
        </div>
        <Editor
          ref={editor}
          tab={tab.id}
          query={tab.query}
          language={tab.language}
          known={known}
          fetchColumns={fetchColumns}
          problem={problem?.position ? { text: problem.detail, position: problem.position } : null}
          onChange={(text) => update((now) => change(now, tab.id, { query: text }))}
          onRun={run}
        />
        <Splitter label={words.query.editor} value={editorHeight} min={96} max={720} orientation="horizontal" onChange={setEditorHeight} />
        <div className="run-bar">
          <Status
            checked={checked}
            refusal={refusal?.query === tab.query ? refusal.problem : null}
            onFix={(fix: Fix) => editor.current?.replace(fixed(tab.query, fix))}
            onGo={goToProblem}
          />
          <div className="run-actions">
            <select
              aria-label={words.query.language}
              value={tab.language}
              onChange={(event) => update((now) => change(now, tab.id, { language: event.target.value as Language }))}
            >
              {LANGUAGES.map((language) => (
                <option key={language}>{language}</option>
              ))}
            </select>
            <button type="button" onClick={() => editor.current?.replace(format(tab.query))}>
              {words.query.format}
            </button>
            <button type="button" onClick={share}>
              {words.query.share}
            </button>
            <button type="button" aria-label={words.query.options} title={words.query.options} onClick={() => setChoosing(true)}>
              ⋯
            </button>
            <button type="button" className="main" title={words.query.runKeys} disabled={!tab.query.trim()} aria-busy={running.isPending} onClick={run}>
              {words.query.run}
            </button>
          </div>
        </div>
        <section className="result" aria-label={words.result.title}>
          {running.isPending ? (
            <p className="waiting" role="status">
              {words.query.running}
            </p>
          ) : tab.job ? (
            <JobResult
              key={tab.job}
              id={tab.job}
              site={site}
              onQuery={(text) => {
                update((now) => open(now, newTab(text)));
                go(QUERY, { replace: true });
              }}
              onRunAgain={run}
            />
          ) : (
            <p className="quiet empty">{words.result.none}</p>
          )}
        </section>
      </div>
      {building && <Builder onQuery={openInTab} onClose={() => setBuilding(false)} />}
      {choosing && (
        <Options
          options={tab.options}
          errors={errors}
          site={site}
          onChange={(options) => {
            setErrors({});
            update((now) => change(now, tab.id, { options }));
          }}
          onClose={() => setChoosing(false)}
        />
      )}
    </div>
  );
}
