"""Run the whole suite and say at the end what ran, what failed, and what was skipped and why.

`python tests/run.py [STAGE…]`, by default all. Stages that do not need each other run at the same time, since most of
them wait more than they compute; each line of their output carries the stage's name, and `tests/output/<stage>.log` has
it alone. A stage that fails does not stop those that need nothing from it; the exit code is 1 when anything failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "tests/output"
# What was found in one clone holds in the next: mypy knows files by their content.
MYPY = ("mypy", "--cache-dir", str(Path(os.environ.get("ALMAGEST_CACHE", Path.home() / ".cache/almagest")) / "mypy"))
_speaking = threading.Lock()
_begin = time.monotonic()


@dataclass(frozen=True)
class Stage:
    """A named step and its commands, in order.

    needs: stages that must have succeeded, when they run too; after: stages that must have ended, however.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass
class Result:
    """How a stage ended: when it began and how long it took [s], exit code, passed tests, failed and skipped with why.

    A code of None says that it did not run.
    """

    stage: str
    began: float = 0.0
    seconds: float = 0.0
    code: int | None = None
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def pytest(name: str, *options: str) -> tuple[str, ...]:
    return ("pytest", "--junit-xml", str(OUTPUT / f"{name}.xml"), "--durations=8", *options)


def integration(part: str, *needs: str, after: tuple[str, ...] = ()) -> Stage:
    """Each part has servers of its own, so that all can run side by side."""
    name = f"integration-{part}"
    return Stage(name, (pytest(name, "-m", "integration", f"tests/integration/{part}"),), needs=needs, after=after)


# Where there are fewer places than stages, the first ones begin.
PREPARED = (
    Stage("images", (("ansible/setup", "images"),)),
    Stage("tools", ((sys.executable, "tests/tools.py"),), needs=("images",)),
    Stage("cluster", (("ansible/setup", "cluster"),), needs=("images",), after=("tools",)),
)
IN_THE_CLUSTER = (
    # These two wait most of their minutes.
    integration("crashes", "cluster"),
    integration("jobs", "cluster"),
    integration("app", "cluster", "tools", "frontend"),
    integration("access", "cluster"),
    Stage(
        "conformance", (pytest("conformance", "-m", "integration", "tests/conformance"),), needs=("cluster", "tools")
    ),
    integration("ingest", "cluster"),
)
# Begins and ends with `make down`: nothing else may need the cluster then.
E2E = Stage(
    "e2e",
    (pytest("e2e", "-m", "e2e", "-x", "tests/e2e"),),
    needs=("tools", "cluster"),
    after=tuple(stage.name for stage in (*PREPARED, *IN_THE_CLUSTER)),
)
OUTSIDE_IT = (
    Stage(
        "types",
        (
            (*MYPY, "app/almagest", "operator/almagest_operator"),
            (*MYPY, "tests", "ansible/host", "images/builder"),
            ("ansible/setup", "frontend", "types"),
        ),
    ),
    Stage(
        "lint",
        (
            ("ruff", "check", "."),
            ("ruff", "format", "--check", "."),
            ("lint-imports",),
            ("deptry", "app", "operator"),
            ("yamllint", "--strict", "."),
            ("env", "--chdir=ansible", "ansible-lint", "--offline", "--nocolor"),
            (sys.executable, "tests/house.py"),
            ("ansible/setup", "frontend", "lint"),
        ),
    ),
    Stage("frontend", (("ansible/setup", "frontend", "test"), ("ansible/setup", "frontend"))),
    # Servers without a cluster, or with an API server of their own. What e2e waits for takes the places first.
    integration("operator", "images", after=("cluster",)),
    integration("images", "images", after=("cluster",)),
    # It computes all the time, which e2e does not in its second half.
    Stage(
        "unit",
        (pytest("unit", "-m", "not integration and not e2e", "tests/unit"),),
        after=("integration-operator",),
    ),
)
STAGES = (*PREPARED, *IN_THE_CLUSTER, E2E, *OUTSIDE_IT)


def run_all(stages: Sequence[Stage], jobs: int) -> list[Result]:
    """Run stages, at most `jobs` at a time, each as soon as those before it have ended; in the order of `stages`."""
    names = {stage.name for stage in stages}
    done: dict[str, Result] = {}
    waiting = list(stages)
    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            ready = [stage for stage in waiting if {*stage.needs, *stage.after} & names <= done.keys()]
            for stage in ready[: jobs - len(running)]:
                waiting.remove(stage)
                running.add(pool.submit(run, stage, done))
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            done |= {result.stage: result for result in (future.result() for future in ended)}
    return [done[stage.name] for stage in stages]


def run(stage: Stage, done: Mapping[str, Result]) -> Result:
    """Run a stage's commands; all of them, so that one lint finding does not hide the next."""
    result = Result(stage.name)
    missing = [name for name in stage.needs if name in done and done[name].code != 0]
    if missing:
        result.skipped.append(f"stage {stage.name}: {', '.join(missing)} failed")
        return result
    started = time.monotonic()
    result.began = started - _begin
    with (OUTPUT / f"{stage.name}.log").open("w") as log:
        codes = [follow(stage.name, command, log.write) for command in stage.commands]
    result.code = int(any(codes))
    result.seconds = time.monotonic() - started
    count(result)
    say(stage.name, f"{'failed' if result.code else 'ok'} after {result.seconds:.0f} s")
    return result


def follow(name: str, command: Sequence[str], keep: Callable[[str], object]) -> int:
    """Run one command, pass its lines on as they come; returns its exit code."""
    say(name, f"$ {' '.join(command)}")
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            keep(line)
            say(name, line.rstrip("\n"))
    return process.returncode


def say(stage: str, line: str) -> None:
    with _speaking:
        sys.stdout.write(f"{stage:<20} │ {line}\n")
        sys.stdout.flush()


def count(result: Result) -> None:
    """Read pytest's own account of the stage, where it wrote one."""
    report = OUTPUT / f"{result.stage}.xml"
    if not report.exists():
        return
    for case in ET.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip, failure = case.find("skipped"), case.find("failure")
        if failure is None:
            failure = case.find("error")
        if skip is not None:
            result.skipped.append(f"{name}: {skip.get('message')}")
        elif failure is not None:
            result.failed.append(f"{name}: {(failure.get('message') or '').partition(chr(10))[0]}")
        else:
            result.passed += 1


def summary(results: Sequence[Result]) -> str:
    lines = ["", "stage                  result    from [s]   for [s]   passed   failed   skipped"]
    for r in results:
        word = "not run" if r.code is None else "failed" if r.code else "ok"
        numbers = f"{r.began:8.0f}  {r.seconds:8.0f}   {r.passed:6}   {len(r.failed):6}   {len(r.skipped):7}"
        lines.append(f"{r.stage:<21}  {word:<7}  {numbers}")
    lines += [f"skipped: {reason}" for r in results for reason in r.skipped]
    lines += [f"failed: {reason}" for r in results for reason in r.failed]
    if broken := [r.stage for r in results if r.code != 0]:
        lines.append(f"failed stages, each with tests/output/<stage>.log: {', '.join(broken)}")
    passed, failed = sum(r.passed for r in results), sum(len(r.failed) for r in results)
    skipped = sum(len(r.skipped) for r in results)
    return "\n".join([*lines, f"{passed} passed, {failed} failed, {skipped} skipped"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [stage.name for stage in STAGES]
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of: {', '.join(names)}")
    parser.add_argument("--jobs", type=int, default=5, help="stages at a time (default: %(default)s)")
    arguments = parser.parse_args()
    chosen = arguments.stages or names
    if unknown := set(chosen) - set(names):
        parser.error(f"no such stage: {', '.join(sorted(unknown))} (there are {', '.join(names)})")
    # Hundreds of processes run the same modules: let the first of them compile them for all.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    OUTPUT.mkdir(exist_ok=True)
    for stale in (*OUTPUT.glob("*.xml"), *OUTPUT.glob("*.log")):
        stale.unlink()
    results = run_all([stage for stage in STAGES if stage.name in chosen], arguments.jobs)
    sys.stdout.write(f"{summary(results)}\n")
    return int(any(result.code != 0 for result in results))


if __name__ == "__main__":
    sys.exit(main())
