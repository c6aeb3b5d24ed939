"""Time the load of a million stars beside psql's own \\copy, and print it as docs/app/ingest.md shows it.

`python tests/load/ingest.py`, with the cluster running: it starts servers of its own. Each repetition does both in
turn, so that their ratio holds on a machine whose speed comes and goes. What arrived is counted before its time counts.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits
from psycopg.sql import SQL, Identifier

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "operator"))

from almagest.formats.pgcopy import encode, sql_type
from almagest.ingest import stream
from almagest.ingest.description import Description
from almagest.ingest.findings import Findings, find, nothing
from almagest.ingest.layout import Layout, layout
from almagest.ingest.readers import Source
from almagest.ingest.readers.decoded import FitsSource, ParquetSource
from support.application import Application
from support.services import run_services

PSQL = "psql \\copy binary"
FORMATS = {"i8": "K", "f8": "D", "f4": "E", "i4": "J"}


def stars(rows: int) -> dict[str, np.ndarray]:
    """Nine columns of a catalogue; parallaxes with their proper motions, and colours, are null in 2 % of the rows."""
    random = np.random.Generator(np.random.PCG64(20261120))
    unmeasured = random.random(rows) < 0.02
    motions = random.normal(0, 10, (2, rows)).astype("f4")
    return {
        "source_id": np.arange(rows, dtype="i8") * (4 * 10**18 // rows) + 7,
        "ra": random.uniform(0, 360, rows),
        "dec": np.degrees(np.arcsin(random.uniform(-1, 1, rows))),
        "parallax": np.where(unmeasured, np.nan, random.gamma(2, 1, rows)).astype("f4"),
        "pmra": np.where(unmeasured, np.float32("nan"), motions[0]),
        "pmdec": np.where(unmeasured, np.float32("nan"), motions[1]),
        "phot_g_mean_mag": (21 - np.clip(random.exponential(2, rows), 0, 18)).astype("f4"),
        "bp_rp": np.where(random.random(rows) < 0.02, np.nan, random.normal(1.2, 0.5, rows)).astype("f4"),
        "random_index": random.permutation(rows).astype("i4"),
    }


def write(directory: Path, rows: int) -> dict[str, Source]:
    """The stars as FITS and Parquet."""
    columns = stars(rows)
    made = [fits.Column(name, FORMATS[values.dtype.str[1:]], array=values) for name, values in columns.items()]
    fits.BinTableHDU.from_columns(made).writeto(directory / "stars.fits")
    arrays = [pa.array(values, from_pandas=True) for values in columns.values()]
    pq.write_table(pa.table(arrays, names=list(columns)), directory / "stars.parquet")
    return {
        "FITS": FitsSource(directory / "stars.fits", "stars.fits", {}),
        "Parquet": ParquetSource(directory / "stars.parquet", "stars.parquet", {}),
    }


class Heap:
    """An empty table in the data database, with the columns of the stars, for each attempt."""

    def __init__(self, conninfo: str, plan: Layout) -> None:
        self.conninfo = conninfo
        self.plan = plan

    def seconds(self, fill: Callable[[], None], rows: int) -> float:
        columns = ", ".join(f"{column.name} {sql_type(column)}" for column in self.plan.columns)
        with psycopg.connect(self.conninfo, autocommit=True) as data:
            data.execute(f"DROP TABLE IF EXISTS almagest.heap; CREATE TABLE almagest.heap ({columns})")
            began = time.perf_counter()
            fill()
            took = time.perf_counter() - began
            counted = data.execute("SELECT count(*) FROM almagest.heap").fetchone()
        if counted != (rows,):
            raise SystemExit(f"{counted} rows arrived")
        return took

    def psql(self, command: str) -> None:
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo, "-c", command], check=True)

    def ours(self, source: Source, streams: int) -> None:
        """What a load does between reading its file and sorting it."""
        seen: list[Findings] = [nothing(source.columns)]

        def rows() -> Iterator[bytes]:
            for block in source.blocks():
                seen[0] |= find(block)
                yield encode(block)

        connections = [psycopg.connect(self.conninfo, autocommit=True) for _ in range(streams)]
        for connection in connections:
            connection.execute("BEGIN")
        statement = SQL("COPY {} FROM STDIN (FORMAT binary)").format(Identifier("almagest", "heap"))
        stream.copy(connections, statement, rows())
        for connection in connections:
            connection.execute("COMMIT")
            connection.close()


def report(application: Application, sources: dict[str, Source], directory: Path, repeat: int) -> Iterator[str]:
    rows = sources["FITS"].rows or 0
    heap = Heap(application.services.conninfo("datadb"), layout("load.stars", sources["FITS"], Description()))
    heap.seconds(lambda: heap.ours(sources["FITS"], 1), rows)
    binary = directory / "stars.pgcopy"
    heap.psql(f"\\copy almagest.heap to '{binary}' (format binary)")
    yield f"| {rows:,} rows of {len(heap.plan.columns)} columns | seconds | rows/s | ratio | own processor time |"
    yield "|---|---:|---:|---:|---:|"
    ways: dict[str, Callable[[], None]] = {
        PSQL: partial(heap.psql, f"\\copy almagest.heap from '{binary}' (format binary)")
    }
    for form, source in sources.items():
        ways[f"{form}, 1 stream"] = partial(heap.ours, source, 1)
        ways[f"{form}, 2 streams"] = partial(heap.ours, source, 2)
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeat):
        for way, fill in ways.items():
            own = time.process_time()
            took = heap.seconds(fill, rows)
            times[way].append((took, time.process_time() - own))
    floor = [took for took, _ in times[PSQL]]
    for way, pairs in times.items():
        took, own = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(ours / theirs for (ours, _), theirs in zip(pairs, floor, strict=True))
        yield f"| {way} | {took:.2f} | {rows / took / 1e6:.2f} M | {ratio:.2f} | {own:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="(default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="(default: %(default)s)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, run_services(Path(name)) as services:
        application = Application(services)
        migrated = application.run("migrate")
        if migrated.code:
            raise SystemExit(migrated.err)
        for line in report(application, write(Path(name), asked.rows), Path(name), asked.repeat):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
