"""What an answer in each format costs beside psql's own \\copy, in processor time of client and server together.

`python tests/load/formats.py CONNINFO` makes a table of a million stars in that database, writes it in every format in
this process, through no web server, and prints the table of docs/performance.md. Processor time and not the clock,
because both sides share the cores with whatever else runs. CONNINFO: of a superuser, who may read the backends' times
in /proc of their machine; a relation `almagest_load` is made and dropped.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app"))

from almagest.catalogue import Column
from almagest.formats import FORMATS, About, Ending, Format, RawBlock, Status
from almagest.query.answers.copying import Copied

ROWS = 1_000_000
COLUMNS = (
    Column("source_id", "long", ucd="meta.id;meta.main"),
    *(Column(name, "double", unit="deg") for name in ("ra", "dec")),
    *(Column(name, "double") for name in ("parallax", "pmra", "pmdec")),
    *(Column(name, "float", unit="mag") for name in ("phot_g", "phot_bp", "phot_rp")),
)
CREATE = f"""
CREATE UNLOGGED TABLE almagest_load AS SELECT i::bigint * 1000003 AS source_id, random() * 360 AS ra,
  degrees(asin(2 * random() - 1)) AS dec, random() * 10 AS parallax, random() * 100 - 50 AS pmra,
  random() * 100 - 50 AS pmdec, (5 + random() * 10)::real AS phot_g, (5 + random() * 10)::real AS phot_bp,
  (5 + random() * 10)::real AS phot_rp FROM generate_series(1, {ROWS}) AS i
"""
QUERY = "SELECT * FROM almagest_load"
OWN_TIME = "SELECT pg_read_file('/proc/self/stat')"
BESIDE = {"FORMAT binary": "binary"}
"""COPY's options → the form of \\copy that a format is held against; csv for all in text."""

TICKS = 100


def server_seconds(stat: str) -> float:
    """Processor time of a process from /proc/<pid>/stat (proc(5))."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Rows:
    """The rows of a COPY."""

    def __init__(self, copied: Copied) -> None:
        self.first: float | None = None
        self.count: int | None = None
        self._copied = copied

    def __iter__(self) -> Iterator[RawBlock]:
        for block in self._copied.blocks():
            self.first = self.first or time.perf_counter()
            yield block

    def ending(self) -> Ending:
        return Status.OK, ""

    def spooled(self, parts: Iterable[bytes | memoryview]) -> list[bytes]:
        kept = [bytes(part) for part in parts]
        self.count = self._copied.sent
        return kept

    def announce(self, size: int) -> None:
        """Nothing speaks against any."""


def write(connection: psycopg.Connection[Any], form: Format) -> tuple[float, float, int]:
    """Seconds of processor time, seconds to the first row, and bytes, of one answer."""
    copy = form.copy(COLUMNS)
    names = ", ".join(f"c{number}" for number in range(1, len(COLUMNS) + 1))
    statement = f"COPY (SELECT {', '.join(copy.expressions)} FROM ({QUERY}) AS r ({names})) TO STDOUT ({copy.options})"
    with connection.transaction():
        before = own_seconds(connection)
        began, used = time.perf_counter(), time.process_time()
        copied = Copied(connection, statement, binary=copy.binary, most=ROWS, seconds=600)
        rows = Rows(copied)
        size = sum(len(part) for part in form.document(COLUMNS, About(), rows))
        copied.close()
        total = time.process_time() - used + own_seconds(connection) - before
    return total, (rows.first or began) - began, size


def own_seconds(connection: psycopg.Connection[Any]) -> float:
    row = connection.execute(OWN_TIME).fetchone()
    return server_seconds(row[0]) if row else 0.0


def copy(conninfo: str, form: str) -> float:
    """Seconds of processor time of psql and its backend for \\copy to /dev/null."""
    script = f"{OWN_TIME};\n\\o /dev/null\n\\copy ({QUERY}) to '/dev/null' (format {form})\n\\o\n{OWN_TIME};\n"
    before = children_seconds()
    done = subprocess.run(["psql", "-XqAt", conninfo], input=script, capture_output=True, text=True, check=True)
    first, last = filter(None, done.stdout.splitlines())
    return children_seconds() - before + server_seconds(last) - server_seconds(first)


def report(conninfo: str, repeat: int) -> Iterator[str]:
    yield "| format | MB | processor s | beside \\copy | ratio | first row ms |"
    yield "|---|---:|---:|---:|---:|---:|"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS almagest_load")
        connection.execute(CREATE)
        try:
            connection.execute("VACUUM ANALYZE almagest_load")
            connection.execute("SET max_parallel_workers_per_gather = 0")
            for name, form in FORMATS.items():
                beside = BESIDE.get(form.copy(COLUMNS).options, "csv")
                pairs = [(write(connection, form), copy(conninfo, beside)) for _ in range(repeat)]
                ours = statistics.median(used for (used, _, _), _ in pairs)
                first = statistics.median(first for (_, first, _), _ in pairs) * 1000
                floor = statistics.median(used for _, used in pairs)
                size = pairs[0][0][2] / 1e6
                measured = f"{ours:.2f} | {floor:.2f} ({beside}) | {ours / floor:.2f} | {first:.0f}"
                yield f"| {name} | {size:.0f} | {measured} |"
        finally:
            connection.execute("DROP TABLE almagest_load")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("conninfo")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions (default: %(default)s)")
    asked = parser.parse_args()
    for line in report(asked.conninfo, asked.repeat):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
