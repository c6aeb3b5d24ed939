import { useMutation, useQuery } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";

import { address, getTable, request, type Column, type Job, type Site } from "../../api";
import { Dialog } from "../../frame/Dialog";
import { complain, say } from "../../frame/toasts";
import { asked, type Shape } from "../data/requests";
import type { Marks } from "../marks";
import { conditions } from "../selection";
import type { State } from "../state";
import { bytes } from "../table/numbers";
import { intervals, type Where } from "../where";
import { words } from "../words";
import { bibtex, sourceOf } from "./citation";
import { LANGUAGES, notebook, resultCode, TOKEN, type Language } from "./code";
import { NoHub, Refused, sendTable } from "./samp";
import { save } from "./save";

type Scope = "all" | "filtered" | "selected";

interface DownloadDialogProps {
  job: Job;
  site: Site;
  columns: readonly Column[];
  shown: readonly string[];
  state: State;
  sort: readonly string[];
  marks: Marks;
  scope: Scope;
  filtered: number;
  onClose: () => void;
}

/** Everything that takes a result away: files, code, a notebook, a citation, and programs on the reader's computer. */
export function DownloadDialog(props: DownloadDialogProps) {
  const { job, site, columns, state, onClose } = props;
  const [language, setLanguage] = useState<Language>("pyvo");
  const id = useId();
  const code = resultCode(language, job, site);
  const copy = (text: string): void => void navigator.clipboard.writeText(text).then(() => say(words.download.copied), complain);
  return (
    <Dialog title={words.download.title} onClose={onClose}>
      <div className="viewer-download">
        <Files {...props} />
        <section>
          <h3 id={`${id}code`}>{words.download.copyCode}</h3>
          <div className="viewer-switch" role="group" aria-labelledby={`${id}code`}>
            {LANGUAGES.map((one) => <button key={one} type="button" aria-pressed={one === language} onClick={() => setLanguage(one)}>{one}</button>)}
          </div>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so keys must reach it */}
          <pre tabIndex={0} aria-label={language}><code>{code}</code></pre>
          <div className="viewer-actions">
            <button type="button" onClick={() => copy(code)}>{words.download.copy}</button>
            <button type="button" onClick={() => save(notebook(job, site, state.plot, columns), "query.ipynb", "application/x-ipynb+json")}>{words.download.notebook}</button>
          </div>
          {code.includes(TOKEN) && <p className="viewer-quiet">{words.download.token}</p>}
        </section>
        <Citation job={job} site={site} onCopy={copy} />
        <Samp job={job} site={site} />
      </div>
    </Dialog>
  );
}

function Files({ job, site, columns, shown, state, sort, marks, scope: first, filtered }: DownloadDialogProps) {
  const [format, setFormat] = useState(site.formats.find((one) => one.name === "fits")?.name ?? site.formats.at(0)?.name ?? "votable");
  const [scope, setScope] = useState<Scope>(first === "all" && state.where.length ? "filtered" : first);
  const [fewer, setFewer] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const total = job.rows ?? 0;
  const rows: Record<Scope, number> = { all: total, filtered, selected: marks.count };
  const where: Where = scope === "all" ? [] : scope === "filtered" ? state.where : [...state.where, ...(conditions(state.selection, columns) ?? [["#", "in", intervals(marks.bytes)] as const])];
  const shape: Shape = { columns: fewer ? shown : undefined, sort, where };
  const [url, init] = asked(job, "download", shape, { format });
  const posted = init.body instanceof URLSearchParams ? [...init.body] : undefined;
  // The size of a whole file is known before it is made only for some formats.
  const size = useQuery({
    queryKey: ["size", url],
    queryFn: async ({ signal }) => Number((await request(url, { method: "HEAD", signal })).headers.get("Content-Length") ?? 0),
    enabled: !posted,
    retry: false,
  });
  const about = job.bytes && total ? (job.bytes / total) * rows[scope] * (fewer ? shown.length / Math.max(1, columns.length) : 1) : 0;
  return (
    <section>
      <fieldset>
        <legend>{words.download.rows}</legend>
        {(["all", "filtered", "selected"] as const).map((one) => (
          <label key={one} className="viewer-check">
            <input
              type="radio" name={`${id}rows`} checked={scope === one} onChange={() => setScope(one)}
              disabled={(one === "filtered" && state.where.length === 0) || (one === "selected" && marks.count === 0)}
            />{" "}
            {words.download[one](rows[one])}
          </label>
        ))}
      </fieldset>
      <div className="viewer-fields">
        <label className="viewer-field">
          <span>{words.download.format}</span>
          <select value={format} onChange={(event) => setFormat(event.target.value)}>
            {site.formats.map((one) => <option key={one.name} value={one.name}>{one.label}</option>)}
          </select>
        </label>
        {shown.length < columns.length && (
          <label className="viewer-check"><input type="checkbox" checked={fewer} onChange={(event) => setFewer(event.target.checked)} /> {words.download.shownColumns}</label>
        )}
      </div>
      <div className="viewer-actions">
        {posted ? (
          <form ref={form} method="post" action={url}>
            {posted.map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
            <button type="submit" className="main">{words.download.save}</button>
          </form>
        ) : (
          <a className="button main" href={url} download>{words.download.save}</a>
        )}
        <span className="viewer-quiet">{size.data ? words.download.size(bytes(size.data)) : about ? words.download.about(bytes(about)) : ""}</span>
      </div>
    </section>
  );
}

function Citation({ job, site, onCopy }: { job: Job; site: Site; onCopy: (text: string) => void }) {
  const tables = job.tables.filter((name) => !name.startsWith("tap_user.") && !name.startsWith("tap_upload."));
  const sources = useQuery({
    queryKey: ["sources", tables],
    queryFn: async ({ signal }) => Promise.all(tables.map(async (name) => sourceOf((await getTable(name, signal)) as unknown as Record<string, unknown>, site))),
    enabled: tables.length > 0,
    staleTime: Infinity,
    retry: false,
  });
  if (tables.length === 0 || sources.error) return null;
  const text = sources.data ? bibtex(sources.data, job.created) : words.download.citeWait;
  return (
    <section>
      <h3>{words.download.cite}</h3>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so keys must reach it */}
      <pre tabIndex={0} aria-label={words.download.cite}><code>{text}</code></pre>
      {sources.data && <div className="viewer-actions"><button type="button" onClick={() => onCopy(text)}>{words.download.copy}</button></div>}
    </section>
  );
}

/** Time for the reader to answer what the hub asks. */
const PATIENCE = 60_000;

function Samp({ job, site }: { job: Job; site: Site }) {
  const own = job.mine && site.user.authenticated;
  const table = new URL(`/tap/async/${encodeURIComponent(job.id)}/results/result`, site.site_url || address("/")).href;
  const send = useMutation({
    mutationFn: () => sendTable(table, [job.run_id, job.table].find(Boolean) ?? job.id, site.title, AbortSignal.timeout(PATIENCE)),
  });
  const said = send.isPending ? words.download.sampWaiting
    : send.data ? (send.data.length ? words.download.sampSent(send.data.join(", ")) : words.download.sampNobody)
    : send.error instanceof NoHub ? words.download.sampNone
    : send.error instanceof Refused || send.error ? words.download.sampRefused
    : "";
  return (
    <section>
      <div className="viewer-actions">
        <button type="button" disabled={own || send.isPending} onClick={() => send.mutate()}>{words.download.samp}</button>
      </div>
      <p className="viewer-quiet" role="status">{own ? words.download.sampPrivate : said}</p>
    </section>
  );
}
