import { useMutation, useQueryClient } from "@tanstack/react-query";

import { abortJob, type Job } from "../api";
import { complain } from "../frame/toasts";
import { words } from "../words";
import { jobKey, useNow } from "./useJob";

/** Where a job is that has not ended: its place in the queue or the time that it runs, and how to end it. */
export function JobProgress({ job }: { job: Job }) {
  const client = useQueryClient();
  const now = useNow(true);
  const abort = useMutation({
    mutationFn: () => abortJob(job.id),
    onSuccess: (changed) => client.setQueryData(jobKey(job.id), changed),
    onError: complain,
  });
  const running = job.phase === "EXECUTING";
  const since = Date.parse((running ? job.started : job.queued) ?? job.created);
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  return (
    <div className="progress">
      <p role="status">{running ? words.result.executing : words.result.queued(job.place)}</p>
      <progress aria-label={running ? words.result.executing : words.result.queued(job.place)} />
      <p className="quiet digits">{words.result.elapsed(Math.max(1, seconds))}</p>
      <p className="quiet">{words.result.leave}</p>
      {job.mine && (
        <button type="button" disabled={abort.isPending} onClick={() => abort.mutate()}>
          {words.result.abort}
        </button>
      )}
    </div>
  );
}
