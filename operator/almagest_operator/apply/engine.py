"""Carry out a step: all of its writes at once, ten at a time, each idempotent.

A write for an object that is gone, or that another hand made anew, is no failure: the watch brings the new state, and
the next pass decides again. Every other write that the API server does not carry out is a `Failure` beside those that
it does: one object in trouble must neither hold up nor hide the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.apply.values import draw
from almagest_operator.model.identity import FIELD_MANAGER, SECRET_MANAGER
from almagest_operator.model.resource import GeneratedSecret, Manifest, Resource, ResourceKey, key_of
from almagest_operator.observe.kinds import Kind, kind_of
from almagest_operator.observe.live import Live, project
from almagest_operator.plan.stages import Step

log = logging.getLogger(__name__)

CONCURRENCY = 10

_CONFLICT, _INVALID = 409, 422
_REFUSED = {400, 401, 403, 405, 413, _INVALID}
_ATTEMPTS = 3

T = TypeVar("T")


@dataclass(frozen=True, order=True)
class Failure:
    """A write that the API server did not carry out.

    reason: the server's, in one line; passing: whether the same write may succeed later, as it is the server that is
    in trouble, and not the object that is refused.
    """

    key: ResourceKey
    reason: str
    passing: bool = False

    @classmethod
    def of(cls, key: ResourceKey, error: ApiError) -> Failure:
        passing = error.status not in _REFUSED
        causes = "; ".join(f"{name}: {message}" for name, message in error.causes.items())
        reason = " ".join((causes or error.message or error.reason).split())
        return cls(key, f"{reason} ({error.status or 'no answer'})" if passing else reason, passing)

    def __str__(self) -> str:
        return f"{self.key.kind} {self.key.name}: {self.reason}"


@dataclass
class Applied:
    """What came of a step. written: answers of the API server; failures: sorted, whatever the order of the answers."""

    written: list[Live] = field(default_factory=list)
    deleted: list[Live] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether there is a failure that only a changed spec, right or cluster mends."""
        return any(not failure.passing for failure in self.failures)

    @property
    def passing(self) -> bool:
        """Whether there is a failure that may pass by itself."""
        return any(failure.passing for failure in self.failures)


@dataclass
class Engine:
    """`settled`: object → the render hash that was applied last, and the resourceVersion that was answered.

    An object whose managed fields never come to cover its manifest (an admission webhook takes a field away) is applied
    once for each version of it, not for ever.
    """

    client: Client
    settled: dict[ResourceKey, tuple[str, str]] = field(default_factory=dict)

    async def carry_out(self, step: Step, children: dict[ResourceKey, Live]) -> Applied:
        """Make, apply and delete what the step says."""
        applied, slots = Applied(), asyncio.Semaphore(CONCURRENCY)

        async def attempt(key: ResourceKey, write: Callable[..., Awaitable[None]], *arguments: object) -> None:
            async with slots:
                try:
                    await write(*arguments, applied)
                except ApiError as error:
                    log.warning("not carried out: %s", error)
                    applied.failures.append(Failure.of(key, error))

        async with asyncio.TaskGroup() as first:
            for patch in step.owners:
                first.create_task(attempt(key_of(patch), self._owner, patch))
        async with asyncio.TaskGroup() as rest:
            for secret in step.secrets:
                rest.create_task(attempt(secret.key, self._secret, secret, children.get(secret.key)))
            for resource in step.resources:
                rest.create_task(attempt(resource.key, self._resource, resource, children.get(resource.key)))
            for live in step.prune:
                rest.create_task(attempt(live.key, self._prune, live))
        applied.failures.sort()
        return applied

    async def _owner(self, patch: Manifest, applied: Applied) -> None:
        """Leave an object alone that was deleted or made anew since it was seen: the next pass looks at it."""
        try:
            answer = await self.client.merge_lists(kind_of(key_of(patch)), patch, FIELD_MANAGER)
        except ApiError as error:
            if error.status == _INVALID and "metadata.uid" in error.causes:
                return
            if error.status == 404 and error.reason == "NotFound":
                return
            raise
        self._answered(answer, applied)

    async def _resource(self, resource: Resource, live: Live | None, applied: Applied) -> None:
        seen = live.resource_version if live else ""
        if self.settled.get(resource.key) == (resource.render_hash, seen):
            return
        kind = kind_of(resource.key)
        try:
            answer = await _retrying(lambda: self.client.apply(kind, resource.manifest, FIELD_MANAGER))
        except ApiError as error:
            if error.status == _INVALID and kind.replaceable and live is not None:
                log.info("replacing %s: %s", resource.key, error.message)
                await self._delete(kind, live)
                return
            raise
        self._answered(answer, applied)
        self.settled[resource.key] = (resource.render_hash, answer["metadata"]["resourceVersion"])

    async def _secret(self, secret: GeneratedSecret, live: Live | None, applied: Applied) -> None:
        """Values first, under their own manager and never over an existing one; then labels and owner.

        A Secret that a person made beforehand is not in the index before it has our labels: it gets those, and in the
        next pass the keys that it lacks.
        """
        kind = kind_of(secret.key)
        if live is None:
            await self._create(kind, {**secret.manifest, "data": draw(secret.keys)})
        elif missing := draw(secret.keys, live.fingerprints):
            await self.client.merge(kind, _addition(secret, live, missing), SECRET_MANAGER)
        answer = await _retrying(lambda: self.client.apply(kind, secret.manifest, FIELD_MANAGER))
        self._answered(answer, applied)

    async def _create(self, kind: Kind, manifest: Manifest) -> None:
        try:
            await self.client.create(kind, manifest, SECRET_MANAGER)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    async def _prune(self, live: Live, applied: Applied) -> None:
        await self._delete(kind_of(live.key), live)
        applied.deleted.append(live)

    async def _delete(self, kind: Kind, live: Live) -> None:
        log.info("deleting %s", live.key)
        await self.client.delete(kind, live.key.name, live.key.namespace, live.uid)
        self.settled.pop(live.key, None)

    def _answered(self, answer: Manifest, applied: Applied) -> None:
        live = project(answer)
        log.info("applied %s", live.key, extra={"resource_version": live.resource_version})
        applied.written.append(live)


def _addition(secret: GeneratedSecret, live: Live, values: dict[str, str]) -> Manifest:
    """A patch that adds values to exactly the version that was seen to lack them."""
    metadata = {"name": secret.name, "namespace": secret.key.namespace, "resourceVersion": live.resource_version}
    return {"apiVersion": secret.key.api_version, "kind": secret.key.kind, "metadata": metadata, "data": values}


async def _retrying(attempt: Callable[[], Awaitable[T]]) -> T:
    """Again, when another writer came between the server's read and its write; the third time it is an error."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await attempt()
        except ApiError as error:
            if error.status != _CONFLICT:
                raise
    return await attempt()
