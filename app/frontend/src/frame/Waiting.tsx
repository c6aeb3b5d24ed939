import { words } from "../words";

/** Shown while something is fetched; the sheet lets it appear after 300 ms, so that quick answers do not flicker. */
export function Waiting({ what = words.frame.loading }: { what?: string }) {
  return (
    <p className="waiting" role="status">
      {what}
    </p>
  );
}
