"""Carry out a step: all of its writes at once, ten at a time, each idempotent.

A write that comes too late or collides with another hand is no failure: the watch brings the new state, and the next
pass decides again. What the API server finds invalid is the archive's trouble, not the operator's: it is reported.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.apply.values import draw
from almagest_operator.model.resource import GeneratedSecret, Manifest, Resource, ResourceKey, key_of
from almagest_operator.observe.kinds import Kind, kind_of
from almagest_operator.observe.live import Live, project
from almagest_operator.plan.stages import Step
from almagest_operator.settings import FIELD_MANAGER

log = logging.getLogger(__name__)

CONCURRENCY = 10
SECRET_MANAGER = "almagest-operator-secrets"  # noqa: S105 a field manager, no secret
"""Owns the values of generated Secrets, so that applying a Secret's labels never takes a value away."""

_NOT_FOUND, _CONFLICT, _INVALID = 404, 409, 422
_ATTEMPTS = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Refusal:
    """An object that the API server will not have as it stands, with its reasons in one line."""

    key: ResourceKey
    reason: str

    def __str__(self) -> str:
        return f"{self.key.kind} {self.key.name}: {self.reason}"


@dataclass
class Applied:
    """What came of a step. written: answers of the API server; refused: what it found invalid or forbidden."""

    written: list[Live] = field(default_factory=list)
    deleted: list[Live] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass
class Engine:
    """`settled`: what an apply answered, by object: the render hash and the resourceVersion.

    An object whose managed fields never come to cover its manifest (an admission webhook takes a field away) is applied
    once for each version of it, not for ever.
    """

    client: Client
    settled: dict[ResourceKey, tuple[str, str]] = field(default_factory=dict)

    async def carry_out(self, step: Step, children: dict[ResourceKey, Live]) -> Applied:
        """Make, apply and delete what the step says. Raises ApiError when the server is out of order."""
        applied = Applied()
        await _together([self._owner(patch, applied) for patch in step.owners])
        await _together(
            [
                *(self._secret(secret, children.get(secret.key), applied) for secret in step.secrets),
                *(self._resource(resource, children.get(resource.key), applied) for resource in step.resources),
                *(self._prune(live, applied) for live in step.prune),
            ]
        )
        return applied

    async def _owner(self, patch: Manifest, applied: Applied) -> None:
        """One that was deleted meanwhile, or made anew, is not the one that was seen: the next pass looks at it."""
        key = key_of(patch)
        try:
            answer = await self.client.merge_lists(kind_of(key), patch, FIELD_MANAGER)
        except ApiError as error:
            if error.status != _CONFLICT and not _is_gone(error):
                _note(error, key, applied)
            return
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
            _note(error, resource.key, applied)
            return
        self._answered(answer, applied)
        self.settled[resource.key] = (resource.render_hash, answer["metadata"]["resourceVersion"])

    async def _secret(self, secret: GeneratedSecret, live: Live | None, applied: Applied) -> None:
        """Values first, under their own manager and never over an existing one; then labels and owner.

        A Secret that a person made beforehand is not in the index before it has our labels: it gets those, and in the
        next pass the keys that it lacks.
        """
        kind = kind_of(secret.key)
        try:
            if live is None:
                await self._create(kind, {**secret.manifest, "data": draw(secret.keys)})
            elif missing := draw(secret.keys, live.fingerprints):
                await self.client.merge(kind, _addition(secret, live, missing), SECRET_MANAGER)
            answer = await _retrying(lambda: self.client.apply(kind, secret.manifest, FIELD_MANAGER))
        except ApiError as error:
            if error.status != _CONFLICT:  # somebody changed it meanwhile: look at theirs before drawing
                _note(error, secret.key, applied)
            return
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


async def _together(writes: Sequence[Coroutine[Any, Any, None]]) -> None:
    """All at once, ten at a time. When several fail, one is enough to come again, with a plain trace."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(write: Coroutine[Any, Any, None]) -> None:
        async with slots:
            await write

    try:
        async with asyncio.TaskGroup() as tasks:
            for write in writes:
                tasks.create_task(one(write))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


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


def _is_gone(error: ApiError) -> bool:
    """Whether there is no object of that name any more, or another one than the uid in the patch says."""
    return error.status == _NOT_FOUND or (error.status == _INVALID and "metadata.uid" in error.causes)


def _note(error: ApiError, key: ResourceKey, applied: Applied) -> None:
    """A refusal that only a changed spec or right can mend is reported; anything else ends the pass and backs off."""
    if error.status not in {400, 403, _INVALID}:
        raise error
    log.warning("refused %s: %s", key, error.message)
    causes = "; ".join(f"{name}: {message}" for name, message in error.causes.items())
    applied.refused.append(Refusal(key, causes or error.message))
