"""What is built, in which order and from which state of Debian; one build at a time, nothing left of earlier ones."""

from __future__ import annotations

import fcntl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from builder import host, npm, rootfs
from builder.buildah import prune
from builder.construct import Built, clear_work, construct, find
from builder.errors import BuildError
from builder.layout import LOGS, STORE
from builder.recipe import PACKAGES, Recipe, content_hash, packages, recipes, takes_packages

LISTS_READ = STORE / "apt-updated"
LISTS_HOLD = 86400
"""Seconds after which Debian is asked again, when an image that takes packages is to be made."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def hashes(wanted: dict[str, Recipe]) -> dict[str, str]:
    """Content hash of every image, each over the hash of the one below."""
    found: dict[str, str] = {}
    for name, recipe in wanted.items():
        found[name] = content_hash(recipe, found[recipe.base] if recipe.base else "")
    return found


def cached(wanted: dict[str, Recipe]) -> dict[str, Built]:
    """Those of the images that the cache has as they are wanted."""
    required = hashes(wanted)
    return {name: built for name in wanted if (built := find(name, required[name]))}


def build(names: list[str], jobs: int) -> dict[str, Built]:
    """Build what is missing, at most `jobs` at a time, each as soon as its base is there.

    All images are made from one state of Debian's archive. One that takes packages is made from the newest state, so
    that its mirrors still have them, and then the base and everything on it are made anew too.
    """
    every = recipes()
    wanted = {name: every[name] for name in _with_bases(every, names)}
    done = cached(wanted)
    if len(done) == len(wanted):
        return done
    clear_work()
    mounts = host.prepare()
    npm.prepare(mounts)
    if any(takes_packages(recipe) for name, recipe in wanted.items() if name not in done) and choose_packages(mounts):
        done = cached(wanted)
    waiting = longest_first({name: recipe for name, recipe in wanted.items() if name not in done})
    total = sum(every[name].work for name in waiting)
    ready = 0.0
    with ThreadPoolExecutor(jobs) as pool:
        running: dict[Future[tuple[Built, float]], str] = {}
        while waiting or running:
            for name in [n for n in waiting if every[n].base is None or every[n].base in done][: jobs - len(running)]:
                waiting.remove(name)
                say(f"  building {name} … ({100 * ready / total:.0f} %)")
                base = done.get(every[name].base or "")
                running[pool.submit(_timed, every[name], base, mounts)] = name
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                done[name], took = future.result()
                ready += every[name].work
                say(f"  built {name} in {took:.0f} s, {done[name].size / 1e6:.0f} MB ({100 * ready / total:.0f} %)")
    return done


def longest_first(wanted: dict[str, Recipe]) -> list[str]:
    """The images in the order in which to begin: what most work stands on comes first, so that none is waited for."""

    def chain(name: str) -> float:
        """The work of the longest chain that begins with this image."""
        above = (other for other, recipe in wanted.items() if recipe.base == name)
        return wanted[name].work + max(map(chain, above), default=0.0)

    return sorted(wanted, key=chain, reverse=True)


def missing(names: list[str]) -> dict[str, float]:
    """What a build would make, with its work. What stands on a file that is still to be made is among it."""
    every = recipes()
    wanted = {name: every[name] for name in _with_bases(every, names)}
    whole = {name: recipe for name, recipe in wanted.items() if all(path.exists() for _, path in recipe.context())}
    done = cached(whole)
    return {name: recipe.work for name, recipe in wanted.items() if name not in done}


def _with_bases(every: dict[str, Recipe], names: list[str]) -> list[str]:
    if unknown := set(names) - set(every):
        raise BuildError(f"no such image: {', '.join(sorted(unknown))} (there are {', '.join(every)})")
    chosen = set(names or every)
    while below := {base for name in chosen if (base := every[name].base)} - chosen:
        chosen |= below
    return [name for name in every if name in chosen]


def _timed(recipe: Recipe, base: Built | None, mounts: Path) -> tuple[Built, float]:
    """The image, and the seconds that it took."""
    started = time.monotonic()
    return construct(recipe, base, mounts), time.monotonic() - started


def _update_apt(mounts: Path) -> None:
    """Package lists once a day for all images; the host's apt reads them, with the configuration that builds use."""
    if LISTS_READ.exists() and time.time() - LISTS_READ.stat().st_mtime < LISTS_HOLD and host.lists_hash():
        return
    if not host.mirrors()[1]:
        say(f"  no security archive in {host.APT}: the images get no security updates until it is named there")
    host.update_lists(mounts, LOGS / "apt.log")
    LISTS_READ.touch()


def choose_packages(mounts: Path) -> bool:
    """Have the images made from Debian's archive as it is; returns whether it is another than they are made from.

    All stand on the base, whose identity this is part of: where it differs, all are made again.
    """
    _update_apt(mounts)
    if (found := host.lists_hash()) == packages():
        return False
    rootfs.archive().unlink(missing_ok=True)
    host.forget_packages(mounts, LOGS / "apt.log")
    PACKAGES.write_text(found)
    return True


def refresh() -> None:
    """Ask Debian what it has today; where that is nothing newer, no image changes."""
    LISTS_READ.unlink(missing_ok=True)
    if not choose_packages(host.prepare()):
        say("  Debian has no newer packages")


def clean(built: dict[str, Built]) -> None:
    """Remove what superseded builds left: archives, records, file systems, and images in buildah's storage."""
    stale = [path for path in STORE.glob("rootfs-*.tar") if path != rootfs.archive()]
    for path in STORE.glob("*-*"):
        name, _, rest = path.name.rpartition("-")
        if name in built and path.is_file() and not rest.startswith(built[name].hash):
            stale.append(path)
    for path in stale:
        path.unlink()
    if stale:
        prune(LOGS / "prune.log", {image.tag for image in built.values()})


@contextmanager
def alone() -> Iterator[None]:
    """One builder at a time on this cache; a second one waits and says so. The lock goes with the process."""
    STORE.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    with (STORE / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  waiting for another build of images to end …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
