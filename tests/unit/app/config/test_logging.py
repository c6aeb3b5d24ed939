"""Log lines are JSON objects with everything that the caller gave."""

from __future__ import annotations

import json
import logging
import sys

from almagest.config.logging import JsonLines


def line(**extra: object) -> dict[str, object]:
    record = logging.makeLogRecord({"name": "almagest", "levelname": "INFO", "msg": "%d rows", "args": (3,), **extra})
    read: dict[str, object] = json.loads(JsonLines().format(record))
    return read


def test_a_record_is_one_object_with_its_extra() -> None:
    written = line(table="a.b")
    assert (written["message"], written["level"], written["table"]) == ("3 rows", "info", "a.b")
    assert str(written["time"]).endswith("+00:00")


def test_a_traceback_stays_on_the_line() -> None:
    try:
        int("no\nway")
    except ValueError:
        written = line(exc_info=sys.exc_info())
    assert "ValueError: invalid literal" in str(written["error"])
