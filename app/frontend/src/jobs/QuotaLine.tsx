import { useMe } from "../query/archive";
import { words } from "../words";

/** How much of what they may use is used, in one line. */
export function QuotaLine() {
  const me = useMe();
  if (!me) {
    return null;
  }
  const { bytes, active } = me.quotas;
  const full = bytes !== undefined && bytes.limit !== null && bytes.used >= bytes.limit;
  return (
    <div className="quota">
      {bytes && (
        <p>
          {bytes.limit !== null && (
            <meter aria-label={words.jobs.size} min={0} max={bytes.limit} high={bytes.limit * 0.9} value={Math.min(bytes.used, bytes.limit)} />
          )}{" "}
          {words.jobs.quotaBytes(bytes.used, bytes.limit)}
        </p>
      )}
      {active && <p>{words.jobs.quotaActive(active.used, active.limit)}</p>}
      {full && <p className="error">{words.jobs.quotaFull}</p>}
    </div>
  );
}
