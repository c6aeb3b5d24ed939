"""Events on transitions, for `kubectl describe` and `kubectl get events`: one a change, never one a pass.

An Event's name is made of the transition that it tells, so telling it twice (a pass that was killed and repeated) is
refused by the API server as a duplicate and remains one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from almagest_operator.model.resource import GROUP, Manifest
from almagest_operator.model.status import ArchiveStatus, Condition, ConditionStatus
from almagest_operator.status.conditions import DATASETS_LOADED, DEGRADED, MIGRATED, READY, REFUSED

_TOLD = (READY, DEGRADED, MIGRATED, DATASETS_LOADED)
_LONGEST = 1000


def transitions(before: ArchiveStatus, after: ArchiveStatus) -> tuple[Condition, ...]:
    """The conditions worth telling whose status or reason has changed; what is not known yet is no news."""
    known = {condition.type: (condition.status, condition.reason) for condition in before.conditions}
    return tuple(
        condition
        for condition in after.conditions
        if condition.type in _TOLD
        and condition.status is not ConditionStatus.UNKNOWN
        and known.get(condition.type) != (condition.status, condition.reason)
        and not (
            condition.type == DEGRADED and condition.status is ConditionStatus.FALSE and _was_unknown(known, DEGRADED)
        )
    )


def events(
    archive: Mapping[str, Any], changes: tuple[Condition, ...], instance: str, now: datetime
) -> Iterator[Manifest]:
    """An `events.k8s.io/v1` Event a change, about the object `archive`. instance: the pod that speaks."""
    metadata = archive["metadata"]
    for change in changes:
        yield {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": _name(metadata, change), "namespace": metadata["namespace"]},
            "eventTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"{GROUP}/operator",
            "reportingInstance": instance,
            "type": "Warning" if _is_bad(change) else "Normal",
            "reason": change.reason,
            "action": "Reconcile",
            "note": f"{change.type} is {change.status}: {change.message}"[:_LONGEST],
            "regarding": {
                "apiVersion": archive["apiVersion"],
                "kind": archive["kind"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
        }


def _was_unknown(known: dict[str, tuple[ConditionStatus, str]], type_: str) -> bool:
    return known.get(type_, (ConditionStatus.UNKNOWN, ""))[0] is ConditionStatus.UNKNOWN


def _is_bad(change: Condition) -> bool:
    if change.type == DEGRADED:
        return change.status is ConditionStatus.TRUE
    return change.reason.endswith("Failed") or change.reason in {"InvalidSpec", REFUSED}


def _name(metadata: Mapping[str, Any], change: Condition) -> str:
    told = f"{metadata['uid']} {change.type} {change.status} {change.reason} {change.last_transition_time}"
    return f"{metadata['name']}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"
