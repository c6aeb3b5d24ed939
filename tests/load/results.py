"""How long pages of a large stored result take: `python tests/load/results.py URL [--table stars.main] [--job ID]`.

It has a job make ten million rows of the table (`make bench` hands one to the running archive), or takes a job that is
there, and asks its pages as a browser does: in several orders, at the beginning, in the middle and at the end, with
conditions, and what plots need. Of each request it prints the first time, which finds out or makes what the others
use, and the median of those after it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

import requests

ROWS = 10_000_000
AGAIN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--table", default="stars.main")
    parser.add_argument("--job")
    given = parser.parse_args()
    session = requests.Session()
    job = given.job or submitted(session, given.url, given.table)
    address = f"{given.url}/api/v1/jobs/{job}"
    page = session.get(f"{address}/rows", params={"limit": "1"}, timeout=100).json()
    names = [column["name"] for column in page["columns"] if column["datatype"] in ("double", "float")]
    print(f"{page['total']:,} rows, columns {', '.join(column['name'] for column in page['columns'])}")
    for what, parameters in asked(names, page["total"]):
        measure(session, address, what, parameters)


def asked(names: list[str], total: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What to ask, of columns of numbers."""
    x, y = names[:2]
    places = (0, total * 6 // 10, total - 100)
    for sort in ("", x, f"-{x}", f"-{x},{y}"):
        for offset in places:
            yield "rows", {"sort": sort, "offset": offset, "limit": 100}
    narrow, wide = [[x, "between", [10, 20]]], [[y, ">=", 5]]
    for where in (narrow, wide, [*narrow, *wide]):
        for sort in ("", x):
            yield "rows", {"where": json.dumps(where), "sort": sort, "limit": 100}
        yield "rows", {"where": json.dumps(where), "offset": 100_000, "limit": 100}
    yield "data", {"columns": f"{x},{y}", "numbers": "true", "where": json.dumps(narrow)}
    yield "bins", {"x": x, "y": y, "nx": 300, "ny": 200}
    yield "statistics", {"columns": f"{x},{y}"}


def measure(session: requests.Session, address: str, what: str, parameters: dict[str, Any]) -> None:
    began = time.perf_counter()
    prepared = 0.0
    while (answer := session.get(f"{address}/{what}", params=parameters, timeout=600)).status_code == 202:
        time.sleep(0.1)
        prepared = time.perf_counter() - began
    answer.raise_for_status()
    first = time.perf_counter() - began - prepared
    times = []
    for _ in range(AGAIN):
        began = time.perf_counter()
        session.get(f"{address}/{what}", params=parameters, timeout=600).raise_for_status()
        times.append(time.perf_counter() - began)
    told = " ".join(f"{name}={value}" for name, value in parameters.items() if value != "")
    made = f", index made in {prepared:.1f} s" if prepared else ""
    print(
        f"{what} {told}: first {1000 * first:.0f} ms, then {1000 * statistics.median(times):.0f} ms{made}", flush=True
    )


def submitted(session: requests.Session, url: str, table: str) -> str:
    """The id of a new job of ROWS rows, when it has ended."""
    query = f"SELECT s.* FROM {table} AS s, (SELECT TOP 1000 1 AS n FROM {table}) AS times"
    form = {"LANG": "ADQL", "QUERY": query, "MAXREC": str(ROWS), "EXECUTIONDURATION": "0", "PHASE": "RUN"}
    job = session.post(f"{url}/tap/async", data=form, allow_redirects=False, timeout=100).headers["Location"]
    began = time.perf_counter()
    while (phase := session.get(f"{job}/phase", timeout=100).text) in ("QUEUED", "EXECUTING"):
        time.sleep(0.5)
    if phase != "COMPLETED":
        raise SystemExit(f"{job} is {phase}: {session.get(f'{job}/error', timeout=100).text}")
    print(f"{job} took {time.perf_counter() - began:.1f} s")
    return job.rsplit("/", 1)[1]


if __name__ == "__main__":
    main()
