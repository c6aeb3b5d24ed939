import type { Job } from "../api";
import { Dialog } from "../frame/Dialog";
import { words } from "../words";
import { nameOf } from "./phases";

interface ConfirmDeleteProps {
  jobs: Job[];
  onConfirm: () => void;
  onClose: () => void;
}

/** Names what will be gone before it is. */
export function ConfirmDelete({ jobs, onConfirm, onClose }: ConfirmDeleteProps) {
  return (
    <Dialog title={words.jobs.confirmDelete(jobs.length)} onClose={onClose}>
      <ul className="named">
        {jobs.slice(0, 8).map((job) => (
          <li key={job.id}>{nameOf(job)}</li>
        ))}
        {jobs.length > 8 && <li>…</li>}
      </ul>
      <p>{words.jobs.confirmHint}</p>
      <div className="dialog-actions">
        <button type="button" className="danger" onClick={onConfirm}>
          {words.jobs.delete}
        </button>
        <button type="button" onClick={onClose}>
          {words.jobs.keep}
        </button>
      </div>
    </Dialog>
  );
}
