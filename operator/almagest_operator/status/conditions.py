"""Conditions as the Kubernetes API conventions lay them down: times of transition change with the status alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from almagest_operator.model.status import Condition, ConditionStatus

READY = "Ready"
SERVED = "Served"
PROGRESSING = "Progressing"
DEGRADED = "Degraded"
MIGRATED = "Migrated"
DATASETS_LOADED = "DatasetsLoaded"
SUMMARY = (READY, SERVED, PROGRESSING, DEGRADED, MIGRATED, DATASETS_LOADED)
"""The conditions that every archive has; one a component comes on top, e.g. `WorkerShortReady`."""

REFUSED = "Refused"
"""The reason of a condition when the API server refuses an object."""

WRITE_FAILED = "WriteFailed"
"""The reason of a condition when a write failed that may succeed later, e.g. with 500 or without an answer."""

NOT_WRITTEN = (REFUSED, WRITE_FAILED)

_LONGEST = 2000


@dataclass(frozen=True)
class Finding:
    """A condition without its times: what is so, a CamelCase reason, a sentence."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""


def yes(type_: str, reason: str, message: str = "") -> Finding:
    return Finding(type_, ConditionStatus.TRUE, reason, message)


def no(type_: str, reason: str, message: str = "") -> Finding:
    return Finding(type_, ConditionStatus.FALSE, reason, message)


def unknown(type_: str, reason: str, message: str = "") -> Finding:
    return Finding(type_, ConditionStatus.UNKNOWN, reason, message)


def component_type(component: str) -> str:
    """`worker-short` → `WorkerShortReady`."""
    return "".join(part.capitalize() for part in component.split("-")) + READY


def merge(
    previous: Iterable[Condition], findings: Iterable[Finding], now: datetime, generation: int | None
) -> tuple[Condition, ...]:
    """The conditions that `findings` amount to, sorted by type, each with the time since when it has had its status."""
    before = {condition.type: condition for condition in previous}
    merged = (_dated(finding, before.get(finding.type), now, generation) for finding in findings)
    return tuple(sorted(merged, key=lambda condition: condition.type))


def _dated(finding: Finding, before: Condition | None, now: datetime, generation: int | None) -> Condition:
    same = before is not None and before.status is finding.status
    return Condition(
        type=finding.type,
        status=finding.status,
        reason=finding.reason,
        message=finding.message[:_LONGEST],
        last_transition_time=before.last_transition_time if same and before else timestamp(now),
        observed_generation=generation,
    )


def timestamp(now: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the API server writes times."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
