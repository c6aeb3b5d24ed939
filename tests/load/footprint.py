"""Print the resident memory of the running cluster and its archives, as docs/performance.md shows it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ansible"))

from support.footprint import measure, report

sys.stdout.write(f"{report(measure())}\n")
