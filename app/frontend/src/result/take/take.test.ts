import { execFileSync } from "node:child_process";

import { describe, expect, it } from "vitest";

import type { Column, Job, Site } from "../../api";
import { INITIAL } from "../state";
import { bibtex, sourceOf } from "./citation";
import { LANGUAGES, notebook, plotCode, resultCode, shell, TOKEN } from "./code";
import { call, decoded, encoded } from "./samp";

const HOSTILE = `SELECT 'it''s $(touch /tmp/x) \`id\` "q" \\n' -- end"""\nFROM "t"`;
const SITE = { title: "Star <b> Archive", site_url: "https://stars.example", user: { name: "ada", authenticated: true }, formats: [] } as unknown as Site;
const job = (query: string): Job => ({ id: "0f-1", query, language: "ADQL", maxrec: null, run_id: "", tables: ["gaiadr3.bright"], created: "2026-11-30T12:00:00Z" }) as unknown as Job;
const column = (name: string): Column => ({ name, datatype: "double", arraysize: "", xtype: "", unit: "", ucd: "", utype: "", description: "" });

/** The texts in each of these Python programs; raises if one does not parse. */
function pythonTexts(programs: readonly string[]): string[][] {
  const script = `import ast, json, sys
print(json.dumps([[n.value for n in ast.walk(ast.parse(p)) if isinstance(n, ast.Constant) and isinstance(n.value, str)] for p in json.load(sys.stdin)]))`;
  return JSON.parse(execFileSync("python3", ["-c", script], { input: JSON.stringify(programs), encoding: "utf8" })) as string[][];
}

describe("code", { timeout: 30_000 }, () => {
  it("has a place for a token and never one", () => {
    for (const language of ["pyvo", "astropy", "curl", "R"] as const) expect(resultCode(language, job("SELECT 1"), SITE)).toContain(TOKEN);
    const guest = { ...SITE, user: { name: "", authenticated: false } };
    for (const language of LANGUAGES) expect(resultCode(language, job("SELECT 1"), guest)).not.toContain(TOKEN);
  });

  it("is Python for any query, and says the query as it is", () => {
    const queries = [HOSTILE, "SELECT 1", "SELECT *\nFROM t", 'SELECT "a"', "SELECT 'ä\u2028'"];
    const said = pythonTexts(queries.flatMap((query) => [resultCode("pyvo", job(query), SITE), resultCode("astropy", job(query), SITE)]));
    said.forEach((texts, k) => expect(texts.map((text) => text.trim())).toContain(queries[k >> 1].trim()));
  });

  it("is a shell's word for any query", () => {
    for (const text of [HOSTILE, "a b", "'", "''", "$HOME"]) expect(execFileSync("sh", ["-c", `printf %s ${shell(text)}`], { encoding: "utf8" })).toBe(text);
    execFileSync("sh", ["-n"], { input: resultCode("curl", job(HOSTILE), SITE) });
    execFileSync("sh", ["-n"], { input: resultCode("stilts", job(HOSTILE), SITE) });
  });

  it("draws every kind of plot in Python that parses", () => {
    const columns = [column("x"), column("y"), column('c"')];
    const limits = { min: 1, max: 10, log: true, reversed: true, time: false };
    const kinds = ["scatter", "histogram", "time"] as const;
    const programs = kinds.flatMap((kind) => (["on", "off"] as const).map((density) =>
      plotCode({ ...INITIAL.plot, kind, density, x: "x", y: "y", colour: 'c"', period: 2, epoch: -1 }, columns, limits, limits)));
    expect(pythonTexts(programs)).toHaveLength(6);
    for (const program of programs) expect(program).toContain("set_xscale");
  });

  it("is a notebook whose cells are Python", () => {
    const made = JSON.parse(notebook(job(HOSTILE), SITE, { ...INITIAL.plot, x: "x", y: "y" }, [column("x"), column("y")])) as { nbformat: number; cells: { cell_type: string; source: string[] }[] };
    expect(made.nbformat).toBe(4);
    const code = made.cells.filter((cell) => cell.cell_type === "code").map((cell) => cell.source.join("")).join("\n");
    expect(pythonTexts([code.replace(/^# %pip.*$/m, "")])).toHaveLength(1);
    expect(made.cells[0].source.join("")).toContain("Star \\<b\\> Archive");
  });
});

describe("citation", () => {
  it("is BibTeX of what is known", () => {
    const source = sourceOf({ qualified: "gaiadr3.bright", title: "Gaia & friends 100%", creators: [{ name: "Gaia Collaboration" }, "Ada_L"], doi: "https://doi.org/10.5270/x", year: 2023 }, SITE);
    const text = bibtex([source], "2026-11-30T12:00:00Z");
    expect(text).toContain("title = {{Gaia \\& friends 100\\%}},");
    expect(text).toContain("author = {Gaia Collaboration and Ada\\_L},");
    expect(text).toContain("doi = {10.5270/x},");
    expect(text).toContain("queried on 2026-11-30");
  });

  it("leaves out what is not, and cannot be broken out of", () => {
    const text = bibtex([sourceOf({ name: "a.b", title: "x}},\n@string{y = \\input" }, SITE)], "2026-11-30");
    expect(text).not.toContain("author");
    expect(text).toContain("title = {{x\\}\\}, @string\\{y = \\textbackslash{}input}},");
  });
});

describe("SAMP", () => {
  it("speaks XML-RPC", () => {
    expect(call("samp.webhub.register", [{ "samp.name": "A <b> & C" }])).toContain("<name>samp.name</name><value><string>A &lt;b&gt; &amp; C</string></value>");
    expect(encoded(["a", { b: "c" }])).toBe("<value><array><data><value><string>a</string></value><value><struct><member><name>b</name><value><string>c</string></value></member></struct></value></data></array></value>");
  });

  it("reads answers", () => {
    const node = (nodeName: string, ...children: (ReturnType<typeof leaf>)[]) => ({ nodeName, textContent: null as string | null, children });
    const leaf = (nodeName: string, textContent: string | null) => ({ nodeName, textContent, children: [] as never[] });
    expect(decoded(leaf("value", "plain"))).toBe("plain");
    expect(decoded(node("value", leaf("string", "text")))).toBe("text");
    const value = (text: string) => node("value", leaf("string", text)) as never;
    const member = node("member", leaf("name", "key"), value("v")) as never;
    expect(decoded({ nodeName: "value", textContent: null, children: [node("struct", member)] })).toEqual({ key: "v" });
  });
});
