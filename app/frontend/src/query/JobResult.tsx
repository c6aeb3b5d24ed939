import { lazy, Suspense, type ReactNode } from "react";

import { Problem, type Job, type Site } from "../api";
import { Link } from "../frame/Link";
import { jobPage } from "../frame/location";
import { Waiting } from "../frame/Waiting";
import { JobProgress } from "../jobs/JobProgress";
import { hasEnded, took } from "../jobs/phases";
import { useJob } from "../jobs/useJob";
import { words } from "../words";

const Result = lazy(() => import("../result"));

interface JobResultProps {
  id: string;
  site: Site | undefined;
  onQuery: (query: string) => void;
  onRunAgain: (() => void) | null;
}

/** What a job found, or where it is, or why it found nothing. */
export function JobResult({ id, site, onQuery, onRunAgain }: JobResultProps) {
  const { data: job, error, refetch } = useJob(id);
  if (!job) {
    return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Waiting />;
  }
  return (
    <>
      <div className="result-bar">
        <h2>{words.result.title}</h2>
        <p className="quiet digits" role="status">
          {summary(job)}
        </p>
        <Link href={jobPage(job.id)}>{words.result.overview}</Link>
      </div>
      {job.overflow && job.rows !== null && <p className="message warn">{words.result.overflow(job.rows)}</p>}
      <Body job={job} site={site} onQuery={onQuery} onRunAgain={onRunAgain} />
    </>
  );
}

function summary(job: Job): string {
  return job.phase === "COMPLETED" && job.rows !== null ? words.result.rows(job.rows, took(job)) : words.jobs.phases[job.phase];
}

function Body({ job, site, onQuery, onRunAgain }: { job: Job } & Omit<JobResultProps, "id">): ReactNode {
  const again = onRunAgain && (
    <button type="button" onClick={onRunAgain}>
      {words.result.runAgain}
    </button>
  );
  if (!hasEnded(job)) {
    return job.phase === "PENDING" ? <Message text={words.result.pending}>{again}</Message> : <JobProgress job={job} />;
  }
  if (job.phase === "ERROR") {
    return (
      <div className="message bad" role="alert">
        <h3>{words.result.failed}</h3>
        <p>{job.error?.detail}</p>
        {job.error?.transient && <p>{words.result.transient}</p>}
        {job.error?.transient && again}
      </div>
    );
  }
  if (job.phase !== "COMPLETED") {
    return <Message text={job.phase === "ARCHIVED" ? words.result.archived : words.result.aborted}>{again}</Message>;
  }
  if (job.rows === 0) {
    return <Message text={words.result.empty} />;
  }
  return (
    site && (
      <div className="result-view">
        <Suspense fallback={<Waiting />}>
          <Result key={job.id} job={job} site={site} onQuery={onQuery} />
        </Suspense>
      </div>
    )
  );
}

function Message({ text, children }: { text: string; children?: ReactNode }) {
  return (
    <div className="message">
      <p>{text}</p>
      {children}
    </div>
  );
}

/** Why a job cannot be shown, with what may help. */
export function Failure({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const missing = error instanceof Problem && error.status === 404;
  return (
    <div className="message bad" role="alert">
      <p>{missing ? words.result.notFound : error.message}</p>
      {!missing && (
        <button type="button" onClick={onRetry}>
          {words.frame.tryAgain}
        </button>
      )}
    </div>
  );
}
