"""The lease of the leader, in virtual time: what it does when the API server gives no answer, or one too late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from almagest_operator.apply.client import ApiError
from almagest_operator.leader import Leader, LostLeadError, Timing
from support import virtualtime

TIMING = Timing()


@dataclass
class Lease:
    """The API server as far as one Lease goes. delays: seconds until the n-th request is carried out, and again as many
    until its answer arrives; negative for a refusal; what comes after the last one hangs.

    written: when the lease was written, and by whom.
    """

    delays: list[float]
    lease: dict[str, Any] | None = None
    written: list[tuple[float, str]] = field(default_factory=list)

    async def get(self, *_: object) -> dict[str, Any]:
        await self._turn()
        found = self.lease
        await self._turn()
        if found is None:
            raise ApiError("get", 404, "NotFound", "")
        return {**found, "spec": dict(found["spec"])}

    async def replace(self, _kind: object, lease: dict[str, Any], _manager: str) -> dict[str, Any]:
        await self._turn()
        self.lease = lease
        self.written.append((asyncio.get_running_loop().time(), lease["spec"]["holderIdentity"]))
        await self._turn()
        return lease

    async def create(self, _kind: object, lease: dict[str, Any], _manager: str) -> dict[str, Any]:
        return await self.replace(_kind, lease, _manager)

    async def _turn(self) -> None:
        delay = self.delays.pop(0) if self.delays else 1e6
        await asyncio.sleep(abs(delay))
        if delay < 0:
            raise ApiError("lease", 500, "InternalError", "")


def end_of_lead(lease: Lease) -> float:
    """When a candidate that had taken the lease gave up its lead."""

    async def scenario() -> float:
        leader = Leader(lease, "almagest-system", "a")  # type: ignore[arg-type]  # the verbs that a Leader uses
        await leader.acquire()
        with pytest.raises(LostLeadError):
            await leader.hold()
        return asyncio.get_running_loop().time()

    return virtualtime.run(scenario())


def test_a_leader_without_an_answer_ends_at_its_deadline() -> None:
    lease = Lease([0, 0, 0, 0])
    assert end_of_lead(lease) == pytest.approx(TIMING.deadline)
    assert len(lease.written) == 1


def test_a_leader_counts_from_before_it_asked() -> None:
    """Its lease was written at 0 s and answered at 4 s: at 15 s another may lead, and at 10 s this one has ended."""
    assert end_of_lead(Lease([0, 0, 0, 4])) == pytest.approx(TIMING.deadline)


@given(delays=st.lists(st.one_of(st.floats(0, 20), st.floats(-3, -0.1)), max_size=30))
@settings(max_examples=300)
def test_no_leader_leads_when_its_lease_may_be_anothers(delays: list[float]) -> None:
    """Whatever the delays: the lead ends before a follower, who counts from when it sees the lease, may begin."""
    lease = Lease([0, 0, 0, 0, *delays])
    end = end_of_lead(lease)
    last = max(when for when, _ in lease.written)
    assert end <= max(last, lease.written[0][0]) + TIMING.deadline + 1e-6
    assert end < last + TIMING.lease


def test_a_lease_is_given_up_in_a_moment_or_left_to_end() -> None:
    async def scenario() -> float:
        leader = Leader(Lease([]), "almagest-system", "a")  # type: ignore[arg-type]  # the verbs that a Leader uses
        await leader.release()
        return asyncio.get_running_loop().time()

    assert virtualtime.run(scenario()) == pytest.approx(TIMING.retry)
