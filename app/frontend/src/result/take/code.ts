/** The code that gets a result, or draws its plot, elsewhere. Everything quoted as its language wants it. */
import type { Column, Job, Site } from "../../api";
import { python, quantity, title } from "../data/quantities";
import type { Axis } from "../plot/axis";
import type { PlotState } from "../state";

export type Language = "pyvo" | "astropy" | "stilts" | "TOPCAT" | "curl" | "R";
export const LANGUAGES: readonly Language[] = ["pyvo", "astropy", "stilts", "TOPCAT", "curl", "R"];

/** What stands for the reader's token: tokens never come into text that is copied around. */
export const TOKEN = "YOUR_TOKEN";

/** A text of Python, JavaScript or R in double quotes: JSON's escapes are all of theirs too. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A word of a POSIX shell. */
export function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A query over several lines where Python lets it stand as it is, else in one quoted line. */
function pythonText(text: string): string {
  return /"""|\\|[^\n\t\x20-\x7e]|"$/.test(text) ? quoted(text) : text.includes("\n") ? `"""\n${text}\n"""` : quoted(text);
}

function resultUrl(job: Job, site: Site, format?: string): string {
  return `${site.site_url}/tap/async/${encodeURIComponent(job.id)}/results/result${format ? `?RESPONSEFORMAT=${format}` : ""}`;
}

/** The code that runs this query again, or gets this result, in the chosen language. */
export function resultCode(language: Language, job: Job, site: Site): string {
  const tap = `${site.site_url}/tap`;
  const own = site.user.authenticated;
  switch (language) {
    case "pyvo": return pyvo(job, tap, own);
    case "astropy":
      return [
        "import io", "import requests", "from astropy.table import Table", "",
        `answer = requests.post(`,
        `    ${quoted(`${tap}/sync`)},`,
        `    data={"LANG": ${quoted(job.language)}, "FORMAT": "fits", "QUERY": ${pythonText(job.query)}},`,
        ...(own ? [`    headers={"Authorization": "Token ${TOKEN}"},`] : []),
        "    timeout=600,",
        ")",
        "answer.raise_for_status()",
        `rows = Table.read(io.BytesIO(answer.content), format="fits")`,
        "print(rows)", "",
      ].join("\n");
    case "stilts":
      return [
        "stilts tapquery \\", `  tapurl=${shell(tap)} \\`, `  adql=${shell(oneLine(job.query))} \\`,
        ...(job.language === "ADQL" ? [] : [`  language=${shell(job.language)} \\`]),
        "  out=result.fits", "",
      ].join("\n");
    case "TOPCAT":
      return [
        "# In TOPCAT: VO > Table Access Protocol (TAP) Query, with this TAP URL:", `#   ${tap}`,
        "# and the query below; or load the stored result at once:", `topcat ${shell(resultUrl(job, site))}`, "", job.query, "",
      ].join("\n");
    case "curl":
      return [
        `curl --fail --output result.csv ${shell(`${tap}/sync`)} \\`,
        ...(own ? [`  -H ${shell(`Authorization: Token ${TOKEN}`)} \\`] : []),
        `  --data-urlencode LANG=${shell(job.language)} \\`, "  --data-urlencode FORMAT=csv \\", `  --data-urlencode QUERY=${shell(job.query)}`, "",
      ].join("\n");
    case "R":
      return [
        "library(httr)", "",
        `answer <- POST(${quoted(`${tap}/sync`)},`,
        ...(own ? [`  add_headers(Authorization = ${quoted(`Token ${TOKEN}`)}),`] : []),
        `  body = list(LANG = ${quoted(job.language)}, FORMAT = "csv", QUERY = ${quoted(job.query)}), encode = "form")`,
        "stop_for_status(answer)",
        `rows <- read.csv(text = content(answer, "text", encoding = "UTF-8"), colClasses = NA)`,
        "summary(rows)", "",
      ].join("\n");
  }
}

function oneLine(query: string): string {
  // A comment runs to the end of its line: with one the lines have to stay.
  return query.includes("--") ? query : query.replace(/\s*\n\s*/g, " ").trim();
}

function pyvo(job: Job, tap: string, own: boolean): string {
  return [
    "import pyvo",
    ...(own
      ? ["import requests", "", "session = requests.Session()", `session.headers["Authorization"] = "Token ${TOKEN}"`, `archive = pyvo.dal.TAPService(${quoted(tap)}, session=session)`]
      : ["", `archive = pyvo.dal.TAPService(${quoted(tap)})`]),
    `rows = archive.run_async(${pythonText(job.query)}${job.language === "ADQL" ? "" : `, language=${quoted(job.language)}`}${job.maxrec === null ? "" : `, maxrec=${job.maxrec}`}).to_table()`,
    "print(rows)", "",
  ].join("\n");
}

/** The lines that draw a plot with matplotlib of an astropy table `rows`. */
export function plotLines(plot: PlotState, columns: readonly Column[], xAxis?: Axis, yAxis?: Axis): string[] {
  const x = quantity(plot.x, columns);
  const y = quantity(plot.y, columns);
  if (!x || (plot.kind !== "histogram" && !y)) return [];
  const out = ["fig, axes = plt.subplots(figsize=(7, 5))"];
  const folded = plot.kind === "time" && plot.period !== undefined;
  out.push(`x = np.ma.filled(np.ma.asarray(${python(x)}, dtype=float), np.nan)`);
  if (folded) out.push(`x = ((x - ${plot.epoch ?? 0}) / ${plot.period}) % 1`);
  if (plot.kind === "histogram") {
    const bins = xAxis ? (xAxis.log ? `np.geomspace(${xAxis.min}, ${xAxis.max}, ${plot.bins + 1})` : `np.linspace(${xAxis.min}, ${xAxis.max}, ${plot.bins + 1})`) : String(plot.bins);
    out.push(`axes.hist(x[np.isfinite(x)], bins=${bins}, color="#5b6478")`, `axes.set_ylabel("rows")`);
  } else if (y) {
    out.push(`y = np.ma.filled(np.ma.asarray(${python(y)}, dtype=float), np.nan)`);
    const colour = columns.find((column) => column.name === plot.colour);
    const isNumber = colour && !["char", "unicodeChar", "boolean"].includes(colour.datatype);
    if (plot.density === "on") {
      out.push("good = np.isfinite(x) & np.isfinite(y)");
      out.push(`shown = axes.hexbin(x[good], y[good], gridsize=200, bins="log", mincnt=1, cmap=${quoted(plot.ramp === "grey" ? "gray" : plot.ramp)})`, `fig.colorbar(shown, label="rows")`);
    } else if (isNumber) {
      out.push(`shown = axes.scatter(x, y, c=np.ma.asarray(rows[${quoted(colour.name)}], dtype=float), s=4, cmap=${quoted(plot.ramp === "grey" ? "gray" : plot.ramp)})`);
      out.push(`fig.colorbar(shown, label=${quoted(colour.unit ? `${colour.name} [${colour.unit}]` : colour.name)})`);
    } else out.push(`axes.scatter(x, y, s=4, alpha=0.6, linewidths=0)`);
    out.push(`axes.set_ylabel(${quoted(title(y))})`);
  }
  out.push(`axes.set_xlabel(${quoted(folded ? "phase" : title(x))})`);
  for (const [name, axis] of [["x", xAxis], ["y", yAxis]] as const) {
    if (!axis) continue;
    if (axis.log) out.push(`axes.set_${name}scale("log")`);
    const [from, to] = axis.reversed ? [axis.max, axis.min] : [axis.min, axis.max];
    out.push(`axes.set_${name}lim(${from}, ${to})`);
  }
  return out;
}

/** A program that draws a plot of a result that was downloaded as FITS. */
export function plotCode(plot: PlotState, columns: readonly Column[], xAxis?: Axis, yAxis?: Axis): string {
  return [
    "# Draws the plot of a result that was downloaded as FITS.", "import matplotlib.pyplot as plt", "import numpy as np", "from astropy.table import Table", "",
    `rows = Table.read("result.fits")`, "", ...plotLines(plot, columns, xAxis, yAxis), `fig.savefig("plot.pdf")`, "",
  ].join("\n");
}

/** A Jupyter notebook (nbformat 4.5) that runs the query and draws the plot. */
export function notebook(job: Job, site: Site, plot: PlotState, columns: readonly Column[]): string {
  const cells: { cell_type: string; text: string }[] = [
    { cell_type: "markdown", text: `# ${plain(job.run_id || "Query")}\n\nFrom ${plain(site.title)}, ${site.site_url}${job.tables.length ? `. Tables: ${job.tables.map((name) => `\`${name.replaceAll("`", "")}\``).join(", ")}.` : "."}` },
    { cell_type: "code", text: "# %pip install pyvo matplotlib\nimport matplotlib.pyplot as plt\nimport numpy as np" },
    { cell_type: "code", text: resultCode("pyvo", job, site).replace(/print\(rows\)\n$/, "rows") },
  ];
  const lines = plotLines(plot, columns);
  if (lines.length) cells.push({ cell_type: "code", text: lines.join("\n") });
  return `${JSON.stringify(
    {
      cells: cells.map(({ cell_type, text }, k) => ({
        cell_type,
        id: `cell-${k + 1}`,
        metadata: {},
        ...(cell_type === "code" && { execution_count: null, outputs: [] }),
        source: text.split(/(?<=\n)/),
      })),
      metadata: { kernelspec: { display_name: "Python 3", language: "python", name: "python3" }, language_info: { name: "python" } },
      nbformat: 4,
      nbformat_minor: 5,
    },
    null,
    1,
  )}\n`;
}

/** Text without what Markdown and HTML would make of it. */
function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|~-]/g, "\\$&").replace(/\s+/g, " ");
}
