import type { Job } from "../api";
import { Link } from "../frame/Link";
import { jobPage, resultPage } from "../frame/location";
import { words } from "../words";
import { absolute, bytes, relative } from "../words/english";
import { Phase } from "./Phase";
import { firstLine, isActive, nameOf } from "./phases";
import { useNow } from "./useJob";

interface JobTableProps {
  jobs: Job[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
  onGroup: (name: string) => void;
}

export function JobTable({ jobs, chosen, onChoose, onGroup }: JobTableProps) {
  const now = useNow(jobs.some(isActive));
  const all = jobs.every(({ id }) => chosen.has(id));
  function toggle(id: string): void {
    const changed = new Set(chosen);
    if (!changed.delete(id)) {
      changed.add(id);
    }
    onChoose(changed);
  }
  return (
    <table className="job-table" aria-label={words.jobs.title}>
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox"
              aria-label={words.jobs.selectAll}
              checked={all}
              onChange={() => onChoose(all ? new Set() : new Set(jobs.map(({ id }) => id)))}
            />
          </th>
          <th scope="col">{words.jobs.state}</th>
          <th scope="col">{words.jobs.query}</th>
          <th scope="col">{words.jobs.rows}</th>
          <th scope="col">{words.jobs.size}</th>
          <th scope="col">{words.jobs.age}</th>
          <th scope="col">{words.jobs.kept}</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id} aria-selected={chosen.has(job.id)}>
            <td>
              <input type="checkbox" aria-label={words.jobs.select(nameOf(job))} checked={chosen.has(job.id)} onChange={() => toggle(job.id)} />
            </td>
            <td>
              <Phase phase={job.phase} />
            </td>
            <td className="what">
              <Link href={job.phase === "COMPLETED" ? resultPage(job.id) : jobPage(job.id)}>{nameOf(job)}</Link>
              {job.run_id && <p className="quiet code">{firstLine(job.query)}</p>}
              {job.error && <p className="error">{job.error.detail}</p>}
              <p className="row-actions">
                <Link href={jobPage(job.id)}>{words.jobs.overview}</Link>
                {job.run_id && (
                  <button type="button" className="plain" onClick={() => onGroup(job.run_id)}>
                    {words.jobs.group(job.run_id)}
                  </button>
                )}
              </p>
            </td>
            <td className="digits" data-label={words.jobs.rows}>
              {job.rows?.toLocaleString("en")}
              {job.overflow && "+"}
            </td>
            <td className="digits" data-label={words.jobs.size}>
              {job.bytes === null ? "" : bytes(job.bytes)}
            </td>
            <Time label={words.jobs.age} time={job.created} now={now} />
            <Time label={words.jobs.kept} time={job.destruction} now={now} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Time({ label, time, now }: { label: string; time: string | null; now: number }) {
  return (
    <td data-label={label}>
      {time && (
        <time dateTime={time} title={absolute(time)}>
          {relative(time, now)}
        </time>
      )}
    </td>
  );
}
