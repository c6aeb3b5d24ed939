"""What one reconcile asks of the queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """forget: the archive is gone; requeue_after: seconds after which to look again even if nothing has changed.

    Without either, the key rests until something changes or the next resync.
    """

    requeue_after: float | None = None
    forget: bool = False


GONE = Outcome(forget=True)
SETTLED = Outcome()
