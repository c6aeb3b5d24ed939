import type { Site } from "../api";
import { Dialog } from "../frame/Dialog";
import { Field } from "../frame/Field";
import { words } from "../words";
import type { RunOptions } from "./tabs";

interface OptionsProps {
  options: RunOptions;
  /** Sentences about what is wrong, by the name of the field. */
  errors: Partial<Record<string, string[]>>;
  site: Site | undefined;
  onChange: (options: RunOptions) => void;
  onClose: () => void;
}

/** The fields of the run that most people never need. */
export function Options({ options, errors, site, onChange, onClose }: OptionsProps) {
  const queues = site?.queues ?? [];
  return (
    <Dialog title={words.query.options} onClose={onClose}>
      <form className="fields" method="dialog">
        <Field
          label={words.query.maxrec}
          hint={site ? words.query.maxrecHint(site.limits.rows) : ""}
          errors={errors.maxrec}
          control={(ids) => (
            <input {...ids} inputMode="numeric" value={options.maxrec} onChange={(event) => onChange({ ...options, maxrec: event.target.value })} />
          )}
        />
        {queues.length > 1 && (
          <Field
            label={words.query.queue}
            errors={errors.queue}
            control={(ids) => (
              <select {...ids} value={options.queue} onChange={(event) => onChange({ ...options, queue: event.target.value })}>
                <option value="">{words.query.queueAuto}</option>
                {queues.map(({ name, seconds }) => (
                  <option key={name} value={name}>
                    {words.query.queueSeconds(name, seconds)}
                  </option>
                ))}
              </select>
            )}
          />
        )}
        <Field
          label={words.query.tableName}
          hint={words.query.tableNameHint}
          errors={errors.table_name}
          control={(ids) => <input {...ids} value={options.table_name} onChange={(event) => onChange({ ...options, table_name: event.target.value })} />}
        />
        <Field
          label={words.query.runId}
          hint={words.jobs.renameHint}
          errors={errors.run_id}
          control={(ids) => <input {...ids} maxLength={64} value={options.run_id} onChange={(event) => onChange({ ...options, run_id: event.target.value })} />}
        />
        <button type="submit" className="main">
          {words.frame.close}
        </button>
      </form>
    </Dialog>
  );
}
