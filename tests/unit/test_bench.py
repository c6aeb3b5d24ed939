"""What the benchmark says of its figures, and that another machine changes none of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.layout import ROOT
from load.bench import machine, report
from load.bench.__main__ import verdict
from load.bench.measures import Measured, together
from load.bench.yardsticks import in_turn

TIMED = Measured("trivial sync query", 1.2, "ms", {"p95": 3.1}, 0.6, "answer", most=3.0)
RATE = Measured("cones by 8 clients", 800, "/s", {}, 2400, "document", most=4.0)
COPIED = Measured("1,000,000 × 9 as csv", 0.54, "s", {}, 0.5, "\\copy", most=1.3)
MEMORY = Measured("web memory above idle", 0.2, "MB", {}, bound=50)
ALL = [TIMED, RATE, COPIED, MEMORY]


def elsewhere(line: Measured, slower: float) -> Measured:
    """The same on a machine on which everything takes so many times as long."""
    if line.unit == "MB" or line.yardstick is None:
        return line
    factor = 1 / slower if line.unit == "/s" else slower
    return replace(line, value=line.value * factor, yardstick=line.yardstick * factor)


def document(measured: list[Measured]) -> str:
    return f"Before.\n{report.BEGIN}\nMeasured on x.\n\n{report.table(measured)}\n{report.END}\nAfter."


@settings(deadline=None)
@given(st.floats(0.01, 100), st.sets(st.sampled_from([line.name for line in ALL])))
def test_slower_machine_misses_the_same_aims_and_has_the_same_multiples(slower: float, late: set[str]) -> None:
    here = [replace(line, most=0.1, bound=0.1) if line.name in late else line for line in ALL]
    there = [elsewhere(line, slower) for line in here]
    assert set(report.missed(here)) == set(report.missed(there)) == late
    assert [line.multiple for line in there] == [line.multiple and pytest.approx(line.multiple) for line in here]
    assert report.apart(there, report.recorded(document(here))) == []


def test_multiples_are_read_back_from_the_documentation() -> None:
    assert report.recorded(document(ALL)) == {
        "trivial sync query": 2.0,
        "cones by 8 clients": 3.0,
        "1,000,000 × 9 as csv": 1.08,
    }
    assert report.recorded("no table yet") == {}


@pytest.mark.parametrize(("factor", "apart"), [(1.2, False), (1.3, True), (0.85, False), (0.7, True)])
def test_multiple_beyond_the_stated_spread_is_named(factor: float, apart: bool) -> None:
    changed = replace(COPIED, value=COPIED.value * factor)
    found = report.apart([changed], report.recorded(document(ALL)))
    assert found == ([f"{COPIED.name} ({changed.multiple:.2f} ×, recorded 1.08 ×)"] if apart else [])


def test_every_yardstick_states_its_spread() -> None:
    stated = re.findall(r"^\| `([^`]+)` \|.*\| ± (\d+) % \|$", (ROOT / report.DOCUMENT).read_text(), re.MULTILINE)
    assert {name: int(part) / 100 for name, part in stated} == report.SPREAD


def test_line_says_what_it_is_a_multiple_of() -> None:
    assert report.table([TIMED]).splitlines()[-1] == (
        "| trivial sync query | 1.2 ms (p95 3.1 ms) | 0.60 ms (answer) | 2.00 × | ≤ 3 × | 29.5 ms |"
    )
    assert report.table([MEMORY]).splitlines()[-1] == "| web memory above idle | 0.2 MB |  |  | ≤ 50.0 MB |  |"


def test_verdict_names_what_is_late(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "performance.md")
    report.DOCUMENT.write_text(document(ALL))
    assert verdict(ALL) == (
        "Every figure is where it was aimed.\nEvery multiple is the recorded one within the stated spread."
    )
    late = replace(TIMED, value=12.0)
    assert verdict([late]).splitlines() == [
        "Not where it was aimed: trivial sync query.",
        "Not the recorded multiple: trivial sync query (20.00 ×, recorded 2.00 ×).",
    ]


def test_yardstick_is_taken_in_turn_with_what_it_measures() -> None:
    order: list[str] = []

    def take(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    ours, least = in_turn(lambda i: take(f"o{i}", 1.0), lambda: take("y", 2.0), 7, block=3)
    assert (len(ours), len(least)) == (7, 9)
    assert order == ["o0", "o1", "o2", "y", "y", "y", "o3", "o4", "o5", "y", "y", "y", "o6", "y", "y", "y"]


def test_servers_one_after_the_other_share_the_time() -> None:
    assert together(1000, 1000) == pytest.approx(500)


def test_table_is_written_with_its_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    report.DOCUMENT.parent.mkdir()
    report.DOCUMENT.write_text(f"Before.\n{report.BEGIN}\nold\n{report.END}\nAfter.\n")
    where = machine.describe()
    report.write(ALL, where)
    assert f"Before.\n{report.BEGIN}\nMeasured on {where}.\n\n| what |" in report.DOCUMENT.read_text()
    assert "old" not in report.DOCUMENT.read_text()
    assert where in report.RESULTS.read_text()
