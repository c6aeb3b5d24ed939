import { useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { getJob, type Job } from "../api";
import { hasEnded } from "./phases";

/** Seconds that one request waits for a change. */
const WAIT = 10;

export const jobKey = (id: string): readonly string[] => ["job", id];

/**
 * A job, followed to its end: each request waits on the server for the next phase, and the next one follows at once.
 */
export function useJob(id: string): UseQueryResult<Job> {
  const client = useQueryClient();
  return useQuery({
    queryKey: jobKey(id),
    async queryFn({ signal }) {
      const known = client.getQueryData<Job>(jobKey(id));
      const job = await getJob(id, known && !hasEnded(known) ? { wait: WAIT, phase: known.phase } : undefined, signal);
      if (known && known.phase !== job.phase) {
        void client.invalidateQueries({ queryKey: ["jobs"] });
      }
      return job;
    },
    staleTime: 5000,
    refetchInterval: ({ state }) => (state.data && !hasEnded(state.data) && state.data.phase !== "PENDING" ? 300 : false),
    refetchIntervalInBackground: true,
  });
}

/** The time, anew each second while `on`. */
export function useNow(on: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!on) {
      return;
    }
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}
