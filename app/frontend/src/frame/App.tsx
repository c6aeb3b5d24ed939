import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";

import { Problem } from "../api";
import { Boundary } from "./Boundary";
import { Keys } from "./Keys";
import { usePlace } from "./location";
import { Toasts } from "./Toasts";
import { Waiting } from "./Waiting";

const Workbench = lazy(() => import("../query/Workbench"));
const JobList = lazy(() => import("../jobs/JobList"));
const JobOverview = lazy(() => import("../jobs/JobOverview"));

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      // An archive that restarts is back within the minute; what it refuses, it refuses again.
      retry: (failures, error) => error instanceof Problem && error.transient && failures < 6,
      retryDelay: (failures) => Math.min(1000 * 2 ** failures, 15_000),
    },
  },
});

/** Everything below `/query/`: which screen, and what all screens share. */
export function App() {
  const place = usePlace();
  return (
    <QueryClientProvider client={client}>
      <Boundary key={place.screen}>
        <Suspense fallback={<Waiting />}>
          {place.screen === "query" && <Workbench job={place.job} query={place.query} />}
          {place.screen === "jobs" && <JobList />}
          {place.screen === "job" && <JobOverview key={place.id} id={place.id} />}
        </Suspense>
      </Boundary>
      <Keys />
      <Toasts />
    </QueryClientProvider>
  );
}
