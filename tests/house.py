"""Rules of the house that no linter knows: module size, lock files without addresses, and people who are "they"."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 500
SOURCES = {".py", ".ts", ".tsx", ".go"}
PROSE = {".py", ".md", ".yaml", ".html"}
GENDERED = re.compile(r"\b(he|him|his|himself|she|her|hers|herself)\b", re.IGNORECASE)
# Of npm's lock file only where packages were had from: it also has the pages of those who take donations.
ADDRESS = re.compile(r'^(?!\s*("url": )?"https://[^"]*",?$).*://', re.MULTILINE)
LOCKS = re.compile(r"^(requirements/.*\.txt|.*package-lock\.json)$")


def committed() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def too_long(path: Path) -> str | None:
    lines = len(path.read_text().splitlines())
    if path.suffix in SOURCES and lines > MAX_LINES:
        return f"{path.relative_to(ROOT)}: {lines} lines, more than {MAX_LINES}: split it along a concept"
    return None


def names_registry(path: Path) -> str | None:
    name = str(path.relative_to(ROOT))
    if LOCKS.match(name) and ADDRESS.search(path.read_text()):
        return f"{name}: names a package registry; write it with `make lock`, which leaves addresses out"
    return None


def names_gender(path: Path) -> str | None:
    name = path.relative_to(ROOT)
    if name.parts[0] == "tests":  # which quote what people write
        return None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := GENDERED.search(line):
            return f"{name}:{number}: says {found[0]!r}; people are they"
    return None


def main() -> int:
    checks = [(too_long, path) for path in committed() if path.suffix in SOURCES]
    checks += [(names_registry, path) for path in committed()]
    checks += [(names_gender, path) for path in committed() if path.suffix in PROSE]
    findings = [finding for check, path in checks if (finding := check(path))]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
