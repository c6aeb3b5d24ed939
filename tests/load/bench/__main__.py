"""Measure the deployed archive as a client sees it, beside what PostgreSQL alone needs in the same run.

`make bench` calls it: it hands one million synthetic stars to the archive as the table stars.main, runs every measure,
prints the figures beside the recorded ones of the strongest peer, writes them to build/bench.json and into
docs/performance.md, and says which are not where they were aimed.
"""

from __future__ import annotations

import argparse
import sys

from load.bench import archive, measures, pressure, report
from load.bench.client import Client

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
}


def main() -> int:
    """The exit code: 0, also where a figure is missed, which is not an error but news."""
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", choices=[*MEASURES, []], help="these measures alone; nothing is written")
    asked = parser.parse_args()
    archive.load()
    client = Client(archive.tap())
    found = []
    for name in asked.only or MEASURES:
        for line in MEASURES[name](client):
            sys.stderr.write(f"{report.table([line]).splitlines()[-1]}\n")
            found.append(line)
    sys.stdout.write(f"{report.table(found)}\n")
    late = report.missed(found)
    sys.stdout.write(
        f"\nNot where it was aimed: {'; '.join(late)}.\n" if late else "\nEvery figure is where it was aimed.\n"
    )
    if not asked.only:
        report.write(found, measures.RESULTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
