"""What one reconcile asks of the queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """forget: the archive is gone; failed: something could not be done; requeue_after: seconds after which to look
    again even if nothing has changed.

    Without any of them the key rests until something changes or the next resync. A failed pass is repeated after
    `requeue_after`, or without it after ever longer pauses.
    """

    requeue_after: float | None = None
    forget: bool = False
    failed: bool = False


GONE = Outcome(forget=True)
SETTLED = Outcome()
