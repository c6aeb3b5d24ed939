"""What the archive does under more than it can serve: slow readers, endless queries, very many clients at once.

Everything goes to the archive's own address on this machine, and ends after the times below.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from load.bench import archive, stars
from load.bench.client import Client, ask, get
from load.bench.measures import Measured, together
from load.bench.yardsticks import Yardsticks

READERS, READ_RATE, READ_SECONDS = 200, 10_000, 60.0
"""Clients that take a large result at so many bytes a second, for so long."""
CARTESIAN = 4
"""Jobs in every queue that would run until their time is over."""
CLIENTS, CLIENT_SECONDS, LEAST_SECONDS = 1_000, 60.0, 10.0
TRIVIAL = f"SELECT TOP 1 source_id, ra, dec FROM {stars.TABLE}"


@dataclass
class Seen:
    """What a crowd was answered. statuses: of HTTP, 0 for a connection that broke; times: seconds of the 200s."""

    statuses: Counter[int] = field(default_factory=Counter)
    reasonless: int = 0
    times: list[float] = field(default_factory=list)


def pressure(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    """The trivial query while 200 slow readers and four endless joins in every queue want the machine too."""
    idle = _trivial(client, 5.0)
    before = archive.web_memory()
    jobs = [_endless(client, queue) for queue in ("short", "long") for _ in range(CARTESIAN)]
    try:
        busy, readers = asyncio.run(_among_readers(client.tap))
    finally:
        for job in jobs:
            client.request("DELETE", job)
    grown = (archive.web_memory() - before) / 1e6
    told = {f"readers answered {status}": float(count) for status, count in sorted(readers.statuses.items())}
    told |= {"idle p50 ms": idle * 1000, "without a reason": float(readers.reasonless), "memory MB": grown}
    yield Measured("trivial query under pressure", busy * 1000, "ms", told, idle * 1000, "idle", most=2.0)


def thousand(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    """A thousand clients, each asking again as soon as it was answered."""
    urls = (yardsticks.static_url, yardsticks.bare_url)
    crowds = [asyncio.run(_clients(get(url), url, LEAST_SECONDS)) for url in urls]
    least = together(*(_rate(crowd, LEAST_SECONDS) for crowd in crowds))
    seen = asyncio.run(_clients(ask(client.tap, TRIVIAL), client.tap, CLIENT_SECONDS))
    ordered = sorted(seen.times)
    told = {f"answered {status}": float(count) for status, count in sorted(seen.statuses.items())}
    told |= {"p50 ms": ordered[len(ordered) // 2] * 1000, "p99 ms": ordered[len(ordered) * 99 // 100] * 1000}
    yield Measured(f"{CLIENTS:,} clients", _rate(seen, CLIENT_SECONDS), "/s", told, least, "document")


def _rate(seen: Seen, seconds: float) -> float:
    return len(seen.times) / seconds


def _trivial(client: Client, seconds: float) -> float:
    """Median seconds of the trivial query."""
    until = time.perf_counter() + seconds
    times = []
    while time.perf_counter() < until:
        times.append(client.sync(TRIVIAL).total)
    return statistics.median(times)


def _endless(client: Client, queue: str) -> str:
    """A running job that compares every star with every other."""
    query = f"SELECT COUNT(*) AS n FROM {stars.TABLE} AS a, {stars.TABLE} AS b WHERE a.ra + b.dec > 1e9"
    job = client.post(f"{client.tap}/async", LANG="ADQL", QUERY=query).location
    client.post(f"{job}/executionduration", EXECUTIONDURATION="25" if queue == "short" else "3000")
    client.post(f"{job}/phase", PHASE="RUN")
    return job


async def _among_readers(tap: str) -> tuple[float, Seen]:
    """Median seconds of the trivial query among the slow readers, and what they were answered."""
    seen = Seen()
    query = f"SELECT * FROM {stars.TABLE}"
    readers = [asyncio.create_task(_slow(tap, query, seen, number / 20)) for number in range(READERS)]
    await asyncio.sleep(READERS / 20 + 5)
    client = Client(tap)
    busy = await asyncio.to_thread(_trivial, client, READ_SECONDS - READERS / 20 - 10)
    await asyncio.gather(*readers)
    return busy, seen


async def _slow(tap: str, query: str, seen: Seen, delay: float) -> None:
    """One reader that takes its bytes slowly. A refusal needs a status that says so and a Retry-After."""
    until = time.perf_counter() + READ_SECONDS
    await asyncio.sleep(delay)
    try:
        reader, writer = await _send(ask(tap, query), tap, limit=1 << 12)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        status = int(head.split(b" ", 2)[1])
        seen.statuses[status] += 1
        if status != 200 and b"retry-after" not in head.lower():
            seen.reasonless += 1
        for _ in range(int(until - time.perf_counter())):
            if status != 200 or not await reader.read(READ_RATE):
                break
            await asyncio.sleep(1)
        writer.close()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        seen.statuses[0] += 1
        seen.reasonless += 1


async def _clients(request: bytes, url: str, seconds: float) -> Seen:
    seen = Seen()
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_client(request, url, until, seen) for _ in range(CLIENTS)))
    return seen


async def _client(request: bytes, url: str, until: float, seen: Seen) -> None:
    while time.perf_counter() < until:
        try:
            reader, writer = await _send(request, url)
            while time.perf_counter() < until:
                began = time.perf_counter()
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(b" ", 2)[1])
                await _body(reader, head)
                seen.statuses[status] += 1
                if status == 200:
                    seen.times.append(time.perf_counter() - began)
                writer.write(request)
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            seen.statuses[0] += 1


async def _body(reader: asyncio.StreamReader, head: bytes) -> None:
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while size := int((await reader.readline()).strip() or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(lower.partition(b"content-length:")[2].split(b"\r\n")[0]))


async def _send(request: bytes, url: str, limit: int = 1 << 16) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=limit)
    writer.write(request)
    return reader, writer
