"""PostgreSQL's plan in words: what is expected, what is read whole, and what would be cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest

from almagest.catalogue import Column, Table

STARS = Table(
    "hipparcos",
    "main",
    (Column("hip", "int", indexed=True), Column("ra", "double"), Column("dec", "double"), Column("vmag", "float")),
    position=("ra", "dec"),
    nrows=117_955,
)
SMALL = Table("openngc", "objects", (Column("name", "char", "*"),), nrows=14_033)


@pytest.fixture(scope="module", autouse=True)
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    directory: Path = tmp_path_factory.mktemp("surroundings")
    (directory / "queues.json").write_text('[{"name": "short", "timeout": 60}, {"name": "long", "timeout": 3600}]')
    variables = {"ARCHIVE": "x", "ENVIRONMENT": "dev", "RELEASE": "x", "SITE_URL": "http://x", "ALLOWED_HOSTS": "x"}
    variables |= {f"{server}_HOST": "x" for server in ("APPDB", "DATADB", "BROKER", "CACHE")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**variables, "CONFIG_DIR": str(directory)}.items():
            patch.setenv(f"ALMAGEST_{name}", value)
        patch.setenv("DJANGO_SETTINGS_MODULE", "almagest.config.project")
        django.setup()
        from almagest.config import environment  # noqa: PLC0415 - what other tests left is forgotten

        environment.environment.cache_clear()
        environment.queues.cache_clear()
        yield
        environment.environment.cache_clear()
        environment.queues.cache_clear()


def told(node: dict[str, Any], *tables: Table) -> Any:
    from almagest.query.answers.check import told  # noqa: PLC0415 - needs the settings above

    return told(node, tables)


def scan(kind: str, table: Table, *, rows: int, cost: float, **more: Any) -> dict[str, Any]:
    return {"Node Type": kind, "Relation Name": table.name, "Plan Rows": rows, "Total Cost": cost, **more}


def test_a_large_table_that_is_read_whole_is_told_with_what_would_be_cheaper() -> None:
    plan = told(scan("Seq Scan", STARS, rows=1240, cost=4200), STARS)
    assert plan.indexed is False
    assert plan.sentence == (
        "About 1,240 rows; no index helps: hipparcos.main (117,955 rows) read whole, less than a second; queue short."
    )
    assert "restrict hip" in plan.advice[0]
    assert "CONTAINS(POINT(ra, dec)" in plan.advice[0]


def test_a_scan_that_stops_early_is_no_reading_of_the_whole() -> None:
    limit = {
        "Node Type": "Limit",
        "Plan Rows": 5,
        "Total Cost": 0.3,
        "Plans": [scan("Seq Scan", STARS, rows=117_955, cost=4200)],
    }
    assert told(limit, STARS).indexed is True


def test_an_index_that_is_used_is_told() -> None:
    plan = told(scan("Bitmap Heap Scan", STARS, rows=1, cost=8), STARS)
    assert plan.sentence == "1 row; uses an index of hipparcos.main; queue short."
    assert plan.advice == ()


def test_small_tables_need_no_index() -> None:
    assert told(scan("Seq Scan", SMALL, rows=14_033, cost=900), SMALL).indexed is True


def test_what_takes_long_is_for_a_queue_that_lets_it() -> None:
    plan = told(scan("Seq Scan", STARS, rows=10, cost=3e7), STARS)
    assert plan.queue == "long"
    assert "about 5 minutes" in plan.sentence


def test_a_scan_deep_inside_is_seen() -> None:
    node = scan("Seq Scan", STARS, rows=117_955, cost=4200)
    for _ in range(500):
        node = {"Node Type": "Subquery Scan", "Plan Rows": 1, "Total Cost": 5000, "Plans": [node]}
    assert told(node, STARS).indexed is False
