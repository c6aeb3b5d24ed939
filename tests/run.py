"""Run the whole suite, stage after stage, and say at the end what ran, what was skipped and why.

`python tests/run.py [STAGE…]`, by default all of them in this order. A stage that fails does not stop the ones that
need nothing from it; the exit code is 1 when anything failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "tests/output"


@dataclass(frozen=True)
class Stage:
    """A named step: its commands, in order, and the stages without which it cannot run."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    needs: tuple[str, ...] = ()


@dataclass
class Result:
    """How a stage ended: seconds, exit code (None: not run), test counts and the reasons of what was skipped."""

    stage: str
    seconds: float = 0.0
    code: int | None = None
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)


def pytest(name: str, *options: str) -> tuple[str, ...]:
    return ("pytest", "--junit-xml", str(OUTPUT / f"{name}.xml"), "--durations=8", *options)


STAGES = (
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
        ),
    ),
    Stage(
        "types",
        (("mypy", "app/almagest", "operator/almagest_operator"), ("mypy", "tests", "ansible/host", "images/builder")),
    ),
    Stage("tools", ((sys.executable, "tests/tools.py"),)),
    Stage("unit", (pytest("unit", "-m", "not integration and not e2e", "tests/unit"),)),
    Stage("cluster", (("ansible/setup", "images"), ("ansible/setup", "cluster"))),
    Stage("integration", (pytest("integration", "-m", "integration", "tests/integration"),), needs=("cluster",)),
    Stage("e2e", (pytest("e2e", "-m", "e2e", "-x", "tests/e2e"),), needs=("tools", "cluster")),
)


def run(stage: Stage, done: dict[str, Result]) -> Result:
    """Run a stage's commands; all of them, so that one lint finding does not hide the next."""
    result = Result(stage.name)
    missing = [name for name in stage.needs if name in done and done[name].code]
    if missing:
        result.skipped.append(f"stage {stage.name}: {', '.join(missing)} failed")
        return result
    started = time.monotonic()
    result.code = 0
    for command in stage.commands:
        sys.stdout.write(f"\n── {stage.name}: {' '.join(command)}\n")
        sys.stdout.flush()
        result.code |= subprocess.run(command, cwd=ROOT, check=False).returncode and 1
    result.seconds = time.monotonic() - started
    count(result)
    return result


def count(result: Result) -> None:
    """Read pytest's own account of the stage, where it wrote one."""
    report = OUTPUT / f"{result.stage}.xml"
    if not report.exists():
        return
    for case in ET.parse(report).getroot().iter("testcase"):
        if (skip := case.find("skipped")) is not None:
            result.skipped.append(f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}")
        elif case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        else:
            result.passed += 1


def summary(results: list[Result]) -> str:
    lines = ["", "stage         result   seconds   passed   failed   skipped"]
    for r in results:
        word = "not run" if r.code is None else "failed" if r.code else "ok"
        lines.append(f"{r.stage:<12}  {word:<7}  {r.seconds:7.0f}   {r.passed:6}   {r.failed:6}   {len(r.skipped):7}")
    lines += [f"skipped: {reason}" for r in results for reason in r.skipped]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [stage.name for stage in STAGES]
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of: {', '.join(names)}")
    chosen = parser.parse_args().stages or names
    if unknown := set(chosen) - set(names):
        parser.error(f"no such stage: {', '.join(sorted(unknown))} (there are {', '.join(names)})")
    OUTPUT.mkdir(exist_ok=True)
    for stale in OUTPUT.glob("*.xml"):
        stale.unlink()
    done: dict[str, Result] = {}
    for stage in STAGES:
        if stage.name in chosen:
            done[stage.name] = run(stage, done)
    results = list(done.values())
    failed = [r.stage for r in results if r.code != 0]
    sys.stdout.write(f"{summary(results)}\n")
    if failed:
        sys.stdout.write(f"failed: {', '.join(failed)}\n")
    tests = sum(r.passed for r in results), sum(r.failed for r in results), sum(len(r.skipped) for r in results)
    sys.stdout.write("{} passed, {} failed, {} skipped\n".format(*tests))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
