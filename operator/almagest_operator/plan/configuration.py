"""Which ConfigMaps pods may still read: those are left alone, whatever the spec wants by now. Pure.

A ConfigMap is named by its content and never changes, so an old one stays beside its successor until no pod can be made
that reads it: no template names it, and no roll-out is under way, whose old pods would be made again where they die.
"""

from __future__ import annotations

from collections.abc import Collection

from almagest_operator.model.resource import ResourceKey
from almagest_operator.observe.live import Live

_ROLLED_OUT = {"Deployment", "StatefulSet"}


def in_use(children: Collection[Live]) -> frozenset[ResourceKey]:
    """The ConfigMaps among an archive's children that a pod reads, or may come to read."""
    maps = frozenset(live.key for live in children if live.key.kind == "ConfigMap")
    if any(live.key.kind in _ROLLED_OUT and not live.readiness.ready for live in children):
        return maps
    named = {name for live in children if not _is_over(live) for name in live.config_maps}
    return frozenset(key for key in maps if key.name in named)


def _is_over(live: Live) -> bool:
    """A Job that succeeded makes no more pods."""
    return live.key.kind == "Job" and live.readiness.ready
