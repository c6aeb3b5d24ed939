"""The command line behind `make`: `ansible/setup VERB`."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from host import compile as compiler
from host import existing, frontend, outlook, playbook, preflight, venv, yardstick
from host.down import down
from host.errors import HostError
from host.layout import ROOT, Layout
from host.node import Node
from host.playbook import Choice
from host.progress import to_errors, to_terminal

DESCRIPTION = """Set up this machine for Almagest, or take it down again. Usually called by make."""
EPILOGUE = """
Where things lie: ALMAGEST_CACHE (~/.cache/almagest) has what can be made again, ALMAGEST_STATE (/var/lib/almagest) the
cluster and its data. Everything can be interrupted and run again. `make up ARCHIVE=… ENV=… CLUSTER=… REGISTRY=…` sets
the options below; docs/cluster.md explains them.
"""


def parser() -> argparse.ArgumentParser:
    """All verbs and options."""
    form = argparse.RawDescriptionHelpFormatter
    root = argparse.ArgumentParser("ansible/setup", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=form)
    root.add_argument(
        "--archive", default="gaia", help="the archive to run, a directory of environments/ (%(default)s)"
    )
    root.add_argument("--environment", default="dev", help="which of its environments (%(default)s)")
    root.add_argument(
        "--cluster",
        default="bare",
        choices=tuple(playbook.TOOLS),
        help="bare: build one here; existing: kubectl's current context; kind: in Docker (%(default)s)",
    )
    root.add_argument("--registry", default="", help="where to push the images, for CLUSTER=existing")
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("up", help="cluster, images, operator and archive, until a query is answered")
    verbs.add_parser("cluster", help="the cluster alone, with its images")
    verbs.add_parser("images", help="build the images, without a cluster")
    verbs.add_parser("programs", help="compile Kubernetes, nothing else")
    ending = verbs.add_parser("down", help="take away everything but the cache")
    ending.add_argument("--purge", action="store_true", help="the cache too")
    ending.add_argument("--yes", action="store_true", help="existing: delete the archive without asking")
    ending.add_argument("--delete-retained", action="store_true", help="existing: its retained volumes too")
    run = verbs.add_parser("exec", help="run a command in a virtual environment with this project installed")
    run.add_argument("--with", dest="kind", choices=venv.KINDS, default="dev", help="which packages (%(default)s)")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD…", help="the command and its arguments")
    front = verbs.add_parser("frontend", help="build app/frontend into the cache and say where, or run a script of it")
    front.add_argument(
        "script", nargs=argparse.REMAINDER, metavar="SCRIPT…", help="of its package.json: test, lint, types"
    )
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when all is well, 1 with one line on stderr for each reason when not."""
    asked = parser().parse_args(arguments)
    try:
        return obey(asked)
    except HostError as error:
        sys.stderr.write(f"{error}\n")
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"`{' '.join(map(str, error.cmd))}` ended with {error.returncode}: {error.stderr or ''}\n")
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted: run the same command again to go on from here.\n")
        return 130
    return 1


def obey(asked: argparse.Namespace) -> int:
    """Do what was asked; the exit code."""
    layout = Layout.here()
    choice = Choice(asked.archive, asked.environment, asked.cluster, asked.registry)
    match asked.verb:
        case "up" | "cluster" | "images":
            return set_up(layout, choice, asked.verb)
        case "programs":
            compiler.compile_kubernetes(layout, to_terminal)
            return 0
        case "down":
            return take_down(layout, choice, asked)
        case "frontend":
            return front_end(layout, asked.script)
        case _:
            return execute(layout, asked.kind, asked.command)


def set_up(layout: Layout, choice: Choice, verb: str) -> int:
    """Check everything first, then let Ansible do the work."""
    started = time.monotonic()
    if found := list(reasons_not_to(layout, choice, verb)):
        sys.stderr.write("".join(f"{reason}\n" for reason in found))
        return 1
    with only_one(layout):
        planned = outlook.tasks(outlook.look(layout), verb, f"{choice.archive}-{choice.environment}")
        to_terminal(outlook.text(planned, yardstick.measure()))
        with compiling(layout):
            environment = venv.ensure(layout, "host", to_terminal)
            code = playbook.play(layout, choice, environment, verb)
    if code == 0 and verb == "up":
        code = welcome(choice, environment)
    if code == 0:
        to_terminal(f"Done in {time.monotonic() - started:.0f} s.")
    return code


@contextmanager
def compiling(layout: Layout) -> Iterator[None]:
    """Compile Kubernetes meanwhile, from the very beginning: it takes longest, and needs nothing of what comes first.

    The role `images` waits for its end. When the set-up ends early, so does the compile, and goes on the next time.
    """
    if compiler.compiled(layout):
        yield
        return
    layout.log.mkdir(parents=True, exist_ok=True)
    with (layout.log / "compile.log").open("w") as log:
        command = [sys.executable, str(ROOT / "ansible" / "setup"), "programs"]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def reasons_not_to(layout: Layout, choice: Choice, verb: str) -> Iterator[str]:
    """What stands in the way, one line each."""
    overlay = ROOT / "environments" / choice.archive / choice.environment
    if verb == "up" and not overlay.is_dir():
        yield f"there is no {overlay.relative_to(ROOT)}: ARCHIVE and ENV name directories of environments/"
    elif verb == "up" and choice.cluster == "bare":
        yield from preflight.ingress_problems(overlay, Node.of(layout))
    if choice.cluster == "existing" and verb != "images" and not choice.registry:
        yield "CLUSTER=existing needs REGISTRY=<host/path> that the cluster can pull from, to push the images to"
    if verb != "images":
        yield from preflight.tool_problems(playbook.TOOLS[choice.cluster])
    yield from preflight.problems(layout, os.geteuid(), cluster=choice.cluster == "bare" and verb != "images")


def welcome(choice: Choice, environment: Path) -> int:
    """The last page: where everything is, and the answer to a real query."""
    where = [f"{choice.archive}-{choice.environment}", "--context", playbook.context(choice.cluster)]
    python, page = environment / "bin" / "python", ROOT / "ansible" / "welcome.py"
    command = [str(python), str(page), choice.archive, "--namespace", *where]
    return subprocess.run(command, env=venv.environment(environment), check=False).returncode


def take_down(layout: Layout, choice: Choice, asked: argparse.Namespace) -> int:
    match choice.cluster:
        case "existing":
            return leave(layout, choice, yes=asked.yes, retained=asked.delete_retained)
        case "kind":
            return playbook.play(layout, choice, venv.ensure(layout, "host", to_terminal), "down")
        case _:
            return end(layout, purge=asked.purge)


def leave(layout: Layout, choice: Choice, *, yes: bool, retained: bool) -> int:
    """Delete the archive from a cluster that is not ours, once somebody agreed to what will be lost."""
    place = existing.Place(playbook.context("existing"), f"{choice.archive}-{choice.environment}", choice.archive)
    found = existing.survey(place)
    to_terminal(existing.announcement(place, found, retained=retained))
    if not (yes or agrees()):
        raise HostError("nothing was deleted: `make down CLUSTER=existing YES=1` does it without asking")
    helm = venv.ensure(layout, "host", to_terminal) / "bin" / "helm"
    gone = list(existing.remove(place, found, helm, retained=retained))
    to_terminal(f"Gone: {', '.join(gone)}." if gone else "Nothing was there to take down.")
    return 0


def agrees() -> bool:
    """Only a person at a terminal can."""
    return sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() in {"y", "yes"}


def end(layout: Layout, *, purge: bool) -> int:
    """Take away this machine's own cluster."""
    if os.geteuid() != 0:
        raise HostError("`make down` ends the cluster of this machine and needs root: run it as root or with `sudo -E`")
    with only_one(layout):
        ending = down(layout, purge=purge)
    kept = "" if purge else f" The cache stays ({layout.cache}; `ansible/setup down --purge` removes it)."
    to_terminal(f"Gone: {', '.join(ending.gone)}.{kept}" if ending.gone else f"Nothing was there to take down.{kept}")
    if ending.around.other:
        to_terminal(f"Another cluster is on this machine, {ending.around.other}: what may be its own stays.")
    return 0


def front_end(layout: Layout, script: Sequence[str]) -> int:
    """Build it and print the directory, or run one of its scripts."""
    venv.ensure(layout, "dev", to_errors)
    if script:
        return frontend.run(layout, script, to_errors)
    to_terminal(str(frontend.build(layout, to_errors)))
    return 0


def execute(layout: Layout, kind: str, command: Sequence[str]) -> int:
    """Become the command; does not return when it starts."""
    words = [word for number, word in enumerate(command) if number or word != "--"]
    if not words:
        raise HostError("exec needs a command: ansible/setup exec --with dev -- CMD…")
    variables = venv.environment(venv.ensure(layout, kind, to_errors))
    try:
        os.execvpe(words[0], words, variables)  # noqa: S606  the caller's command is what this verb is for
    except OSError as error:
        raise HostError(f"{words[0]}: {error.strerror}") from error


@contextmanager
def only_one(layout: Layout) -> Iterator[None]:
    """Two set-ups of one machine at once would undo each other."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    with (layout.cache / ".setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HostError("another `make up` or `make down` is at work on this machine: wait for its end") from error
        yield
