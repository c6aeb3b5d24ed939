"""`make down` for the bare machine: everything that `make up` made is gone, but for the cache.

Standard library only, and each step finds by itself what there is to do: it works after half a set-up too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from host import install, kubeconfig, leftovers, prepare, processes, supervision
from host.layout import Layout
from host.node import OWN, Node


def down(layout: Layout, *, purge: bool) -> Iterator[str]:
    """Take the cluster away, yielding what was done, in words. Raises HostError."""
    node = Node.of(layout)
    steps: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("kubeconfig context", lambda: kubeconfig.remove(node)),
        ("commands", lambda: install.remove_commands(layout)),
        ("processes", lambda: end_processes(node)),
        ("mounts", lambda: leftovers.remove_mounts(node)),
        ("bridges", lambda: leftovers.remove_links(node)),
        ("firewall rules", leftovers.remove_rules),
        ("address sets", leftovers.remove_sets),
        ("control groups", leftovers.remove_cgroups),
        ("stray files", lambda: leftovers.remove_strays(node)),
        ("state", lambda: remove_state(node)),
        ("cache", lambda: purge and remove_cache(layout)),
    )
    for name, step in steps:
        if step():
            yield name


def end_processes(node: Node) -> bool:
    """At once, supervisor and pods too: what they could still save is deleted next."""
    supervision.release()
    killed = processes.kill_everything(node.state)
    return supervision.forget() or bool(killed)


def remove_state(node: Node) -> bool:
    """What is ours in the state directory, and the directory when nothing else is in it and it is no disk."""
    prepare.restore_kernel(node)
    gone = [leftovers.remove_tree(node.state / name) for name in OWN]
    if node.state not in {mount.point for mount in leftovers.mounts()}:
        leftovers.remove_if_empty(node.state)
    return any(gone)


def remove_cache(layout: Layout) -> bool:
    """A build that was killed leaves mounts in buildah's storage."""
    leftovers.unmount(layout.cache / "images" / "storage", layout.cache / "images" / "run")
    return leftovers.remove_tree(layout.cache)
