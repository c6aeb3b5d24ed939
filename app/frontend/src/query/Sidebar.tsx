import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { getJobs, type Language } from "../api";
import { Link } from "../frame/Link";
import { JOBS, resultPage } from "../frame/location";
import { nameOf } from "../jobs/phases";
import { Phase } from "../jobs/Phase";
import { words } from "../words";
import { useExamples } from "./archive";
import { TableTree } from "./TableTree";

export interface SidebarProps {
  onInsert: (text: string) => void;
  onQuery: (query: string, language?: Language) => void;
}

/** What a query can be made of: tables, examples, and what was asked before. */
export function Sidebar({ onInsert, onQuery, onBuild }: SidebarProps & { onBuild: () => void }) {
  const examples = useExamples();
  return (
    <>
      <button type="button" className="build" onClick={onBuild}>
        {words.builder.open}
      </button>
      <TableTree onInsert={onInsert} onQuery={onQuery} />
      <Section title={words.tables.examples}>
        {examples.length === 0 && <p className="quiet">{words.tables.examplesEmpty}</p>}
        <ul>
          {examples.map((example) => (
            <li key={example.name}>
              <button type="button" className="plain item" title={example.description} onClick={() => onQuery(example.query, example.language)}>
                {example.title || example.name}
              </button>
            </li>
          ))}
        </ul>
      </Section>
      <Section title={words.tables.history}>
        <History />
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details open className="section">
      <summary>
        <h2>{title}</h2>
      </summary>
      {children}
    </details>
  );
}

function History() {
  const { data } = useQuery({ queryKey: ["jobs", "history"], queryFn: ({ signal }) => getJobs({ limit: 12 }, signal) });
  if (!data) {
    return null;
  }
  if (data.jobs.length === 0) {
    return <p className="quiet">{words.tables.historyEmpty}</p>;
  }
  return (
    <>
      <ul>
        {data.jobs.map((job) => (
          <li key={job.id}>
            <Link className="item" href={resultPage(job.id)} title={job.query}>
              <Phase phase={job.phase} short /> {nameOf(job)}
            </Link>
          </li>
        ))}
      </ul>
      <Link className="item" href={JOBS}>
        {words.tables.allJobs}
      </Link>
    </>
  );
}
