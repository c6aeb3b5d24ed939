/** BibTeX of what a result was made from. */
import type { Site } from "../../api";

/** What a table's page says of where it comes from; anything may be missing. */
export interface Source {
  readonly qualified: string;
  readonly title: string;
  readonly creators: readonly string[];
  readonly year: string;
  readonly doi: string;
  readonly url: string;
  readonly publisher: string;
}

/** A source out of what the API tells of a table: links differ from archive to archive, so each is looked at. */
export function sourceOf(table: Record<string, unknown>, site: Site): Source {
  const text = (...names: string[]): string => {
    for (const name of names) {
      const value = table[name];
      if (typeof value === "string" && value) return value;
      if (typeof value === "number") return String(value);
    }
    return "";
  };
  const people = Array.isArray(table.creators) ? table.creators : [];
  const qualified = text("qualified", "name");
  return {
    qualified,
    title: text("title") || qualified,
    creators: people.map((one: unknown) => (typeof one === "string" ? one : ((one as { name?: unknown } | null)?.name ?? ""))).filter((one): one is string => typeof one === "string" && one !== ""),
    year: text("year", "publication_year", "published", "updated").slice(0, 4),
    doi: text("doi").replace(/^(doi:|https?:\/\/(dx\.)?doi\.org\/)/i, ""),
    url: text("url") || `${site.site_url}/data/${qualified.split(".").map(encodeURIComponent).join("/")}/`,
    publisher: text("publisher") || site.title,
  };
}

/** BibTeX of all sources, with the day of the query: a catalogue may have another version tomorrow. */
export function bibtex(sources: readonly Source[], queried: string): string {
  return sources.map((source) => {
    const fields: [string, string][] = [
      ["title", `{${latex(source.title)}}`],
      ["author", latex(source.creators.join(" and "))],
      ["year", latex(source.year)],
      ["publisher", latex(source.publisher)],
      ["doi", source.doi.replace(/[{}\\\s]/g, "")],
      ["url", source.url.replace(/[{}\\\s]/g, "")],
      ["note", latex(`Table ${source.qualified}, queried on ${queried.slice(0, 10)}`)],
    ];
    const key = source.qualified.replace(/[^A-Za-z0-9_.:-]/g, "_");
    return `@misc{${key},\n${fields.filter(([, value]) => value && value !== "{}").map(([name, value]) => `  ${name} = {${value}},`).join("\n")}\n}`;
  }).join("\n\n");
}

const SPECIAL: Record<string, string> = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };

/** Text as LaTeX sets it literally. */
function latex(text: string): string {
  return text.replace(/[\\~^&%$#_{}]/g, (character) => SPECIAL[character] ?? `\\${character}`).replace(/\s+/g, " ");
}
