"""Measure the deployed archive as a client sees it, beside what the same machine needs for the least of each kind.

`make bench` calls it: it hands one million synthetic stars to the archive as the table stars.main, runs every measure
in turn with its yardstick, prints the figures and their multiples, says which are not where they were aimed and which
are others than the recorded ones, and writes them to build/bench.json and into docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys

from load.bench import archive, machine, measures, pressure, report, site
from load.bench.client import Client
from load.bench.yardsticks import yardsticks

MEASURES = {
    "metadata": measures.metadata,
    "trivial": measures.trivial,
    "cones": measures.cones,
    "concurrent": measures.concurrent,
    "streams": measures.streams,
    "memory": measures.memory,
    "asynchronous": measures.asynchronous,
    "upload": measures.upload,
    "pressure": pressure.pressure,
    "thousand": pressure.thousand,
    "site": site.site,
}


def main() -> int:
    """The exit code: 0, also where a figure is missed, which is not an error but news."""
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", choices=[*MEASURES, []], help="these measures alone; nothing is written")
    asked = parser.parse_args()
    where = machine.describe()
    if machine.is_busy():
        sys.stderr.write("this machine is busy: the multiples hold more or less, the figures do not\n")
    archive.load()
    found = []
    with yardsticks(archive.tap()) as least:
        client = Client(archive.tap())
        for name in asked.only or MEASURES:
            for line in MEASURES[name](client, least):
                sys.stderr.write(f"{report.table([line]).splitlines()[-1]}\n")
                found.append(line)
    sys.stdout.write(f"Measured on {where}.\n\n{report.table(found)}\n\n{verdict(found)}\n")
    if not asked.only:
        report.write(found, where)
    return 0


def verdict(found: list[measures.Measured]) -> str:
    """Against the aims, and against the run that is recorded in the documentation."""
    late = report.missed(found)
    others = report.apart(found, report.recorded(report.DOCUMENT.read_text()))
    aims = f"Not where it was aimed: {'; '.join(late)}." if late else "Every figure is where it was aimed."
    same = "Every multiple is the recorded one within the stated spread."
    return f"{aims}\n" + (f"Not the recorded multiple: {'; '.join(others)}." if others else same)


if __name__ == "__main__":
    sys.exit(main())
