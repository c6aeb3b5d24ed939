"""Whether the threads that answer get on: a second wall, for mistakes of ours that nobody has found yet.

PostgreSQL has its statement timeout, and a silent one ours; a reader has the proxy's patience. None of these bounds our
own work in between, and a thread that goes round in circles keeps its slot, its connection and half a processor. So a
step of work, such as the making of an answer's next chunk, may take only so long without a sign. Then an exception is
raised in its thread, whatever it does. A thread that not even this ends is lost; `/health/live` says so, because only a
new process has it back.

Time is counted in turns of the watch, one a second while the process runs: a machine that stood still has kept nobody.
"""

from __future__ import annotations

import ctypes
import logging
import sys
import threading
import time
import traceback

from almagest.config.once import once

TURNS = 60
"""Turns that a step may take without a sign. The longest honest ones, a row group of Parquet or the last look at a wide
FITS, take a second of a processor, and ten in a crowd."""

GRACE = 30
"""Turns after which a thread that was told to end is lost."""

_TURN_SECONDS = 1.0

log = logging.getLogger(__name__)


class StalledError(Exception):
    """Raised in a thread whose step of work goes on without a sign."""


class Step:
    """A piece of work of one thread, of which nobody hears before its end. A context.

    turns: since the last sign; limit: how many there may be; told: turns since it was told to end, if it was; outer:
    the step of the same thread around it, for which no time passes meanwhile; open: whether it may still be told to
    end, to be read and changed under `lock`.
    """

    def __init__(self, watch: Watch, limit: int) -> None:
        self.thread = 0
        self.turns = 0
        self.limit = limit
        self.told: int | None = None
        self.outer: Step | None = None
        self.open = False
        self.lock = threading.Lock()
        self._watch = watch
        self._usual = limit

    def __enter__(self) -> Step:
        self.thread = threading.get_ident()
        self._watch.begin(self)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._watch.end(self)
        except StalledError:
            # It came at the last moment.
            self._watch.end(self)
            raise

    def sign(self, limit: int | None = None) -> None:
        """Count from here on. limit: turns that it may take now, the usual ones by default."""
        self.limit = self._usual if limit is None else limit
        self.turns = 0


class Waiting:
    """A context in which a step waits for somebody who may take so many seconds."""

    def __init__(self, step: Step | None, seconds: float) -> None:
        self._step = step
        self._limit = round(seconds) + TURNS

    def __enter__(self) -> None:
        if self._step:
            self._step.sign(self._limit)

    def __exit__(self, *_: object) -> None:
        if self._step:
            self._step.sign()


class Watch:
    """The steps of a process.

    Each thread keeps its own entry, and a step has a lock of its own: threads that had one in common would wait for
    whichever was interrupted while it held it.
    """

    def __init__(self) -> None:
        self._steps: dict[int, Step] = {}

    def step(self, limit: int = TURNS) -> Step:
        """A step of this thread, to be entered. Raises StalledError anywhere in it."""
        return Step(self, limit)

    def waiting(self, seconds: float) -> Waiting:
        """For the time that this thread's step waits for PostgreSQL, which has a limit of its own."""
        return Waiting(self._steps.get(threading.get_ident()), seconds)

    def sign(self) -> None:
        """Say that this thread's step has got on."""
        if step := self._steps.get(threading.get_ident()):
            step.sign()

    def begin(self, step: Step) -> None:
        """Watch it from here on."""
        step.outer = self._steps.get(step.thread)
        step.open = True
        self._steps[step.thread] = step

    def end(self, step: Step) -> None:
        """Watch it no longer: nothing is raised in its thread from here on."""
        with step.lock:
            step.open = False
        if step.outer:
            self._steps[step.thread] = step.outer
        else:
            self._steps.pop(step.thread, None)
        if step.told is not None:
            _raise(step.thread, None)

    def look(self) -> None:
        """Take a turn: tell those to end that have gone on for too long."""
        for step in list(self._steps.values()):
            place = self._turn(step)
            if place:
                log.error(
                    "a step of work went on without a sign and was ended", extra={"turns": step.turns, "place": place}
                )

    def lost(self) -> int:
        """How many threads did not end when they were told to."""
        return sum(step.told is not None and step.told > GRACE for step in list(self._steps.values()))

    def run(self) -> None:
        """Look once a second, as long as the process lives."""
        while True:
            time.sleep(_TURN_SECONDS)
            self.look()

    def _turn(self, step: Step) -> str:
        """Count it; where its thread is, if it is told to end now."""
        with step.lock:
            if not step.open:
                return ""
            step.turns += 1
            if step.told is not None:
                step.told += 1
            elif step.turns > step.limit:
                step.told = 0
                place = _place(step.thread)
                _raise(step.thread, StalledError)
                return place
            return ""


@once
def watch() -> Watch:
    """That of this process; it looks from the first call on, after the server has forked."""
    ours = Watch()
    threading.Thread(target=ours.run, name="watch", daemon=True).start()
    return ours


def _raise(thread: int, error: type[Exception] | None) -> None:
    """Have it raised in the thread at its next step in Python; None takes back what was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error and ctypes.py_object(error))


def _place(thread: int) -> str:
    """Where the thread is."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - there is no other way to see another thread
    return "".join(traceback.format_stack(frame)[-12:])
