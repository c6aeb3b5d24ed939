"""How far an ingest is: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

SECONDS = 3.0
"""Between two lines about the same step."""

log = logging.getLogger("almagest.ingest")


class Report(Protocol):
    """Called with the step's name, the rows that are loaded so far, and the share of the step that is done."""

    def __call__(self, step: str, done: int, share: float | None = None) -> None: ...


@contextmanager
def progress(table: str, rows: int | None) -> Iterator[Report]:
    """A function that shows the step and the rows so far. rows: how many there will be, when known."""
    if sys.stderr.isatty():
        with _bar() as bar:
            task = bar.add_task(table, total=rows, step="reading")

            def show(step: str, done: int, share: float | None = None) -> None:
                bar.update(task, completed=done, step=step if share is None else f"{step} {share:.0%}")

            yield show
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
    """A log line when a step begins, and every SECONDS while it lasts; indexes are built side by side."""

    def __init__(self, table: str, rows: int | None) -> None:
        self.table = table
        self.rows = rows
        self.said: dict[str, float] = {}

    def __call__(self, step: str, done: int, share: float | None = None) -> None:
        if time.monotonic() - self.said.get(step, -SECONDS) < SECONDS:
            return
        self.said[step] = time.monotonic()
        extra = {"table": self.table, "rows": done, "of": self.rows}
        log.info("%s: %s", self.table, step, extra=extra if share is None else {**extra, "percent": round(share * 100)})
