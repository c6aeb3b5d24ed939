"""The benchmark runs on the deployed archive, counts what it asks for, and measures its yardsticks beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from e2e.conftest import ROOT, Archive
from load.bench.stars import ROWS, TABLE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1000)]


def test_benchmark_loads_its_stars_and_measures(archive: Archive) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "load.bench", "trivial", "cones", "memory"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests:ansible:operator"},
        capture_output=True,
        text=True,
        check=False,
        timeout=990,
    )
    told = done.stderr.rstrip().rpartition("\n")
    assert done.returncode == 0, f"{told[2]}\n{done.stderr}"  # the last line says why
    assert f"Measured on {len(os.sched_getaffinity(0))} × " in done.stdout
    multiple = r"[\d.,]+ ms \({}\) \| [\d.,]+ × \|"
    for name, against in (("trivial sync query", "answer"), ("cone 0.1°", r"answer \+ PostgreSQL")):
        assert re.search(rf"^\| {re.escape(name)} \| [^|]+ \| {multiple.format(against)}", done.stdout, re.MULTILINE)
    came = re.search(r"web memory above idle.*rows ([\d,]+)", done.stdout)
    assert came
    assert int(came[1].replace(",", "")) >= ROWS, "a large download came, whole where the machine is as fast as that"
    assert archive.psql(f"SELECT count(*) FROM {TABLE}") == str(ROWS)
