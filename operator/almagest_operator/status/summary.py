"""The status of an archive, from what was wanted, what was seen and what the last writes came to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from almagest_operator.apply.engine import Applied
from almagest_operator.desired import Desired
from almagest_operator.model.archive import Archive
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.resource import Resource, Stage
from almagest_operator.model.status import ArchiveStatus, ComponentStatus, Condition
from almagest_operator.observe.store import Observed
from almagest_operator.plan import Step, Waiting
from almagest_operator.plan.waiting import IMPAIRED, NOT_SERVED
from almagest_operator.status.conditions import (
    DATASETS_LOADED,
    DEGRADED,
    MIGRATED,
    NOT_WRITTEN,
    PROGRESSING,
    READY,
    REFUSED,
    SERVED,
    SUMMARY,
    WRITE_FAILED,
    Finding,
    component_type,
    merge,
    no,
    unknown,
    yes,
)

_WORKLOADS = {"Deployment", "StatefulSet"}

_STAGES = {
    Stage.SECRETS: ("CreatingSecrets", "drawing passwords"),
    Stage.FOUNDATIONS: ("PreparingFoundations", "making volumes, services and network policies"),
    Stage.DATA: ("StartingDataServices", "waiting for databases, broker and cache"),
    Stage.MIGRATION: ("Migrating", "bringing the databases to this release"),
    Stage.INGEST: ("LoadingDatasets", "loading data sets"),
    Stage.WORKLOADS: ("StartingWorkloads", "waiting for the web site and the workers"),
    Stage.ROUTES: ("OpeningRoutes", "waiting for the way in"),
    Stage.SMOKE: (NOT_SERVED, "looking at it as its users do"),
}
_AILING = frozenset({IMPAIRED, "PodsNotReady"})
"""Reasons of what is as the spec asks for, and does not do its work."""
_FAILURES = {Stage.MIGRATION: "MigrationFailed", Stage.INGEST: "IngestFailed"}


def first_sight(archive: Archive, now: datetime) -> ArchiveStatus:
    """What a new archive says before anything was done: nothing is known yet."""
    findings = [unknown(type_, "Pending", "seen, not looked into yet") for type_ in SUMMARY]
    return ArchiveStatus(conditions=merge((), findings, now, archive.metadata.generation))


def invalid(
    before: ArchiveStatus, error: InvalidSpec, applied: Applied, generation: int | None, now: datetime
) -> ArchiveStatus:
    """A spec that cannot be carried out: everything stays as it was but the owners, and the conditions say so.

    A failed write belongs to the pass that met it: an earlier one, perhaps of an object that is not tried any more, is
    dropped.
    """
    told = [no(READY, "InvalidSpec", str(error)), no(PROGRESSING, "InvalidSpec", "waiting for a valid spec")]
    if applied.failures:
        told.append(yes(DEGRADED, _unwritten(applied), "; ".join(map(str, applied.failures))))
    unchanged = {condition.type: condition for condition in before.conditions if condition.reason not in NOT_WRITTEN}
    known = {*unchanged, *(finding.type for finding in told)}
    told += [unknown(type_, "InvalidSpec", "waiting for a valid spec") for type_ in SUMMARY if type_ not in known]
    changed = {condition.type: condition for condition in merge(before.conditions, told, now, generation)}
    return before.model_copy(update={"conditions": _sorted({**unchanged, **changed}.values())})


def status(
    archive: Archive,
    desired: Desired,
    step: Step,
    applied: Applied,
    observed: Observed,
    now: datetime,
) -> ArchiveStatus:
    """The whole status; equal input at a later time gives an equal status, unless a condition changes."""
    before, generation, resources = archive.status, archive.metadata.generation, desired.resources
    troubles = Troubles(observed, step)
    components = tuple(_components(resources, observed, troubles))
    findings = [
        _ready(step, applied, observed, troubles),
        _served(observed),
        _progressing(step, applied, troubles),
        _degraded(step, applied, observed, troubles),
        _migrated(resources, observed, troubles),
        _datasets(resources, observed, troubles),
        *(_component(component) for component in components),
    ]
    return ArchiveStatus(
        conditions=merge(before.conditions, findings, now, generation),
        observed_generation=generation if step.complete and not applied.failures else before.observed_generation,
        release=archive.spec.release if step.released else before.release,
        # Before the Services are there, a NodePort's URL has no port to name.
        endpoints=before.endpoints if _homeless(step) else desired.endpoints,
        components=components,
    )


def _homeless(step: Step) -> bool:
    return any(item.part == "proxy" and item.stage is Stage.FOUNDATIONS for item in step.waiting)


class Troubles:
    """Why pods do not run, for components that are not ready: a pod that limps beside a ready component is no news."""

    def __init__(self, observed: Observed, step: Step) -> None:
        unready = {item.component for item in step.waiting}
        ailing = [pod for pod in observed.pods if pod.trouble and pod.component in unready]
        self.lack_images = any(pod.lacks_image for pod in ailing)
        self._found: dict[str, str] = {}
        for pod in sorted(ailing, key=lambda pod: not pod.lacks_image):
            self._found.setdefault(pod.component, pod.trouble)

    def of(self, component: str) -> str:
        """One line, empty when there is none."""
        return self._found.get(component, "")

    def all(self) -> list[str]:
        return [self._found[component] for component in sorted(self._found)]


def _ready(step: Step, applied: Applied, observed: Observed, troubles: Troubles) -> Finding:
    if step.complete:
        return yes(READY, "Ready", "serving, and all data sets are loaded")
    if applied.failures:
        return no(READY, _unwritten(applied), _first(applied))
    if step.failed:
        first = step.failed[0]
        return no(READY, _failure(first), _with(str(first), troubles.of(first.component)) + _remedy(first))
    if impaired := _impaired(step, observed, troubles):
        return no(READY, IMPAIRED, f"pages and queries are served, but {impaired}")
    return no(READY, *_doing(step, troubles))


def _served(observed: Observed) -> Finding:
    """Whether the application answers through the proxy."""
    if observed.look is None:
        return unknown(SERVED, "NotAsked", "nothing was asked of it yet")
    if observed.look.application:
        return no(SERVED, NOT_SERVED, f"the application does not answer: {observed.look.application}")
    return yes(SERVED, "Served", "the application answers through the proxy")


def _impaired(step: Step, observed: Observed, troubles: Troubles) -> str:
    """What ails an archive that serves all the same and is not being changed; empty when that is not how it is."""
    if observed.look is None or observed.look.application:
        return ""
    blocking = [item for item in step.waiting if item.blocks]
    if any(item.readiness.reason not in _AILING for item in blocking):
        return ""
    return "; ".join(_with(str(item), troubles.of(item.component)) for item in blocking)


def _progressing(step: Step, applied: Applied, troubles: Troubles) -> Finding:
    if step.paused:
        return no(PROGRESSING, "Paused", "spec.lifecycle.paused is set: nothing is changed")
    if step.complete:
        return no(PROGRESSING, "Complete", "")
    if applied.refused:
        return no(PROGRESSING, REFUSED, _first(applied))
    if applied.passing:
        return yes(PROGRESSING, WRITE_FAILED, f"trying again: {_first(applied)}")
    if len(step.failed) == len(step.waiting):
        return no(PROGRESSING, _failure(step.failed[0]), str(step.failed[0]))
    return yes(PROGRESSING, *_doing(step, troubles))


def _degraded(step: Step, applied: Applied, observed: Observed, troubles: Troubles) -> Finding:
    failures = [_with(str(item), troubles.of(item.component)) for item in step.failed]
    if applied.failures:
        return yes(DEGRADED, _unwritten(applied), "; ".join([*map(str, applied.failures), *failures]))
    if failures:
        return yes(DEGRADED, _failure(step.failed[0]), "; ".join(failures))
    if found := troubles.all():
        return yes(DEGRADED, "ImagesMissing" if troubles.lack_images else "PodsFailing", "; ".join(found))
    if impaired := _impaired(step, observed, troubles):
        return yes(DEGRADED, IMPAIRED, impaired)
    if step.stage is Stage.SMOKE and (unserved := [i for i in step.waiting if i.readiness.reason == NOT_SERVED]):
        return yes(DEGRADED, NOT_SERVED, str(unserved[0]))
    return no(DEGRADED, "AsExpected", "")


def _migrated(resources: Sequence[Resource], observed: Observed, troubles: Troubles) -> Finding:
    for resource in resources:
        if resource.stage is not Stage.MIGRATION or resource.kind != "Job":
            continue
        live = observed.children.get(resource.key)
        if live is None:
            return no(MIGRATED, "Waiting", "the migration has not started")
        if live.readiness.failed:
            message = _with(f"Job {live.key.name}: {live.readiness.message}", troubles.of(live.component))
            return no(MIGRATED, "MigrationFailed", message)
        if not live.readiness.ready:
            return no(
                MIGRATED,
                "Migrating",
                _with(f"Job {live.key.name}: {live.readiness.message}", troubles.of(live.component)),
            )
    return yes(MIGRATED, "Migrated", "")


def _datasets(resources: Sequence[Resource], observed: Observed, troubles: Troubles) -> Finding:
    """One Job a data set."""
    jobs = [resource for resource in resources if resource.stage is Stage.INGEST and resource.kind == "Job"]
    seen = [live for job in jobs if (live := observed.children.get(job.key)) is not None]
    count = f"{sum(live.readiness.ready for live in seen)} of {len(jobs)} data sets are loaded"
    for live in seen:
        if live.readiness.failed:
            trouble = _with(f"Job {live.key.name}: {live.readiness.message}", troubles.of(live.component))
            return no(DATASETS_LOADED, "IngestFailed", f"{count}; {trouble}")
    if all(live.readiness.ready for live in seen) and len(seen) == len(jobs):
        return yes(DATASETS_LOADED, "Loaded", count)
    return no(DATASETS_LOADED, "Loading" if seen else "Waiting", count)


def _components(resources: Sequence[Resource], observed: Observed, troubles: Troubles) -> Iterator[ComponentStatus]:
    """One a Deployment or StatefulSet. Ready means that it serves, be it in the old version."""
    for resource in sorted(resources, key=lambda resource: resource.component):
        if resource.kind not in _WORKLOADS:
            continue
        live = observed.children.get(resource.key)
        if live is None:
            yield ComponentStatus(name=resource.component, ready=False, message="not started")
            continue
        yield ComponentStatus(
            name=resource.component,
            ready=live.readiness.ready,
            replicas=live.replicas,
            ready_replicas=live.ready_replicas,
            message="" if live.readiness.ready else _with(live.readiness.message, troubles.of(resource.component)),
        )


def _component(component: ComponentStatus) -> Finding:
    type_ = component_type(component.name)
    if component.ready:
        return yes(type_, "Ready", "")
    return no(type_, "NotStarted" if component.replicas is None else "NotReady", component.message)


def _unwritten(applied: Applied) -> str:
    """The reason for failed writes: a refusal tells more than what may pass by itself."""
    return REFUSED if applied.refused else WRITE_FAILED


def _first(applied: Applied) -> str:
    """The failure that explains `_unwritten`."""
    return str(next(failure for failure in applied.failures if failure.passing != applied.refused))


def _failure(item: Waiting) -> str:
    return _FAILURES.get(item.stage, item.readiness.reason)


def _doing(step: Step, troubles: Troubles) -> tuple[str, str]:
    """Reason and message of an archive on its way: the first few of what the step waits for, those with a trouble
    before the others."""
    held = [item for item in step.waiting if item.stage == step.stage] or list(step.waiting)
    reason, doing = _STAGES[held[0].stage]
    if held[0].stage is Stage.SMOKE:
        reason = held[0].readiness.reason
    held.sort(key=lambda item: not troubles.of(item.component))
    names = "; ".join(_with(str(item), troubles.of(item.component)) for item in held[:3])
    more = f" and {len(held) - 3} more" if len(held) > 3 else ""
    return reason, f"{doing}: {names}{more}"


def _remedy(item: Waiting) -> str:
    """What is to be done about a failure, where it is always the same: nobody but its deletion ends a Job's failure."""
    if item.key.kind != "Job":
        return ""
    return f"; when the cause is gone: kubectl delete job {item.key.name} -n {item.key.namespace}, and it is made anew"


def _with(message: str, trouble: str) -> str:
    return f"{message} ({trouble})" if trouble else message


def _sorted(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(sorted(conditions, key=lambda condition: condition.type))
