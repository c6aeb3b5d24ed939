import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useSyncExternalStore } from "react";

import { getExamples, getFunctions, getMe, getPlace, getSchemas, getSite, getTable, type Example, type Me, type Place, type Schema, type Site, type Table, type TableColumn } from "../api";
import type { Known } from "./completion";

const LONG = 10 * 60_000;
const tableKey = (qualified: string): readonly string[] => ["table", qualified];

export function useSite(): Site | undefined {
  return useQuery({ queryKey: ["site"], queryFn: ({ signal }) => getSite(signal), staleTime: LONG }).data;
}

export function useMe(): Me | undefined {
  return useQuery({ queryKey: ["me"], queryFn: ({ signal }) => getMe(signal) }).data;
}

export function useSchemas(): { schemas: Schema[]; error: Error | null; isPending: boolean } {
  const { data, error, isPending } = useQuery({ queryKey: ["schemas"], queryFn: ({ signal }) => getSchemas(signal), staleTime: LONG });
  return { schemas: data ?? NO_SCHEMAS, error, isPending };
}

export function useExamples(): Example[] {
  return useQuery({ queryKey: ["examples"], queryFn: ({ signal }) => getExamples(signal), staleTime: LONG }).data ?? NO_EXAMPLES;
}

export function useTable(qualified: string): { table: Table | undefined; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: tableKey(qualified),
    queryFn: ({ signal }) => getTable(qualified, signal),
    staleTime: LONG,
  });
  return { table: data, error };
}

/** Where an object is: the same name is asked for once, however many want to know. */
export function resolving(name: string): { queryKey: string[]; queryFn: (asked: { signal: AbortSignal }) => Promise<Place>; staleTime: number } {
  return { queryKey: ["resolve", name], queryFn: ({ signal }) => getPlace(name, signal), staleTime: LONG };
}

const NO_SCHEMAS: Schema[] = [];
const NO_EXAMPLES: Example[] = [];
const NO_FUNCTIONS: Known["functions"] = [];

/** What completion and hovering know of the archive, and how they learn more. */
export function useKnown(): { known: Known; fetchColumns: (tables: string[]) => Promise<void> } {
  const client = useQueryClient();
  const { schemas } = useSchemas();
  const functions = useQuery({ queryKey: ["functions"], queryFn: ({ signal }) => getFunctions(signal), staleTime: LONG }).data ?? NO_FUNCTIONS;
  const columns = useFetchedColumns(client);
  const known = useMemo(() => ({ schemas, functions, columns }), [schemas, functions, columns]);

  const fetchColumns = useCallback(
    async (tables: string[]) => {
      const real = new Set(schemas.flatMap((schema) => schema.tables.map(({ qualified }) => qualified)));
      const wanted = tables.filter((table) => real.has(table));
      const fetches = wanted.map((table) =>
        client.query({ queryKey: tableKey(table), queryFn: ({ signal }) => getTable(table, signal), staleTime: LONG }),
      );
      // What cannot be fetched is not completed, and nothing worse.
      await Promise.allSettled(fetches);
    },
    [client, schemas],
  );
  return { known, fetchColumns };
}

/** Columns of the tables that were fetched for any reason: the tree's are completed, too. */
function useFetchedColumns(client: QueryClient): ReadonlyMap<string, TableColumn[]> {
  const store = useMemo(() => fetched(client), [client]);
  return useSyncExternalStore(store.watch, store.read);
}

function fetched(client: QueryClient): { watch: (watcher: () => void) => () => void; read: () => ReadonlyMap<string, TableColumn[]> } {
  let columns: ReadonlyMap<string, TableColumn[]> = new Map();
  return {
    watch: (watcher) =>
      client.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && (event.query.queryKey as readonly unknown[])[0] === "table") {
          watcher();
        }
      }),
    read() {
      const tables = client.getQueriesData<Table>({ queryKey: ["table"] }).flatMap(([, table]) => (table ? [table] : []));
      if (tables.length !== columns.size || tables.some((table) => columns.get(table.qualified) !== table.columns)) {
        columns = new Map(tables.map((table) => [table.qualified, table.columns]));
      }
      return columns;
    },
  };
}
