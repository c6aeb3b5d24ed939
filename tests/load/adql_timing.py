"""What a translation costs, in CPU time of one process: typical queries, the largest answered, and hostile ones.

    python tests/load/adql_timing.py

Budgets (issue 4): 2 ms for a typical query, 100 ms until a hostile one is refused.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from almagest.adql import AdqlError, translate
from support.stars import SKY
from unit.app.adql.test_hostile import HUGE, LARGE

TYPICAL = {
    "columns": "SELECT TOP 5 ra, dec FROM sky.stars",
    "cone": "SELECT source_id, ra, dec, g FROM sky.stars "
    "WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 56.75, 24.12, 1)) AND g < 12 ORDER BY g",
    "cross-match": "SELECT a.source_id, b.hip, DISTANCE(a.ra, a.dec, b.ra, b.dec) AS d FROM sky.stars AS a "
    "JOIN sky.bright AS b ON 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 5 / 3600.0)) "
    "WHERE a.g < 12 AND b.vmag IS NOT NULL ORDER BY d",
    "groups": "WITH x AS (SELECT n, COUNT(*) AS c, AVG(g) AS m FROM sky.stars GROUP BY n HAVING COUNT(*) > 3) "
    "SELECT x.n, c, m, CASE WHEN m < 3 THEN 'a' ELSE 'b' END AS k FROM x LEFT JOIN sky.bright b ON b.hip = x.n "
    "WHERE c IN (1, 2, 3) OR m BETWEEN 1 AND 5",
}
HOSTILE = {
    **HUGE,
    "a megabyte of names": f"SELECT {'a, ' * 350_000}",
    "a megabyte of parentheses": "(" * 1_000_000,
}


def milliseconds(query: str, repeat: int) -> float:
    """Mean CPU time of one translation or refusal."""
    began = time.process_time()
    for _ in range(repeat):
        try:
            translate(query, SKY, maxrec=1000)
        except AdqlError:
            continue
    return (time.process_time() - began) / repeat * 1000


def report() -> Iterator[str]:
    """A line for each query."""
    kinds: list[tuple[str, Mapping[str, str], int]] = [
        ("typical", TYPICAL, 200), ("largest answered", LARGE, 3), ("hostile", HOSTILE, 3),
    ]  # fmt: skip
    milliseconds(TYPICAL["groups"], 20)
    for kind, queries, repeat in kinds:
        for name, query in queries.items():
            yield f"| {kind} | {name} | {milliseconds(query, repeat):.2f} ms |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in ("| kind | query | CPU time |", "|---|---|---:|", *report()))
