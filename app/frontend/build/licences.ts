import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import type { Plugin } from "vite";

/** A package of which something is in the bundle. */
interface Bundled {
  name: string;
  version: string;
  licence: string;
  text: string;
}

/** Licences that may be in what we serve: all of them ask for no more than to be named. */
const ALLOWED = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"]);

/** The directory of the package that a module comes from; null for modules of our own. */
export function packageOf(module: string): string | null {
  const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module);
  return found?.[1] ?? null;
}

function read(directory: string): Bundled {
  const described = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8")) as Partial<Record<"name" | "version" | "license", string>>;
  const file = readdirSync(directory).find((name) => /^licen[cs]e/i.test(name));
  return {
    name: described.name ?? path.basename(directory),
    version: described.version ?? "",
    licence: described.license ?? "",
    text: file ? readFileSync(path.join(directory, file), "utf8") : "",
  };
}

/**
 * Writes `packages.json` (for the image's list of contents) and `licences.txt` (for those who get the bundle) from the
 * modules that are really in it; a licence that nobody looked at yet ends the build.
 */
export function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) => (chunk.type === "chunk" ? Object.keys(chunk.modules) : []));
      const directories = new Set(modules.map(packageOf).filter((found) => found !== null));
      const packages = [...directories]
        .filter((directory) => existsSync(path.join(directory, "package.json")))
        .map(read)
        .sort((one, other) => one.name.localeCompare(other.name));
      for (const { name, licence } of packages) {
        if (!ALLOWED.has(licence)) {
          this.error(`${name} is under ${licence || "no licence"}: look whether it may be served, then add it to ALLOWED`);
        }
      }
      const listing = packages.map(({ name, version, licence }) => ({ name, version, licence }));
      const texts = packages.map((one) => `${one.name} ${one.version} (${one.licence})\n\n${one.text.trim()}\n`);
      this.emitFile({ type: "asset", fileName: "packages.json", source: JSON.stringify(listing, null, 1) });
      this.emitFile({ type: "asset", fileName: "licences.txt", source: texts.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}
