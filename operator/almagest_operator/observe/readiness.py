"""Is an object of the API server ready, still waiting, or beyond hope?  Pure, one small function a kind.

Follows what `kubectl rollout status` and the kstatus convention look at: a status counts only when it speaks of the
present generation, otherwise it tells how things stood before our last change.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class State(enum.Enum):
    READY = "ready"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Readiness:
    """state; reason: CamelCase word for conditions; message: one sentence for people, empty when ready."""

    state: State
    reason: str = ""
    message: str = ""

    @property
    def ready(self) -> bool:
        return self.state is State.READY

    @property
    def failed(self) -> bool:
        return self.state is State.FAILED


READY = Readiness(State.READY)
MISSING = Readiness(State.WAITING, "NotCreated", "not created yet")
RUNNING = "Running"
"""The reason of a Job that has a pod which works; a pod that does not start is no work that could be lost."""

DELETING = Readiness(State.WAITING, "Deleting", "the previous one is still being deleted")

Body = Mapping[str, Any]


def readiness(body: Body) -> Readiness:
    """Judge any object by its kind; those without a life of their own, as a ConfigMap, are ready when they exist."""
    if body["metadata"].get("deletionTimestamp"):
        return DELETING
    judge = _JUDGES.get(body["kind"])
    return judge(body) if judge else READY


def _waiting(reason: str, message: str) -> Readiness:
    return Readiness(State.WAITING, reason, message)


def _failed(reason: str, message: str) -> Readiness:
    return Readiness(State.FAILED, reason, message)


def conditions(body: Body) -> dict[str, Body]:
    """`status.conditions` by type."""
    return {condition["type"]: condition for condition in body.get("status", {}).get("conditions") or ()}


def _stale(body: Body) -> bool:
    seen: int = body.get("status", {}).get("observedGeneration", 0)
    wanted: int = body["metadata"].get("generation", 0)
    return seen < wanted


def _deployment(body: Body) -> Readiness:
    if _stale(body):
        return _waiting("RollingOut", "the change has not been picked up yet")
    progressing = conditions(body).get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return _failed("ProgressDeadlineExceeded", progressing.get("message", "the roll-out makes no progress"))
    wanted, status = body["spec"].get("replicas", 1), body.get("status", {})
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or status.get("replicas", 0) > updated:
        return _waiting("RollingOut", f"{updated} of {wanted} pods are of the new version")
    if available < wanted:
        return _waiting("PodsNotReady", f"{available} of {wanted} pods are ready")
    return READY


def _stateful_set(body: Body) -> Readiness:
    if _stale(body):
        return _waiting("RollingOut", "the change has not been picked up yet")
    wanted, status = body["spec"].get("replicas", 1), body.get("status", {})
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    if ready < wanted:
        return _waiting("PodsNotReady", f"{ready} of {wanted} pods are ready")
    if wanted and status.get("currentRevision") != status.get("updateRevision"):
        return _waiting("RollingOut", f"{updated} of {wanted} pods are of the new version")
    if status.get("replicas", 0) > wanted:
        return _waiting("ScalingDown", f"{status['replicas']} pods run, {wanted} are wanted")
    return READY


def _job(body: Body) -> Readiness:
    found = conditions(body)
    if found.get("Complete", {}).get("status") == "True":
        return READY
    failure = found.get("Failed", {})
    if failure.get("status") == "True":
        return _failed(failure.get("reason") or "JobFailed", failure.get("message") or "the Job failed")
    if body["spec"].get("suspend"):
        return _waiting("Suspended", "the Job is suspended")
    status = body.get("status", {})
    tries = f", {status['failed']} attempts failed so far" if status.get("failed") else ""
    return (
        _waiting(RUNNING, "running" + tries) if status.get("ready") else _waiting("Starting", "its pod starts" + tries)
    )


def _claim(body: Body) -> Readiness:
    """A claim that is not bound is fine: many classes bind with the first pod, which comes in a later stage."""
    if body.get("status", {}).get("phase") == "Lost":
        return _failed("VolumeLost", "the volume behind the claim is gone; restore it or delete the claim")
    return READY


_JUDGES: Mapping[str, Callable[[Body], Readiness]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
}
