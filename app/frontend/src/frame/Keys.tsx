import { useRef, useState } from "react";

import { words } from "../words";
import { Dialog } from "./Dialog";
import { useKeys } from "./keys";
import { go, JOBS, QUERY } from "./location";

const SOON = 1000;

/** The keys that hold everywhere below `/query/`, and their list behind `?`. */
export function Keys() {
  const [shown, setShown] = useState(false);
  const prefix = useRef(0);

  function after(prefixed: () => void): () => boolean {
    return () => {
      const meant = Date.now() - prefix.current < SOON;
      prefix.current = 0;
      if (meant) {
        prefixed();
      }
      return meant;
    };
  }

  useKeys({
    "?": () => setShown(true),
    g: () => {
      prefix.current = Date.now();
    },
    q: after(() => go(QUERY)),
    j: after(() => go(JOBS)),
    d: after(() => window.location.assign("/data/")),
  });
  if (!shown) {
    return null;
  }
  return (
    <Dialog title={words.keys.title} onClose={() => setShown(false)}>
      <dl className="keys">
        {words.keys.list.map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
