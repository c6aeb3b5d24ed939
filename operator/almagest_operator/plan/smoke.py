"""The last stage, which has no objects: what the look behind the proxy found that no object's readiness says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from almagest_operator.model.resource import Resource, Stage
from almagest_operator.observe.look import Look
from almagest_operator.observe.readiness import Readiness, State
from almagest_operator.plan.waiting import IMPAIRED, NOT_SERVED, Waiting

_NOT_ASKED = Readiness(State.WAITING, "NotAsked", "nothing was asked of it yet")


def waiting(resources: Sequence[Resource], look: Look | None) -> Iterator[Waiting]:
    """One for each part that was found not to serve, on the Service at which it should."""
    services = {resource.part: resource for resource in resources if resource.kind == "Service"}
    if look is None:
        yield _waiting(services["proxy"], "proxy", _NOT_ASKED)
        return
    if look.application:
        message = f"the application does not answer through it: {look.application}"
        yield _waiting(services["proxy"], "proxy", Readiness(State.WAITING, NOT_SERVED, message))
    if look.wordpress:
        message = f"WordPress does not answer through it: {look.wordpress}"
        yield _waiting(services["proxy"], "wordpress", Readiness(State.WAITING, IMPAIRED, message))
    for part, reason in look.impaired.items():
        message = f"the application says of {part}: {reason}"
        yield _waiting(services.get(part, services["web"]), part, Readiness(State.WAITING, IMPAIRED, message))


def _waiting(service: Resource, part: str, found: Readiness) -> Waiting:
    """part: whose trouble it is."""
    return Waiting(service.key, part, part, Stage.SMOKE, found)
