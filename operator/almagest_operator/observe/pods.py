"""Why a pod does not run, in one line: what `kubectl get`, `describe` and `logs --previous` would show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Body = Mapping[str, Any]

# Waiting reasons that are steps of a normal start, not problems.
_NORMAL = {"", "ContainerCreating", "PodInitializing"}
_NO_IMAGE = {"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable"}
_LONGEST = 300


def trouble(pod: Body) -> str:
    """One line such as `gaia-web-7d9: web: CrashLoopBackOff, exit code 1: no such table`; empty when all is well."""
    if pod["metadata"].get("deletionTimestamp") or pod.get("status", {}).get("phase") == "Succeeded":
        return ""
    found = next(_troubles(pod), "")
    return f"{pod['metadata']['name']}: {found}" if found else ""


def lacks_image(pod: Body) -> bool:
    """Whether a container waits for an image that the node did not get."""
    return any(_waiting(container) in _NO_IMAGE for container in _containers(pod.get("status", {})))


def _troubles(pod: Body) -> Iterator[str]:
    status = pod.get("status", {})
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield f"{condition.get('reason', 'Unschedulable')}: {_short(condition.get('message', ''))}"
    for container in _containers(status):
        if found := _container(container):
            yield f"{container['name']}: {found}"
    if status.get("phase") == "Failed" and status.get("reason"):
        yield f"{status['reason']}: {_short(status.get('message', ''))}"


def _containers(status: Body) -> list[Body]:
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _waiting(container: Body) -> str:
    """What it waits for, in Kubernetes' word; empty when it does not."""
    reason: str = container.get("state", {}).get("waiting", {}).get("reason", "")
    return reason


def _container(status: Body) -> str:
    """A container's trouble: what it waits for, with how it ended last time."""
    state, waiting = status.get("state", {}), _waiting(status)
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    last = _ending(ended) if ended.get("exitCode") else ""
    if waiting not in _NORMAL:
        return f"{waiting}, {last}" if last else f"{waiting}: {_short(state['waiting'].get('message', ''))}"
    return last if state.get("terminated", {}).get("exitCode") else ""


def _ending(terminated: Body) -> str:
    reason = terminated.get("reason", "")
    code = f"exit code {terminated['exitCode']}" if reason in {"", "Error"} else f"{reason} ({terminated['exitCode']})"
    message = _short(terminated.get("message", ""))
    return f"{code}: {message}" if message else code


def _short(text: str) -> str:
    """The end of a text on one line: of a traceback the last line says most."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else "…" + flat[-_LONGEST:]
