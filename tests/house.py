"""Rules of the house that no linter knows: module size, and lock files without addresses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 500
SOURCES = {".py", ".ts", ".tsx", ".go"}
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
    if LOCKS.match(name) and "://" in path.read_text():
        return f"{name}: names a package registry; write it with `make lock`, which leaves addresses out"
    return None


def main() -> int:
    checks = [(too_long, path) for path in committed() if path.suffix in SOURCES]
    checks += [(names_registry, path) for path in committed()]
    findings = [finding for check, path in checks if (finding := check(path))]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
