"""How far an ingest is: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from almagest.ingest.load import Report

SECONDS = 3.0
"""Between two lines about the same step."""

log = logging.getLogger("almagest.ingest")


@contextmanager
def progress(table: str, rows: int | None) -> Iterator[Report]:
    """A function that shows the step and the rows so far. rows: how many there will be, when known."""
    if sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(table, total=rows, step="reading")
            yield lambda step, done: bar.update(task, completed=done, step=step)
    else:
        yield _Lines(table, rows)


def _bar() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows · {task.fields[step]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class _Lines:
    """A log line when the step changes, and every SECONDS while it does not."""

    def __init__(self, table: str, rows: int | None) -> None:
        self.table = table
        self.rows = rows
        self.step = ""
        self.last = 0.0

    def __call__(self, step: str, done: int) -> None:
        if step == self.step and time.monotonic() - self.last < SECONDS:
            return
        self.step, self.last = step, time.monotonic()
        log.info("%s: %s", self.table, step, extra={"table": self.table, "rows": done, "of": self.rows})
