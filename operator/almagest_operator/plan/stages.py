"""The roll-out as a state machine without a stored state: the stage is where the cluster says that it is.

A stage is open when everything in earlier ones that blocks is ready. What an open stage lacks is applied, whether it
was never there, differs from the spec, or was changed by another hand; what a later stage lacks has to wait. So an
operator killed at any point goes on from what exists, and one pass is one step: the events that its writes cause bring
the next.

A failed migration Job keeps MIGRATION from becoming ready: the workloads of the old release stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from almagest_operator.model.identity import COMPONENT
from almagest_operator.model.resource import GeneratedSecret, Manifest, Resource, ResourceKey, Stage
from almagest_operator.observe.kinds import kind_of
from almagest_operator.observe.live import Live
from almagest_operator.observe.readiness import DELETING, MISSING, RUNNING, Readiness, State
from almagest_operator.plan.configuration import in_use
from almagest_operator.plan.outcome import SETTLED, Outcome

Children = Mapping[ResourceKey, Live]

_CHANGING = Readiness(State.WAITING, "Applying", "a change is being applied")
_RESIZING = Readiness(State.WAITING, "Applying", "a change is being applied to the volume, which serves as it is")
_LAST = Stage.SMOKE


@dataclass(frozen=True)
class Waiting:
    """An object of the desired state that is not ready, and why."""

    key: ResourceKey
    component: str
    stage: Stage
    readiness: Readiness

    @property
    def blocks(self) -> bool:
        """Whether later stages wait for it: for no data set, and for no volume to grow, as its class may forbid it."""
        return self.stage.blocks and self.readiness != _RESIZING

    def __str__(self) -> str:
        return f"{self.key.kind} {self.key.name}: {self.readiness.message}"


@dataclass(frozen=True)
class Step:
    """One pass: what to write now, and what remains.

    stage: the first that holds up the next, SMOKE when none does. owners: patches to be sent first, because what they
    change may also be among the rest. secrets, resources, prune: to be made, applied and deleted now, disjoint, in any
    order. waiting: everything in open stages that is not ready.
    """

    stage: Stage = Stage.SECRETS
    owners: tuple[Manifest, ...] = ()
    secrets: tuple[GeneratedSecret, ...] = ()
    resources: tuple[Resource, ...] = ()
    prune: tuple[Live, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    paused: bool = False
    outcome: Outcome = SETTLED

    @property
    def complete(self) -> bool:
        """Everything that the spec asks for is there and ready; drift being healed does not count against it."""
        return self.stage is _LAST and not self.waiting

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
    owners: tuple[Manifest, ...] = (),
) -> Step:
    """The next step towards `resources` and `secrets`, given the archive's `children`; all its writes are needed."""
    waiting = [_secret_waiting(secret) for secret in secrets if not _has_all_keys(secret, children.get(secret.key))]
    for resource in resources:
        found = _readiness(resource, children.get(resource.key))
        if not found.ready:
            waiting.append(Waiting(resource.key, resource.component, resource.stage, found))
    stage = min((item.stage for item in waiting if item.blocks), default=_LAST)
    wanted = {resource.key for resource in resources} | {secret.key for secret in secrets}
    return Step(
        stage=stage,
        owners=owners,
        secrets=tuple(secret for secret in secrets if _secret_lacks(secret, children.get(secret.key))),
        resources=tuple(r for r in resources if r.stage <= stage and _needs_apply(r, children.get(r.key))),
        prune=tuple(sorted(_superfluous(children.values(), wanted, stage), key=lambda live: live.key)),
        waiting=tuple(item for item in waiting if item.stage <= stage),
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
    if _is_done(live) or _is_running(live) or live.render_hash == resource.render_hash:
        return live.readiness
    if resource.kind == "PersistentVolumeClaim":
        return _RESIZING if live.readiness.ready else live.readiness
    return _CHANGING


def _needs_apply(resource: Resource, live: Live | None) -> bool:
    if live is None:
        return True
    if live.terminating or _is_done(live) or _is_running(live):
        return False
    return live.render_hash != resource.render_hash or not live.holds(resource.manifest)


def _is_done(live: Live) -> bool:
    """A Job that succeeded: its name says what it did, so there is nothing to do again."""
    return live.key.kind == "Job" and live.readiness.ready


def _is_running(live: Live) -> bool:
    """A Job at work, perhaps for hours. Its name says what it does, so a change of its pod can wait for its end."""
    return live.key.kind == "Job" and live.readiness.reason == RUNNING


def _has_all_keys(secret: GeneratedSecret, live: Live | None) -> bool:
    return live is not None and not live.terminating and set(secret.keys) <= set(live.fingerprints)


def _secret_lacks(secret: GeneratedSecret, live: Live | None) -> bool:
    """Whether a value or a label is to be written; a Secret on its way out is waited for."""
    if live is None:
        return True
    if live.terminating:
        return False
    return not _has_all_keys(secret, live) or not live.holds(secret.manifest)


def _secret_waiting(secret: GeneratedSecret) -> Waiting:
    component = secret.manifest["metadata"]["labels"][COMPONENT]
    return Waiting(secret.key, component, Stage.SECRETS, MISSING)


def _superfluous(children: Collection[Live], wanted: set[ResourceKey], stage: Stage) -> Iterable[Live]:
    """What no spec asks for any more.

    Deleted only when the workloads of the new spec serve, except Jobs: a superseded migration must not run beside its
    successor, and once that has run, it does not say any more how the databases are.
    """
    wanted = wanted | in_use(children)
    for live in children:
        if live.key in wanted or live.terminating or not kind_of(live.key).prunable:
            continue
        if stage > Stage.WORKLOADS or live.key.kind == "Job":
            yield live
