import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";

import { changeJob, deleteJob, runJobAgain, type Job } from "../api";
import { Dialog } from "../frame/Dialog";
import { Link } from "../frame/Link";
import { go, JOBS, jobPage, queryPage, resultPage } from "../frame/location";
import { complain, say } from "../frame/toasts";
import { Waiting } from "../frame/Waiting";
import { Failure } from "../query/JobResult";
import { words } from "../words";
import { absolute, bytes, duration, relative } from "../words/english";
import { ConfirmDelete } from "./ConfirmDelete";
import { JobProgress } from "./JobProgress";
import { Phase } from "./Phase";
import { hasEnded, nameOf, took } from "./phases";
import { jobKey, useJob, useNow } from "./useJob";
import "./jobs.css";

/** `/query/jobs/<id>/`: all that is known of one job. */
export default function JobOverview({ id }: { id: string }) {
  const { data: job, error, refetch } = useJob(id);
  if (!job) {
    return <div className="jobs">{error ? <Failure error={error} onRetry={() => void refetch()} /> : <Waiting />}</div>;
  }
  return (
    <article className="jobs overview">
      <p>
        <Link href={JOBS}>{words.jobs.title}</Link>
      </p>
      <header className="jobs-head">
        <h1>{nameOf(job)}</h1>
        <Phase phase={job.phase} />
      </header>
      {job.error && (
        <div className="message bad">
          <p>{job.error.detail}</p>
          {job.error.transient && <p>{words.result.transient}</p>}
        </div>
      )}
      {!hasEnded(job) && job.phase !== "PENDING" && <JobProgress job={job} />}
      <Actions job={job} />
      <pre>
        <code>{job.query}</code>
      </pre>
      <Facts job={job} />
    </article>
  );
}

function Actions({ job }: { job: Job }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<"name" | "delete" | null>(null);
  const again = useMutation({
    mutationFn: () => runJobAgain(job.id),
    onSuccess: (made) => go(made.phase === "COMPLETED" ? resultPage(made.id) : jobPage(made.id)),
    onError: complain,
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const rename = useMutation({
    mutationFn: (run_id: string) => changeJob(job.id, { run_id }),
    onSuccess: (changed) => {
      client.setQueryData(jobKey(job.id), changed);
      setAsking(null);
    },
    onError: complain,
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  const deletion = useMutation({
    mutationFn: () => deleteJob(job.id),
    onSuccess() {
      client.removeQueries({ queryKey: jobKey(job.id) });
      say(words.jobs.deleted(1));
      go(JOBS);
    },
    onError: complain,
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  function copy(): void {
    navigator.clipboard.writeText(window.location.href).then(
      () => say(words.jobs.copied),
      () => say(words.query.notCopied, { kind: "bad" }),
    );
  }
  return (
    <div className="job-actions">
      {job.phase === "COMPLETED" && (
        <Link className="button main" href={resultPage(job.id)}>
          {words.jobs.openResult}
        </Link>
      )}
      <Link className="button" href={queryPage(job.query)}>
        {words.result.edit}
      </Link>
      <button type="button" onClick={copy}>
        {words.jobs.copyLink}
      </button>
      {job.mine && (
        <>
          <button type="button" disabled={again.isPending} onClick={() => again.mutate()}>
            {words.jobs.runAgain}
          </button>
          <button type="button" onClick={() => setAsking("name")}>
            {words.jobs.rename}
          </button>
          <button type="button" onClick={() => setAsking("delete")}>
            {words.jobs.delete}
          </button>
        </>
      )}
      {asking === "delete" && <ConfirmDelete jobs={[job]} onConfirm={() => deletion.mutate()} onClose={() => setAsking(null)} />}
      {asking === "name" && (
        <Dialog title={words.jobs.renameTitle} onClose={() => setAsking(null)}>
          <form
            className="fields"
            onSubmit={(event) => {
              event.preventDefault();
              rename.mutate(new FormData(event.currentTarget).get("run_id") as string);
            }}
          >
            <div className="field">
              <label htmlFor="run_id">{words.jobs.name}</label>
              <p className="quiet" id="run_id-about">
                {words.jobs.renameHint}
              </p>
              <input id="run_id" name="run_id" defaultValue={job.run_id} maxLength={64} aria-describedby="run_id-about" />
            </div>
            <button type="submit" className="main">
              {words.jobs.save}
            </button>
          </form>
        </Dialog>
      )}
    </div>
  );
}

function Facts({ job }: { job: Job }) {
  const seconds = took(job);
  const facts: [string, ReactNode][] = [
    [words.jobs.rows, job.rows !== null && `${job.rows.toLocaleString("en")}${job.overflow ? "+" : ""}`],
    [words.jobs.size, job.bytes !== null && bytes(job.bytes)],
    [words.jobs.took, seconds !== null && duration(seconds)],
    [words.jobs.created, <Moment key="created" time={job.created} />],
    [words.jobs.started, job.started && <Moment key="started" time={job.started} />],
    [words.jobs.ended, job.ended && <Moment key="ended" time={job.ended} />],
    [words.jobs.destruction, job.destruction && <Moment key="destruction" time={job.destruction} />],
    [words.jobs.queue, job.queue],
    [words.jobs.place, job.phase === "QUEUED" && job.place],
    [words.jobs.language, job.language],
    [words.jobs.limit, job.maxrec?.toLocaleString("en")],
    [words.jobs.table, job.table],
    [words.jobs.sources, job.tables.length > 0 && <Sources key="sources" tables={job.tables} />],
    [words.jobs.id, <code key="id">{job.id}</code>],
  ];
  const said = facts.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  return (
    <dl className="job-facts">
      {said.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Sources({ tables }: { tables: string[] }) {
  return (
    <ul>
      {tables.map((table) => (
        <li key={table}>
          <code>{table}</code>
        </li>
      ))}
    </ul>
  );
}

function Moment({ time }: { time: string }) {
  const now = useNow(false);
  return (
    <time dateTime={time}>
      {absolute(time)} <span className="quiet">({relative(time, now)})</span>
    </time>
  );
}
