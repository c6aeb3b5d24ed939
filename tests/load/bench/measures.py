"""What is measured, each as a function of the service: seconds as a client sees them, every answer checked."""

from __future__ import annotations

import math
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from load.bench import answers, archive, crowd, stars
from load.bench.client import Answer, BenchError, Client

REPEAT = 100
POSITIONS = 200
RADIUS = 0.1
CLIENTS, CROWD_SECONDS, CROWD_ROUNDS = 8, 8.0, 3
STREAMS = {"votable/b2": "binary", "csv": "csv", "fits": "binary", "votable/td": "csv", "parquet": "binary"}
"""Format → the COPY that it is held against."""
STREAM_ROUNDS = 5
ASYNC_ROUNDS = 15
UPLOAD_ROWS, UPLOAD_ROUNDS = 1_000, 7
LARGE = 10
"""Copies of the catalogue in the download whose memory is watched."""


@dataclass(frozen=True)
class Measured:
    """One line of the report. value: in `unit`, the median; beside: other quantiles and facts by name; floor: what
    PostgreSQL alone needs, in the same unit; target: the most (or least) that is aimed at."""

    name: str
    value: float
    unit: str
    beside: dict[str, float]
    target: float | None = None
    floor: float | None = None
    least: bool = False

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None


def metadata(client: Client) -> Iterator[Measured]:
    for document in ("availability", "capabilities", "tables"):

        def read(_: int, document: str = document) -> float:
            return _ok(client.request("GET", f"{client.tap}/{document}")).total

        yield _latency(f"/{document}", read, REPEAT)


def trivial(client: Client) -> Iterator[Measured]:
    def ask(_: int) -> float:
        return _whole(client.sync(f"SELECT TOP 1 source_id, ra, dec FROM {stars.TABLE}"), "csv", 1)

    yield _latency("trivial sync query", ask, REPEAT, target=3.0)


def positions(count: int) -> list[tuple[float, float]]:
    """Places uniform on the sphere, degrees, the same ones every time."""
    chance = random.Random(1)
    return [
        (round(chance.random() * 360, 6), round(math.degrees(math.asin(chance.random() * 2 - 1)), 6))
        for _ in range(count)
    ]


def cone(ra: float, dec: float, radius: float) -> str:
    return (
        f"SELECT source_id, ra, dec, phot_g_mean_mag FROM {stars.TABLE}"
        f" WHERE 1=CONTAINS(POINT(ra, dec), CIRCLE({ra:.6f}, {dec:.6f}, {radius:g}))"
    )


def cones(client: Client) -> Iterator[Measured]:
    places = positions(POSITIONS)
    for radius, target in ((RADIUS, 4.0), (10 * RADIUS, None)):

        def search(i: int, radius: float = radius) -> float:
            return _whole(client.sync(cone(*places[i % POSITIONS], radius)), "csv")

        every = "\n".join(
            f"SELECT source_id, ra, dec, phot_g_mean_mag FROM {stars.TABLE} WHERE spoint(radians(ra), radians(dec)) <@"
            f" scircle(spoint(radians({ra}), radians({dec})), radians({radius}));"
            for ra, dec in places
        )
        floor = archive.seconds(every) / POSITIONS * 1000
        yield _latency(f"cone {radius:g}°", search, POSITIONS, target=target, floor=floor)


def concurrent(client: Client) -> Iterator[Measured]:
    """Cone searches a second by several clients at once, each with a connection of its own."""
    queries = [cone(*place, RADIUS) for place in positions(POSITIONS)]
    rates, times = [], []
    for _ in range(CROWD_ROUNDS):
        took = crowd.storm(client.tap, queries, CLIENTS, CROWD_SECONDS)
        rates.append(len(took) / CROWD_SECONDS)
        times += took
    found = {name: value * 1000 for name, value in _quantiles(times).items()}
    rate = statistics.median(rates)
    yield Measured(f"{RADIUS:g}° cones by {CLIENTS} clients", rate, "/s", found, target=600, least=True)


def streams(client: Client) -> Iterator[Measured]:
    """The whole catalogue in each format, in turn with psql's \\copy of the same rows."""
    columns = ", ".join(stars.COLUMNS)
    query = f"SELECT {columns} FROM {stars.TABLE}"
    targets = {"votable/b2": 1.3, "csv": 1.3, "fits": 1.5, "votable/td": 2.0, "parquet": 1.5}
    for form, copied in STREAMS.items():
        ours, floor, first = [], [], []
        for _ in range(STREAM_ROUNDS):
            answer = client.sync(query, form, MAXREC=str(stars.ROWS))
            ours.append(_whole(answer, form, stars.ROWS))
            first.append(answer.first)
            floor.append(archive.seconds(f"\\copy ({query}) to '/dev/null' with (format {copied})"))
        bottom = statistics.median(floor)
        yield Measured(
            f"{stars.ROWS:,} × {len(stars.COLUMNS)} as {form}",
            statistics.median(ours),
            "s",
            {"min": min(ours), "first byte ms": statistics.median(first) * 1000, "MB": answer.size / 1e6},
            target=targets[form] * bottom,
            floor=bottom,
        )


def memory(client: Client) -> Iterator[Measured]:
    """The most that the web server's memory grows while a slow-ish client takes ten million rows."""
    query = (
        f"SELECT {', '.join(f's.{name}' for name in stars.COLUMNS)} FROM {stars.TABLE} AS s"
        f" JOIN (SELECT TOP {LARGE} random_index FROM {stars.TABLE}) AS n ON 1 = 1"
    )
    before, peak, done = archive.web_memory(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, archive.web_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        rows = crowd.counted_csv(client.tap, query, LARGE * stars.ROWS)
    finally:
        done.set()
        watcher.join()
    grown = (peak - before) / 1e6
    yield Measured("web memory above idle", grown, "MB", {"idle MB": before / 1e6, "rows": rows}, target=50)


def asynchronous(client: Client) -> Iterator[Measured]:
    """From the job's creation to its result in hand, polled every 5 ms."""

    def run(_: int) -> float:
        began = time.perf_counter()
        job = client.post(
            f"{client.tap}/async",
            LANG="ADQL", QUERY=f"SELECT TOP 1 source_id FROM {stars.TABLE}", RESPONSEFORMAT="csv", PHASE="RUN",
        ).location  # fmt: skip
        while (phase := client.request("GET", f"{job}/phase").body.decode()) not in ("COMPLETED", "ERROR", "ABORTED"):
            if time.perf_counter() - began > 60:
                raise BenchError(f"{job} is still {phase} after a minute")
            time.sleep(0.005)
        answer = _ok(client.request("GET", f"{job}/results/result"))
        took = time.perf_counter() - began
        answers.rows(answer, "csv")
        client.request("DELETE", job)
        return took

    yield _latency("async job, created … result", run, ASYNC_ROUNDS, target=40.0)


def upload(client: Client) -> Iterator[Measured]:
    """A VOTable of positions beside the request, matched with the catalogue within an arcsecond."""
    listed = client.sync(f"SELECT TOP {UPLOAD_ROWS} source_id, ra, dec FROM {stars.TABLE}").body.decode().split()[1:]
    cells = "".join("<TR>" + "".join(f"<TD>{value}</TD>" for value in line.split(",")) + "</TR>" for line in listed)
    votable = (
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="uid" datatype="long"/><FIELD name="ura" datatype="double" unit="deg"/>'
        f'<FIELD name="udec" datatype="double" unit="deg"/><DATA><TABLEDATA>{cells}</TABLEDATA></DATA>'
        "</TABLE></RESOURCE></VOTABLE>"
    )
    query = (
        f"SELECT u.uid, t.source_id FROM TAP_UPLOAD.mine AS u JOIN {stars.TABLE} AS t"
        " ON 1=CONTAINS(POINT(t.ra, t.dec), CIRCLE(u.ura, u.udec, 1./3600))"
    )
    body, media_type = _multipart(
        {"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv", "UPLOAD": "mine,param:table"}, votable.encode()
    )

    def match(_: int) -> float:
        return _whole(_ok(client.request("POST", f"{client.tap}/sync", body, media_type)), "csv", UPLOAD_ROWS)

    yield _latency(f"upload of {UPLOAD_ROWS:,} positions, matched", match, UPLOAD_ROUNDS, target=50.0)


def _multipart(fields: dict[str, str], table: bytes) -> tuple[bytes, str]:
    boundary = "almagest-bench"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="table"; filename="table.vot"\r\n'
        "Content-Type: application/x-votable+xml\r\n\r\n"
    )
    end = f"\r\n--{boundary}--\r\n"
    return b"".join([*parts, head.encode(), table, end.encode()]), f"multipart/form-data; boundary={boundary}"


def _ok(answer: Answer) -> Answer:
    if answer.status != 200:
        raise BenchError(f"HTTP {answer.status}: {answer.body[:300]!r}")
    return answer


def _whole(answer: Answer, form: str, expected: int | None = None) -> float:
    """The seconds that it took, once its rows were counted."""
    found = answers.rows(answer, form)
    if expected is not None and found != expected:
        raise BenchError(f"{found} rows as {form}, not {expected}")
    return answer.total


def _latency(
    name: str, ask: Callable[[int], float], repeat: int, *, target: float | None = None, floor: float | None = None
) -> Measured:
    for i in range(3):
        ask(i)
    found = {key: value * 1000 for key, value in _quantiles([ask(i) for i in range(repeat)]).items()}
    return Measured(name, found.pop("p50"), "ms", found, target=target, floor=floor)


def _quantiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    last = len(ordered) - 1
    return {f"p{part}": ordered[round(last * part / 100)] for part in (50, 95, 99)}


RESULTS = Path("build/bench.json")
