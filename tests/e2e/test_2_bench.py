"""The benchmark runs on the deployed archive, and counts what it asks for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from e2e.conftest import ROOT, Archive
from load.bench.stars import ROWS, TABLE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


def test_benchmark_loads_its_stars_and_measures(archive: Archive) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "load.bench", "trivial", "cones", "memory"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests:ansible"},
        capture_output=True,
        text=True,
        check=False,
        timeout=390,
    )
    assert done.returncode == 0, done.stderr
    assert "| trivial sync query |" in done.stdout
    assert "rows 10,000,000" in done.stdout, "a large download came whole"
    assert archive.psql(f"SELECT count(*) FROM {TABLE}") == str(ROWS)
