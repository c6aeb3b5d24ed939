"""Leader election by a Lease, for operators with more than one replica.

The figures are those of controller-runtime: a lease lasts 15 s, is renewed every 2 s, and a leader that could not renew
it for 10 s stops, be it that the API server refuses, is away, or does not answer. A follower counts the 15 s on its own
monotonic clock from the moment it saw the lease change, so clocks that disagree do no harm. A leader counts its 10 s
from before it asked for the renewal that succeeded last, because it cannot know when the server wrote it down. Every
renewal is a write to the API server: a single replica goes without.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.model.identity import FIELD_MANAGER, OPERATOR
from almagest_operator.model.resource import Manifest
from almagest_operator.observe.kinds import Kind

log = logging.getLogger(__name__)

LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
NAME = OPERATOR


class LostLeadError(Exception):
    """The lease could not be renewed in time: another replica may lead by now, so this one has to end at once."""


@dataclass(frozen=True)
class Timing:
    """Seconds."""

    lease: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


@dataclass
class Leader:
    """One candidate. `await acquire()`, then `await hold()` beside the work, and `await release()` at the end."""

    client: Client
    namespace: str
    identity: str
    timing: Timing = Timing()
    clock: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)

    def __post_init__(self) -> None:
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = self._renewed = self.clock()

    async def acquire(self) -> None:
        """Wait until this candidate leads."""
        while not await self._tried_by(self.clock() + self.timing.deadline):  # noqa: ASYNC110 another process gives it up, no event of ours
            await asyncio.sleep(self.timing.retry)
        log.info("leading as %s", self.identity)

    async def hold(self) -> None:
        """Renew the lease for ever. Raises LostLeadError; never returns."""
        while True:
            end = self._renewed + self.timing.deadline
            await asyncio.sleep(min(self.timing.retry, max(end - self.clock(), 0)))
            if not await self._tried_by(end) and (self.clock() >= end or self._seen[0] != self.identity):
                raise LostLeadError(f"{self.identity} could not renew the lease {self.namespace}/{NAME}")

    async def release(self) -> None:
        """Give the lease up, so that the next leader need not wait for its end."""
        try:
            async with asyncio.timeout(self.timing.retry):
                lease = await self.client.get(LEASE, NAME, self.namespace)
                if lease["spec"].get("holderIdentity") == self.identity:
                    lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
                    await self.client.replace(LEASE, lease, FIELD_MANAGER)
        except (ApiError, TimeoutError) as error:
            log.warning("the lease was not given up, it ends by itself: %r", error)

    async def _tried_by(self, end: float) -> bool:
        """`_try`, and False if the server has not answered at that time of the clock."""
        began = self.clock()
        try:
            async with asyncio.timeout(end - began):
                tried = await self._try()
        except TimeoutError:
            log.warning("lease: no answer within %.1f s", end - began)
            return False
        if tried:
            self._renewed = began
        return tried

    async def _try(self) -> bool:
        """Take or renew the lease by compare-and-set; False when another one holds it or the server does not answer."""
        try:
            lease = await self.client.get(LEASE, NAME, self.namespace)
        except ApiError as error:
            return await self._create() if error.status == 404 else _failed(error)
        if not self._may_take(lease["spec"]):
            return False
        try:
            await self.client.replace(LEASE, self._claim(lease), FIELD_MANAGER)
        except ApiError as error:
            return _failed(error)
        self._observe(lease["spec"])
        return True

    async def _create(self) -> bool:
        metadata = {"name": NAME, "namespace": self.namespace}
        lease = self._claim({"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": {}})
        try:
            await self.client.create(LEASE, lease, FIELD_MANAGER)
        except ApiError as error:
            return _failed(error)
        self._observe(lease["spec"])
        return True

    def _may_take(self, spec: dict[str, Any]) -> bool:
        self._observe(spec)
        holder = self._seen[0]
        return holder in {"", self.identity} or self.clock() - self._seen_at >= self.timing.lease

    def _observe(self, spec: dict[str, Any]) -> None:
        seen = (spec.get("holderIdentity") or "", spec.get("renewTime") or "")
        if seen != self._seen:
            self._seen, self._seen_at = seen, self.clock()

    def _claim(self, lease: Manifest) -> Manifest:
        """The lease in this candidate's hand, renewed now."""
        spec, now = lease["spec"], _now()
        mine = spec.get("holderIdentity") == self.identity
        spec |= {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self.timing.lease),
            "acquireTime": spec["acquireTime"] if mine else now,
            "renewTime": now,
            "leaseTransitions": spec.get("leaseTransitions", 0) + (0 if mine else 1),
        }
        return lease


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _failed(error: ApiError) -> bool:
    log.log(logging.DEBUG if error.status == 409 else logging.WARNING, "lease: %s", error)
    return False
