"""What `make up` is about to do on this machine, and about how long that takes: said before it begins.

What is to be done follows from what the caches lack, how long it takes from how fast this machine is just now
(`yardstick`). Downloads are stated by their size, because nobody knows the network beforehand.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from host import compile as compiler
from host import prepare, venv
from host.errors import HostError
from host.layout import ROOT, Layout
from host.node import Node
from host.pace import in_words
from host.yardstick import Machine

KUBERNETES = 430.0
"""Core-seconds of the compile (host.yardstick)."""
IMAGES_AT_ONCE = 2
PYTHON_MB, GO_MB, IMAGES_MB = 180, 170, 310
"""What is downloaded for each, compressed."""


@dataclass(frozen=True)
class Task:
    """Something to do. work: in core-seconds; at_once: cores that it can use; beside: it shares them with others."""

    name: str
    work: float
    at_once: float = 1
    beside: bool = False
    megabytes: int = 0


@dataclass(frozen=True)
class Missing:
    """What the caches and the machine lack. images: name → work; running: the cluster is up."""

    python: bool
    kubernetes: bool
    images: Mapping[str, float]
    modules: bool
    packages: bool
    running: bool


def look(layout: Layout) -> Missing:
    """Ask the caches; reads, and changes nothing. Raises HostError."""
    command = [str(ROOT / "images" / "build"), "missing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"`images/build missing` failed: {done.stderr.strip()[-300:]}")
    kubernetes = not compiler.compiled(layout)
    images: dict[str, float] = json.loads(done.stdout)
    return Missing(
        python=venv.stamp(venv.packages(layout, "host")) != "complete" or not shutil.which("buildah"),
        kubernetes=kubernetes,
        images=images | ({"kubernetes": 10.0} if kubernetes else {}),
        modules=not (layout.go / "modules" / "cache").exists(),
        packages=not (layout.cache / "packages" / "pip").exists(),
        running=prepare.supervised(Node.of(layout)),
    )


def tasks(missing: Missing, verb: str, archive: str) -> Sequence[Task]:
    """In the order in which they are done. archive: its name and environment."""
    found = []
    if missing.python:
        found.append(Task("install Python and Debian packages", 30, megabytes=PYTHON_MB))
    if missing.kubernetes:
        size = GO_MB if missing.modules else 0
        found.append(Task("compile Kubernetes", KUBERNETES, float("inf"), beside=True, megabytes=size))
    if missing.images:
        names = list(missing.images)
        size = IMAGES_MB if missing.packages else 0
        what = f"build {len(names)} images" if len(names) > 3 else f"build {', '.join(names)}"
        found.append(Task(what, sum(missing.images.values()), IMAGES_AT_ONCE, beside=True, megabytes=size))
    elif verb == "images":
        found.append(Task("look at the images", 3))
    settled = missing.running and not missing.images
    if verb != "images":
        found.append(Task("look at the cluster", 5) if settled else Task("start the cluster", 35, 2))
    if verb == "up":
        idle = Task(f"look at the archive {archive}", 8)
        found.append(idle if settled else Task(f"run the archive {archive}", 60, 2))
    return found


def seconds(planned: Sequence[Task], machine: Machine) -> float:
    """Until all is done. What runs side by side shares the cores, and none of it ends before it could alone."""
    beside = [task for task in planned if task.beside]
    alone = [machine.seconds(task.work, task.at_once) for task in planned if not task.beside]
    shared = machine.seconds(sum(task.work for task in beside))
    return sum(alone) + max([shared, *(machine.seconds(task.work, task.at_once) for task in beside)])


def text(planned: Sequence[Task], machine: Machine) -> str:
    """For the person at the terminal."""
    cores = f"{machine.cores} core" + "s" * (machine.cores > 1)
    lines = [f"To be done on this machine, with {cores}:"]
    for task, following in zip(planned, [*planned[1:], None], strict=False):
        together = ", at the same time as" if following and task.beside and following.beside else ""
        lines.append(f"  {in_words(machine.seconds(task.work, task.at_once)):>6}  {task.name}{together}")
    size = sum(task.megabytes for task in planned)
    downloads = f", and {size} MB to download" if size else ""
    return "\n".join([*lines, f"About {in_words(seconds(planned, machine))} in all{downloads}."])
