"""`make down` for the bare machine: everything that `make up` made is gone, but for the cache.

Standard library only, and each step finds by itself what there is to do: it works after half a set-up too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from host import install, kubeconfig, leftovers, neighbours, prepare, processes, supervision
from host.errors import HostError
from host.layout import Layout
from host.neighbours import Surroundings
from host.node import OWN, Node


@dataclass(frozen=True)
class Ending:
    """How it ended. gone: what was taken away, in words; around: whose cluster was spared, if any."""

    gone: list[str]
    around: Surroundings


def down(layout: Layout, *, purge: bool) -> Ending:
    """Take the cluster away. Raises HostError, before anything is done when the state directory is not ours."""
    node = Node.of(layout)
    if found := list(prepare.claim_problems(node)):
        raise HostError(found[0])
    first = done(
        ("kubeconfig context", lambda: kubeconfig.remove(node)),
        ("commands", lambda: install.remove_commands(layout)),
        ("processes", lambda: end_processes(node)),
    )
    around = neighbours.look(node)
    cleared = list(leftovers.clear(node, around))
    last = done(
        ("state", lambda: remove_state(node, around)),
        ("cache", lambda: purge and remove_cache(layout)),
    )
    return Ending([*first, *cleared, *last], around)


def done(*steps: tuple[str, Callable[[], bool]]) -> list[str]:
    """Do each step; the names of those that had something to do."""
    return [name for name, step in steps if step()]


def end_processes(node: Node) -> bool:
    """At once, supervisor and pods too: what they could still save is deleted next."""
    supervision.release()
    killed = processes.kill_everything(node.state)
    return supervision.forget() or bool(killed)


def remove_state(node: Node, around: Surroundings) -> bool:
    """What is ours in the state directory, and the directory when nothing else is in it and it is no disk.

    The kernel keeps its settings where another cluster needs them. What proves that the directory is ours goes last.
    """
    if not around.other:
        prepare.restore_kernel(node)
    names = sorted(OWN, key=lambda name: name == node.memory.name)
    gone = [leftovers.remove_tree(node.state / name) for name in names]
    if node.state not in {mount.point for mount in leftovers.mounts()}:
        leftovers.remove_if_empty(node.state)
    return any(gone)


def remove_cache(layout: Layout) -> bool:
    """A build that was killed leaves mounts in buildah's storage."""
    leftovers.unmount(layout.cache / "images" / "storage", layout.cache / "images" / "run")
    return leftovers.remove_tree(layout.cache)
