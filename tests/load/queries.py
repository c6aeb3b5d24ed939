"""Time TAP as a client sees it beside what PostgreSQL itself needs, and print it as docs/performance.md shows it.

`python tests/load/queries.py`, with the demo archive running. Each repetition asks the service and the database in
turn, so that their ratio holds on a machine whose speed comes and goes. Every answer is checked before its time counts.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cluster import CONTEXT

NAMESPACE, POD = "gaia-dev", "gaia-datadb-0"
TABLE, ROWS = "gaiadr3.bright", 482_176
PSQL = "psql -X -q -h /run/postgresql -U postgres -d data"
# Format → the COPY format that is nearest to it, and how the end of a complete answer looks.
STREAMS = {
    "csv": ("csv", rb"\n$"),
    "votable/td": ("csv", rb"</VOTABLE>\s*$"),
    "votable/b2": ("binary", rb"</VOTABLE>\s*$"),
}
CONES = 100


class Database:
    """psql inside the database's own pod: no network, no encoding but PostgreSQL's."""

    def seconds(self, statements: str) -> float:
        """Time of the statements alone: psql's start is not in it."""
        command = ["kubectl", "--context", CONTEXT, "exec", "-i", "-n", NAMESPACE, POD, "--", "sh", "-c"]
        done = subprocess.run(
            [*command, f"{PSQL} -o /dev/null -v ON_ERROR_STOP=1 | grep ^Time:"],
            input=f"\\timing on\n{statements}\n", capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
        return sum(float(found) for found in re.findall(r"^Time: ([\d.]+) ms", done.stdout, re.MULTILINE)) / 1000

    def copy(self, form: str) -> float:
        return self.seconds(f"COPY (SELECT * FROM {TABLE}) TO '/dev/null' (FORMAT {form});")

    def cones(self, places: list[tuple[float, float]]) -> float:
        """Seconds of one cone search, the mean over all places."""
        every = "\n".join(
            f"SELECT source_id, ra, dec FROM {TABLE} WHERE spoint(radians(ra), radians(dec)) <@"
            f" scircle(spoint(radians({ra}), radians({dec})), radians(1.0));"
            for ra, dec in places
        )
        return self.seconds(every) / len(places)


class Service:
    """`/tap/sync` over one connection that is kept."""

    def __init__(self, tap: str) -> None:
        self.tap = tap
        self.session = requests.Session()

    def seconds(self, adql: str, form: str, check: Callable[[bytes], bool]) -> float:
        began = time.perf_counter()
        data = {"LANG": "ADQL", "QUERY": adql, "RESPONSEFORMAT": form}
        with self.session.post(f"{self.tap}/sync", data=data, timeout=300, stream=True) as answer:
            body = b"".join(answer.iter_content(1 << 20))
        took = time.perf_counter() - began
        if answer.status_code != 200 or not check(body):
            raise SystemExit(f"not the expected answer to {adql!r} as {form}: {body[:300]!r}")
        return took

    def stream(self, form: str, end: bytes) -> float:
        def whole(body: bytes) -> bool:
            lines = body.count(b"\n") == ROWS + 1 if form == "csv" else True
            return lines and len(body) > ROWS * 20 and re.search(end, body[-200:]) is not None

        return self.seconds(f"SELECT * FROM {TABLE}", form, whole)

    def cone(self, ra: float, dec: float) -> float:
        adql = f"SELECT source_id, ra, dec FROM {TABLE} WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, 1.0))"
        return self.seconds(adql, "csv", lambda body: body.startswith(b"source_id"))


def report(service: Service, database: Database, repeat: int) -> Iterator[str]:
    yield "| what | TAP | PostgreSQL alone | ratio |"
    yield "|---|---:|---:|---:|"
    for form, (copied, end) in STREAMS.items():
        pairs = [(service.stream(form, end), database.copy(copied)) for _ in range(repeat)]
        ours, floor = (statistics.median(times) for times in zip(*pairs, strict=True))
        speed = f"{ROWS / ours / 1000:.0f}k rows/s"
        copying = f"{floor:.2f} s (COPY {copied})"
        yield f"| {ROWS:,} rows as {form} | {ours:.2f} s, {speed} | {copying} | {ours / floor:.1f} |"
    chance = random.Random(1)
    places = [(round(chance.uniform(0, 360), 6), round(chance.uniform(-80, 80), 6)) for _ in range(CONES)]
    times = sorted(service.cone(*place) for place in places)
    floor = database.cones(places)
    middle, late = times[CONES // 2] * 1000, times[CONES * 95 // 100] * 1000
    yield f"| cone of 1°, p50 (p95) of {CONES} | {middle:.1f} ({late:.1f}) ms | {floor * 1000:.1f} ms | |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tap", default="http://127.0.0.1:30080/tap", help="the service (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of the long ones (default: %(default)s)")
    asked = parser.parse_args()
    for line in report(Service(asked.tap), Database(), asked.repeat):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
