import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";

import { abortJob, deleteJob, getJobs, type Job, type JobFilter } from "../api";
import { Link } from "../frame/Link";
import { QUERY } from "../frame/location";
import { complain, say } from "../frame/toasts";
import { Waiting } from "../frame/Waiting";
import { words } from "../words";
import { ConfirmDelete } from "./ConfirmDelete";
import { JobTable } from "./JobTable";
import { hasEnded, isActive } from "./phases";
import { QuotaLine } from "./QuotaLine";
import "./jobs.css";

const PHASES = ["COMPLETED", "ERROR", "ABORTED"] as const;
const PAGE = 50;
/** Milliseconds between two looks at the list, while a job of it is active and while none is. */
const LIVELY = 3000;
const CALM = 20_000;

/** `/query/jobs/`: the asker's jobs, live. */
export default function JobList() {
  const client = useQueryClient();
  const [phase, setPhase] = useState("");
  const [group, setGroup] = useState("");
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState<Job[]>([]);
  const q = useDeferredValue(text.trim());
  const filter: JobFilter = { phase, run_id: group, q, limit: PAGE };
  const list = useInfiniteQuery({
    queryKey: ["jobs", filter],
    queryFn: ({ pageParam, signal }) => getJobs({ ...filter, after: pageParam }, signal),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
    placeholderData: (before) => before,
    refetchInterval: ({ state }) => (state.data?.pages.some(({ jobs }) => jobs.some(isActive)) ? LIVELY : CALM),
  });
  const jobs = list.data?.pages.flatMap((page) => page.jobs) ?? [];
  const selected = jobs.filter(({ id }) => chosen.has(id));

  function changed(): void {
    setChosen(new Set());
    void client.invalidateQueries({ queryKey: ["jobs"] });
    void client.invalidateQueries({ queryKey: ["me"] });
    void client.invalidateQueries({ queryKey: ["schemas"] });
  }
  const deletion = useMutation({
    mutationFn: (gone: Job[]) => Promise.all(gone.map(({ id }) => deleteJob(id))),
    onSuccess: (gone) => say(words.jobs.deleted(gone.length)),
    onError: complain,
    onSettled: changed,
  });
  const abortion = useMutation({
    mutationFn: (ended: Job[]) => Promise.all(ended.map(({ id }) => abortJob(id))),
    onSuccess: (ended) => say(words.jobs.aborted(ended.length)),
    onError: complain,
    onSettled: changed,
  });
  const abortable = selected.filter((job) => !hasEnded(job));
  const anyFilter = phase !== "" || group !== "" || q !== "";

  return (
    <div className="jobs">
      <header className="jobs-head">
        <h1>{words.jobs.title}</h1>
        <QuotaLine />
      </header>
      <div className="chips" role="group" aria-label={words.jobs.filter}>
        <Chip label={words.jobs.phases.all} on={phase === ""} onClick={() => setPhase("")} />
        <Chip label={words.jobs.phases.active} on={phase === ACTIVE} onClick={() => setPhase(ACTIVE)} />
        {PHASES.map((name) => (
          <Chip key={name} label={words.jobs.phases[name]} on={phase === name} onClick={() => setPhase(name)} />
        ))}
        {group && <Chip label={`${words.jobs.group(group)} ×`} on onClick={() => setGroup("")} />}
        <input type="search" aria-label={words.jobs.search} placeholder={words.jobs.search} value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      {selected.length > 0 && (
        <div className="selection" role="status">
          <span>{words.jobs.selected(selected.length)}</span>
          {abortable.length > 0 && (
            <button type="button" onClick={() => abortion.mutate(abortable)}>
              {words.jobs.abort}
            </button>
          )}
          <button type="button" onClick={() => setDeleting(selected)}>
            {words.jobs.delete}
          </button>
          <button type="button" className="plain" onClick={() => setChosen(new Set())}>
            {words.jobs.clear}
          </button>
        </div>
      )}
      {list.error && (
        <p className="message bad" role="alert">
          {list.error.message}
        </p>
      )}
      {list.isPending && <Waiting />}
      {list.data && jobs.length === 0 && (
        <div className="empty">
          <p>{anyFilter ? words.jobs.emptyFilter : words.jobs.empty}</p>
          {!anyFilter && <Link href={QUERY}>{words.jobs.toQuery}</Link>}
        </div>
      )}
      {jobs.length > 0 && <JobTable jobs={jobs} chosen={chosen} onChoose={setChosen} onGroup={setGroup} />}
      {list.hasNextPage && (
        <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {words.jobs.more}
        </button>
      )}
      {deleting.length > 0 && (
        <ConfirmDelete
          jobs={deleting}
          onConfirm={() => {
            deletion.mutate(deleting);
            setDeleting([]);
          }}
          onClose={() => setDeleting([])}
        />
      )}
    </div>
  );
}

const ACTIVE = "QUEUED,EXECUTING";

function Chip({ label, on, onClick }: { label: string; on: boolean; onClick: () => void }) {
  return (
    <button type="button" className="chip" aria-pressed={on} onClick={onClick}>
      {label}
    </button>
  );
}
