"""`make down` for the bare machine: everything that `make up` made is gone, but for the cache.

Standard library only, and each step finds by itself what there is to do: it works after half a set-up too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from host import install, kubeconfig, leftovers, prepare, processes, supervision
from host.layout import Layout
from host.node import Node


def down(layout: Layout, *, purge: bool) -> Iterator[str]:
    """Take the cluster away, yielding what was done, in words. Raises HostError."""
    node = Node.of(layout)
    steps: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("kubeconfig context", lambda: kubeconfig.remove(node)),
        ("commands", lambda: install.remove_commands(layout)),
        ("processes", lambda: end_processes(node)),
        ("mounts", lambda: leftovers.unmount(layout.state)),
        ("bridges", lambda: leftovers.remove_links(node)),
        ("firewall rules", leftovers.remove_rules),
        ("address sets", leftovers.remove_sets),
        ("control groups", leftovers.remove_cgroups),
        ("stray files", lambda: leftovers.remove_strays(node)),
        ("state", lambda: remove_state(node)),
        ("cache", lambda: purge and leftovers.remove_tree(layout.cache)),
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
    if node.state.exists():
        prepare.restore_kernel(node)
    return leftovers.remove_tree(node.state)
