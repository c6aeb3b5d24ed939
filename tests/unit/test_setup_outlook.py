"""What `make up` says beforehand, and what it says of the time that is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host import outlook, pace, yardstick
from host.layout import ROOT, Layout
from host.outlook import Missing, seconds, tasks, text
from host.pace import Pace
from host.yardstick import Machine

IMAGES = {"base": 30.0, "postgres": 25.0}
COLD = Missing(python=True, kubernetes=True, images=IMAGES, modules=True, packages=True, running=False)
WARM = Missing(python=False, kubernetes=False, images={}, modules=False, packages=False, running=True)
MACHINES = st.builds(Machine, cores=st.integers(1, 64), speed=st.floats(0.1, 200))


def test_cold_start_is_told_step_by_step_with_its_downloads() -> None:
    assert text(tasks(COLD, "up", "gaia-dev"), Machine(cores=2, speed=2.0)).splitlines() == [
        "To be done on this machine, with 2 cores:",
        "    30 s  install Python and Debian packages",
        "   4 min  compile Kubernetes, at the same time as",
        "    30 s  build base, postgres",
        "    20 s  start the cluster",
        "    30 s  run the archive gaia-dev",
        "About 5 min in all, and 660 MB to download.",
    ]


def test_warm_start_builds_and_downloads_nothing() -> None:
    assert text(tasks(WARM, "up", "gaia-dev"), Machine(cores=2, speed=2.0)).splitlines() == [
        "To be done on this machine, with 2 cores:",
        "     5 s  look at the cluster",
        "    10 s  look at the archive gaia-dev",
        "About 15 s in all.",
    ]


@pytest.mark.parametrize(("verb", "last"), [("images", "build"), ("cluster", "start the cluster"), ("up", "run the")])
def test_only_what_the_verb_does_is_told(verb: str, last: str) -> None:
    assert tasks(COLD, verb, "gaia-dev")[-1].name.startswith(last)


@settings(deadline=None)
@given(
    st.builds(Missing, images=st.dictionaries(st.text("abc", min_size=1), st.floats(1, 100))),
    st.sampled_from(["up", "cluster", "images"]),
    MACHINES,
)
def test_whatever_is_missing_is_told_with_its_time(missing: Missing, verb: str, machine: Machine) -> None:
    header, *lines, total = text(tasks(missing, verb, "x"), machine).splitlines()
    assert header.startswith("To be done")
    assert lines
    assert total.startswith("About")


@settings(deadline=None)
@given(MACHINES, st.sampled_from(["up", "cluster", "images"]))
def test_what_is_cached_is_not_waited_for(machine: Machine, verb: str) -> None:
    assert seconds(tasks(WARM, verb, "x"), machine) < seconds(tasks(COLD, verb, "x"), machine)


@settings(deadline=None)
@given(MACHINES, st.floats(1.1, 10))
def test_time_follows_from_the_machine(machine: Machine, factor: float) -> None:
    faster = Machine(machine.cores, machine.speed * factor)
    planned = tasks(COLD, "up", "x")
    assert seconds(planned, faster) * factor == pytest.approx(seconds(planned, machine))


@settings(deadline=None)
@given(st.floats(0.1, 10), st.integers(2, 64))
def test_more_cores_of_one_speed_are_never_slower(speed: float, cores: int) -> None:
    planned = tasks(COLD, "up", "x")
    one, many = Machine(cores - 1, speed * (cores - 1)), Machine(cores, speed * cores)
    assert seconds(planned, many) <= seconds(planned, one) * (1 + 1e-9)


def test_yardstick_measures_this_machine() -> None:
    machine = yardstick.measure()
    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.speed > 0


def test_empty_caches_lack_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALMAGEST_CACHE", str(tmp_path / "cache"))
    found = outlook.look(Layout(tmp_path / "cache", tmp_path / "state"))
    assert [found.python, found.kubernetes, found.modules, found.packages, found.running] == [*[True] * 4, False]
    assert {"base", "kubernetes", "app", "operator"} <= set(found.images)
    assert not (tmp_path / "cache").exists()


@settings(deadline=None)
@given(st.floats(0.5, 1000), st.floats(0, 50), st.integers(1, 49))
def test_steady_work_is_told_its_end_exactly(second: float, start: float, more: int) -> None:
    """second: for each percent; start: the percentage when somebody began to watch."""
    watch, here = Pace(), round(start, 1) + more
    assert watch.left(f"a {pace.percent(start, 100)}", 1000.0) is None
    line = f"b {pace.percent(here, 100)}"
    now = 1000.0 + more * second
    left = watch.left(line, now)
    assert (left is None) == (more * second < pace.ENOUGH)
    if left is not None:
        assert left == pytest.approx((100 - here) * second)
        assert watch.left(line, now + left / 2) == pytest.approx(left / 2)
        assert watch.left(line, now + left * 2) is None


def test_line_without_progress_promises_nothing() -> None:
    watch = Pace()
    assert [watch.left("downloading modules", now) for now in (0.0, 100.0)] == [None, None]


@pytest.mark.parametrize(
    ("time", "words"),
    [(0.1, "5 s"), (23, "25 s"), (49, "50 s"), (50, "1 min"), (89, "1 min"), (91, "2 min"), (601, "10 min")],
)
def test_times_are_told_as_people_say_them(time: float, words: str) -> None:
    assert pace.in_words(time) == words


PLAYBOOK = """\
- name: Build
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Compile
      ansible.builtin.shell:
        cmd: |
          for n in 10 20 30; do printf 'downloaded 1 %%\\r\\033[Kk: {{{{ n }}}} (%s %%)\\n' $n >> {log}; sleep 0.7; done
      vars:
        n: 1
        almagest_tail: ["{log}", "{log}.other"]
"""


def test_log_of_a_set_up_has_neither_carriage_returns_nor_escapes(tmp_path: Path) -> None:
    """Without a terminal each news is a line of its own."""
    log = tmp_path / "compile.log"
    (tmp_path / "compile.log.other").write_text("")
    (tmp_path / "book.yml").write_text(PLAYBOOK.format(log=log))
    (tmp_path / "plugins").mkdir()
    plugin = (ROOT / "ansible/callback_plugins/steps.py").read_text()
    (tmp_path / "plugins/steps.py").write_text(plugin.replace("QUIET = 15.0", "QUIET = 0.2"))
    (tmp_path / "ansible.cfg").write_text(
        f"[defaults]\ncallback_plugins = {tmp_path}/plugins\nstdout_callback = steps\ninventory = localhost,\n"
    )
    settings = {**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "PYTHONPATH": str(ROOT / "ansible")}
    settings |= {"ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [
        str(program),
        "-c",
        "local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
        f"{tmp_path}/book.yml",
    ]
    done = subprocess.run(command, env=settings, cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
    assert b"      k: 1 (20 %)\n" in done.stdout
    assert not set(b"\r\x1b") & set(done.stdout)
