"""Log records as JSON lines, each with the archive and the reconcile that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_context: ContextVar[dict[str, str] | None] = ContextVar("almagest_log_context", default=None)

# What every LogRecord has anyway; the rest came in through `extra=` and belongs on the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# kopf attaches whole objects to its records: a page of JSON a line that nobody reads.
_NOISE = frozenset({"settings", "k8s_skip", "k8s_ref"})


@contextmanager
def context(**fields: str) -> Iterator[None]:
    """Every record inside, in this task and those that it starts, carries `fields`."""
    token = _context.set({**(_context.get() or {}), **fields})
    try:
        yield
    finally:
        _context.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, RFC 3339), level, logger, message, context, `extra`, and a trace if any."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_context.get() or {}),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD | _NOISE}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """For people at a terminal: the same facts, without the braces."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in (_context.get() or {}).items())
        name = record.name.removeprefix("almagest_operator.")
        line = f"{record.levelname.lower():8}{name}: {record.getMessage()} {facts}"
        return line.rstrip() + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


def configure(level: str, style: str) -> None:
    """Send all records to stderr, in JSON (`json`) or plain (`text`); quiet the libraries below warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("kopf", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
