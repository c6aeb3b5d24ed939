"""What is measured, each as a function of the service: seconds as a client sees them, every answer checked."""

from __future__ import annotations

import math
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from load.bench import answers, archive, crowd, stars
from load.bench.client import Answer, BenchError, Client, ask, get
from load.bench.yardsticks import Yardsticks, in_turn

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
    """One line of the report.

    value: in `unit`, the median; beside: other quantiles and facts by name; yardstick: the least that the same machine
    needed for the like in the same run, in the same unit, and which one it was; most: the multiple that is aimed at;
    bound: what is aimed at where no time is measured.
    """

    name: str
    value: float
    unit: str
    beside: dict[str, float]
    yardstick: float | None = None
    against: str = ""
    most: float | None = None
    bound: float | None = None

    @property
    def multiple(self) -> float | None:
        """How many times the yardstick it takes; of rates, how many times the time."""
        if not self.yardstick:
            return None
        return self.yardstick / self.value if self.unit == "/s" else self.value / self.yardstick

    @property
    def missed(self) -> bool:
        """Whether it is not where it was aimed."""
        multiple = self.multiple
        late = self.most is not None and multiple is not None and multiple > self.most
        return late or (self.bound is not None and self.value > self.bound)


def metadata(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    for document in ("availability", "capabilities", "tables"):

        def read(_: int, document: str = document) -> float:
            return _ok(client.request("GET", f"{client.tap}/{document}")).total

        yield _latency(f"/{document}", read, REPEAT, yardsticks, "document")


def trivial(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    def search(_: int) -> float:
        return _whole(client.sync(f"SELECT TOP 1 source_id, ra, dec FROM {stars.TABLE}"), "csv", 1)

    yield _latency("trivial sync query", search, REPEAT, yardsticks, "answer", most=3.5)


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


def cones(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    places = positions(POSITIONS)
    for radius, most in ((RADIUS, 5.0), (10 * RADIUS, None)):

        def search(i: int, radius: float = radius) -> float:
            return _whole(client.sync(cone(*places[i % POSITIONS], radius)), "csv")

        every = "\n".join(
            f"SELECT source_id, ra, dec, phot_g_mean_mag FROM {stars.TABLE} WHERE spoint(radians(ra), radians(dec)) <@"
            f" scircle(spoint(radians({ra}), radians({dec})), radians({radius}));"
            for ra, dec in places
        )
        alone = archive.seconds(every) / POSITIONS
        name, against = f"cone {radius:g}°", "answer + PostgreSQL"
        yield _latency(name, search, POSITIONS, yardsticks, against, alone=alone, most=most)


def concurrent(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    """Cone searches a second by several clients at once, each with a connection of its own."""
    queries = [ask(client.tap, cone(*place, RADIUS), MAXREC="10000000") for place in positions(POSITIONS)]
    urls = (yardsticks.static_url, yardsticks.bare_url)
    rates, least, times = [], [], []
    for _ in range(CROWD_ROUNDS):
        took = crowd.storm(client.tap, queries, CLIENTS, CROWD_SECONDS)
        rates.append(len(took) / CROWD_SECONDS)
        times += took
        seconds = CROWD_SECONDS / 4
        least.append(together(*(len(crowd.storm(url, [get(url)], CLIENTS, seconds)) / seconds for url in urls)))
    found = {name: value * 1000 for name, value in _quantiles(times).items()}
    name, rate = f"{RADIUS:g}° cones by {CLIENTS} clients", statistics.median(rates)
    yield Measured(name, rate, "/s", found, statistics.median(least), "document", most=17.0)


def together(*rates: float) -> float:
    """Answers a second of servers that an answer passes one after the other on the same cores."""
    return 1 / sum(1 / rate for rate in rates)


def streams(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    """The whole catalogue in each format, in turn with psql's \\copy of the same rows."""
    columns = ", ".join(stars.COLUMNS)
    query = f"SELECT {columns} FROM {stars.TABLE}"
    most = {"votable/b2": 1.3, "csv": 1.3, "fits": 1.5, "votable/td": 2.0, "parquet": 1.5}
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
            bottom,
            "\\copy",
            most[form],
        )


def memory(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
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
    yield Measured("web memory above idle", grown, "MB", {"idle MB": before / 1e6, "rows": rows}, bound=50)


def asynchronous(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
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

    yield _latency("async job, created … result", run, ASYNC_ROUNDS, yardsticks, "answer", most=90.0)


def upload(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
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

    alone = archive.seconds(MATCH)
    name = f"upload of {UPLOAD_ROWS:,} positions, matched"
    yield _latency(name, match, UPLOAD_ROUNDS, yardsticks, "answer + PostgreSQL", alone=alone, most=5.0)


MATCH = f"""\
CREATE TEMPORARY TABLE mine (uid bigint, ura float8, udec float8);
INSERT INTO mine SELECT source_id, ra, dec FROM {stars.TABLE} LIMIT {UPLOAD_ROWS};
ANALYZE mine;
SELECT uid, source_id FROM mine JOIN {stars.TABLE} ON spoint(radians(ra), radians(dec))
 <@ scircle(spoint(radians(ura), radians(udec)), radians(1./3600));"""
"""What PostgreSQL alone does for the upload."""


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
    name: str, ours: Callable[[int], float], repeat: int, yardsticks: Yardsticks, against: str,
    *, alone: float = 0.0, most: float | None = None,
) -> Measured:  # fmt: skip
    """Ours and the least answer in turn. alone: seconds of PostgreSQL, which the least has to wait for too."""
    for i in range(3):
        ours(i)
    times, documents = in_turn(ours, yardsticks.document, repeat)
    waits = yardsticks.short_query() if against.startswith("answer") else 0.0
    found = {key: value * 1000 for key, value in _quantiles(times).items()}
    least = (statistics.median(documents) + waits + alone) * 1000
    return Measured(name, found.pop("p50"), "ms", found, least, against, most)


def _quantiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    last = len(ordered) - 1
    return {f"p{part}": ordered[round(last * part / 100)] for part in (50, 95, 99)}
