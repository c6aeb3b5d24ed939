"""The roll-out as a state machine without a stored state: each object is where the cluster says that it is.

An object is open when nothing that it depends on is waited for (`plan.gates`). What an open one lacks is applied,
whether it was never there, differs from the spec, or was changed by another hand; the others have to wait. So an
operator killed at any point goes on from what exists, and one pass is one step: the events that its writes cause bring
the next.

A failed migration Job never becomes ready: the workloads of the old release stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from almagest_operator.desired import graph
from almagest_operator.desired.connections import INGESTS_AT_ONCE
from almagest_operator.model.resource import GeneratedSecret, Manifest, Resource, ResourceKey, Stage
from almagest_operator.observe.kinds import kind_of
from almagest_operator.observe.live import COMPONENT, PART, Live
from almagest_operator.observe.look import Look
from almagest_operator.observe.readiness import DELETING, MISSING, Readiness, State
from almagest_operator.plan import gates, smoke
from almagest_operator.plan.outcome import SETTLED, Outcome
from almagest_operator.plan.waiting import RESIZING, Waiting

Children = Mapping[ResourceKey, Live]

_CHANGING = Readiness(State.WAITING, "Applying", "a change is being applied")
_RESIZING = Readiness(State.WAITING, RESIZING, "a change is being applied to the volume, which serves as it is")


@dataclass(frozen=True)
class Step:
    """One pass: what to write now, and what remains.

    owners: patches to be sent first, because what they change may also be among the rest. secrets, resources, prune: to
    be made, applied and deleted now, disjoint, in any order. waiting: everything that is not ready and open; held: what
    is not ready and waits for some of that.
    """

    owners: tuple[Manifest, ...] = ()
    secrets: tuple[GeneratedSecret, ...] = ()
    resources: tuple[Resource, ...] = ()
    prune: tuple[Live, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    held: tuple[Waiting, ...] = ()
    paused: bool = False
    outcome: Outcome = SETTLED

    @property
    def stage(self) -> Stage:
        """The first that something else waits for, SMOKE when nothing does."""
        return min((item.stage for item in self.waiting if item.blocks), default=Stage.SMOKE)

    @property
    def complete(self) -> bool:
        """Everything that the spec asks for is there and ready; drift being healed does not count against it."""
        return not self.waiting

    @property
    def released(self) -> bool:
        """Whether all that serves the site is of the release that the spec wants."""
        return not any(
            item.part in graph.SITE and item.stage <= Stage.WORKLOADS for item in (*self.waiting, *self.held)
        )

    @property
    def writes(self) -> bool:
        """Whether the cluster's children are to be changed."""
        return bool(self.owners or self.secrets or self.resources or self.prune)

    @property
    def failed(self) -> tuple[Waiting, ...]:
        """What will not become ready by waiting."""
        return tuple(item for item in self.waiting if item.readiness.failed)


def plan(
    resources: Sequence[Resource],
    secrets: Sequence[GeneratedSecret],
    children: Children,
    look: Look | None,
    owners: tuple[Manifest, ...] = (),
) -> Step:
    """The next step towards `resources` and `secrets`, given the archive's `children`; all its writes are needed.

    look: what was found behind the proxy.
    """
    found = {resource.key: _readiness(resource, children.get(resource.key)) for resource in resources}
    unready = [_secret_waiting(secret) for secret in secrets if not _has_all_keys(secret, children.get(secret.key))]
    unready += [_waiting(resource, found[resource.key]) for resource in resources if not found[resource.key].ready]
    unready += smoke.waiting(resources, look)
    shut = {r.key for r in resources if any(gates.holds(item, r) for item in unready)}
    shut |= set(_in_line(unready, children))
    wanted = {resource.key for resource in resources} | {secret.key for secret in secrets}
    return Step(
        owners=owners,
        secrets=tuple(secret for secret in secrets if _secret_lacks(secret, children.get(secret.key))),
        resources=tuple(r for r in resources if r.key not in shut and _needs_apply(r, children.get(r.key))),
        prune=tuple(sorted(_superfluous(children.values(), wanted, unready), key=lambda live: live.key)),
        waiting=tuple(item for item in unready if item.key not in shut),
        held=tuple(item for item in unready if item.key in shut),
    )


def rest(step: Step) -> Step:
    """The same view of things, with no write but of owners: what `spec.lifecycle.paused` asks for."""
    return replace(step, secrets=(), resources=(), prune=(), paused=True)


def _readiness(resource: Resource, live: Live | None) -> Readiness:
    """Readiness of what is wanted: an old version that runs well does not count, unless it is a volume."""
    if live is None:
        return MISSING
    if live.terminating:
        return DELETING
    if _is_done(live) or live.render_hash == resource.render_hash:
        return live.readiness
    if resource.kind == "PersistentVolumeClaim":
        return _RESIZING if live.readiness.ready else live.readiness
    return _CHANGING


def _needs_apply(resource: Resource, live: Live | None) -> bool:
    if live is None:
        return True
    if live.terminating or _is_done(live):
        return False
    return live.render_hash != resource.render_hash or not live.holds(resource.manifest)


def _is_done(live: Live) -> bool:
    """A Job that succeeded: its name says what it did, so there is nothing to do again."""
    return live.key.kind == "Job" and live.readiness.ready


def _has_all_keys(secret: GeneratedSecret, live: Live | None) -> bool:
    return live is not None and not live.terminating and set(secret.keys) <= set(live.fingerprints)


def _secret_lacks(secret: GeneratedSecret, live: Live | None) -> bool:
    """Whether a value or a label is to be written; a Secret on its way out is waited for."""
    if live is None:
        return True
    if live.terminating:
        return False
    return not _has_all_keys(secret, live) or not live.holds(secret.manifest)


def _in_line(unready: Iterable[Waiting], children: Children) -> list[ResourceKey]:
    """The data sets whose turn has not come: those that are being loaded come first, then by name."""
    loads = [item for item in unready if item.stage is Stage.INGEST and not item.readiness.failed]
    loads.sort(key=lambda item: (item.key not in children, item.key))
    return [item.key for item in loads[INGESTS_AT_ONCE:]]


def _waiting(resource: Resource, found: Readiness) -> Waiting:
    return Waiting(resource.key, resource.component, resource.part, resource.stage, found)


def _secret_waiting(secret: GeneratedSecret) -> Waiting:
    labels = secret.manifest["metadata"]["labels"]
    return Waiting(secret.key, labels[COMPONENT], labels[PART], Stage.SECRETS, MISSING)


def _superfluous(children: Iterable[Live], wanted: set[ResourceKey], unready: list[Waiting]) -> Iterable[Live]:
    """What no spec asks for any more.

    Deleted only when whoever may still use it is of the new spec and serves, except Jobs: a superseded migration must
    not run beside its successor, and once that has run, it does not say any more how the databases are.
    """
    for live in children:
        if live.key in wanted or live.terminating or not kind_of(live.key).prunable:
            continue
        if live.key.kind == "Job" or not any(gates.keeps(item, live) for item in unready):
            yield live
