"""An answer that gets nowhere by a mistake of ours is ended: it says so, and gives back what it holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from almagest import formats
from almagest.catalogue import Column
from almagest.formats import About, Rows
from almagest.formats.separated import Csv
from almagest.query import slots
from almagest.query.answers import answer as answers
from almagest.query.answers import copying
from almagest.query.answers.answer import Answer, Source
from almagest.query.errors import InternalError
from almagest.query.watch import TURNS, Watch
from support import wire
from support.application import Application
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("web_process")]

ROWS = 200_000
SECONDS = 30
"""That PostgreSQL may take."""

MANY = f"SELECT n FROM generate_series(1, {ROWS}) AS n"


def answer(sql: str, response_format: str = "votable") -> Answer:
    return Answer(source(sql), formats.negotiate(response_format))


def source(sql: str) -> Source:
    return Source(sql, (Column("n", "int"),), ROWS, SECONDS, "")


def assert_nothing_is_held(application: Application) -> None:
    eventually("the query to be gone", lambda: application.reading() == 0)
    with ExitStack() as stack:
        for _ in range(slots.capacity()):
            stack.enter_context(slots.slot())
    assert list(answer("SELECT 1"))


@dataclass(frozen=True)
class Spinning(Csv):
    """A format that goes round in circles behind so many parts. begun: that it does."""

    parts: int = 0
    begun: threading.Event = field(default_factory=threading.Event)

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        for number, part in enumerate(super().document(columns, about, rows)):
            while number >= self.parts:
                # A lock that is being taken when the exception comes would stay taken.
                if not self.begun.is_set():
                    self.begun.set()
            yield part


class Mistaken(Csv):
    """A format with a mistake."""

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        for number, part in enumerate(super().document(columns, about, rows)):
            yield part[: len(part) // (1 - number // 2)]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """The watch of this process, whose turns the test takes."""
    ours = Watch()
    for module in (answers, copying):
        monkeypatch.setattr(module, "watch", lambda: ours)
    return ours


def ended(watched: Watch, spinning: threading.Event, work: Callable[[], bytes]) -> bytes:
    """What comes of some work that goes round in circles from a time on."""
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(work)
        assert spinning.wait(60)
        for _ in range(TURNS + 1):
            watched.look()
        return found.result(60)


def test_an_answer_whose_format_gets_nowhere_is_ended(application: Application, watched: Watch) -> None:
    at_once, later = Spinning(parts=0), Spinning(parts=2)
    with pytest.raises(InternalError):
        ended(watched, at_once.begun, lambda: b"".join(Answer(source(MANY), at_once)))
    rows = wire.csv_rows(ended(watched, later.begun, lambda: b"".join(Answer(source(MANY), later))).decode())
    assert rows[-1]["n"].startswith("ERROR: the query failed by a mistake in this service")
    assert_nothing_is_held(application)


@pytest.mark.parametrize("received", [0, 3])
@pytest.mark.parametrize("response_format", ["votable", "csv", "fits"])
def test_an_answer_whose_rows_get_nowhere_is_ended(
    application: Application, monkeypatch: pytest.MonkeyPatch, watched: Watch, response_format: str, received: int
) -> None:
    receive, spinning, left = copying.Copied._receive, threading.Event(), received

    def stuck(copied: copying.Copied, wanted: int) -> None:
        nonlocal left
        if left:
            left -= 1
            receive(copied, wanted)
        elif not spinning.is_set():
            spinning.set()

    def work() -> bytes:
        return b"".join(answer(MANY, response_format))

    with monkeypatch.context() as patched:
        patched.setattr(copying.Copied, "_receive", stuck)
        if received and response_format != "fits":
            assert b"the query failed by a mistake in this service" in ended(watched, spinning, work)
        else:
            with pytest.raises(InternalError):
                ended(watched, spinning, work)
    assert_nothing_is_held(application)


def test_a_mistake_in_a_format_does_not_look_like_the_end_of_an_answer(application: Application) -> None:
    rows = wire.csv_rows(b"".join(Answer(source(MANY), Mistaken())).decode())
    assert rows[-1]["n"].startswith("ERROR: the query failed by a mistake in this service")
    assert_nothing_is_held(application)


def test_a_slow_query_and_a_slow_reader_are_not_ended(application: Application, watched: Watch) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: b"".join(answer("SELECT 1 AS n FROM pg_sleep(1)")))
        eventually("it to wait for PostgreSQL", lambda: application.reading() == 1)
        for _ in range(SECONDS + round(copying._MARGIN_SECONDS) + TURNS):
            watched.look()
        assert wire.status(slow.result(60))[0] == "OK"
    parts = iter(answer(MANY))
    taken = [next(parts)]
    for _ in range(10 * TURNS):
        watched.look()
    assert wire.status(b"".join([*taken, *parts]))[0] == "OK"
