"""The figures as multiples of what the same machine needs for the least: on a terminal, in a file and in the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from load.bench.measures import Measured

DOCUMENT = Path("docs/performance.md")
RESULTS = Path("build/bench.json")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
SPREAD = {"\\copy": 0.25, "idle": 0.5, "document": 0.5, "answer": 0.5, "answer + PostgreSQL": 0.5}
"""Yardstick → by how much a multiple of it may differ between two runs, or machines, that nothing else keeps busy."""
ROW = re.compile(r"^\| ([^|]+) \|[^|]*\|[^|]*\| ([\d.,]+) × \|", re.MULTILINE)
PEER = {
    "/availability": 1.75,
    "/capabilities": 5.4,
    "/tables": 8.8,
    "trivial sync query": 29.5,
    "cone 0.1°": 50.9,
    "cone 1°": 54.5,
    "0.1° cones by 8 clients": 14.2,
    "1,000,000 × 9 as votable/b2": 6.21,
    "1,000,000 × 9 as csv": 7.30,
    "1,000,000 × 9 as fits": 5.10,
    "1,000,000 × 9 as votable/td": 8.40,
    "async job, created … result": 1203.0,
    "upload of 1,000 positions, matched": 116.6,
}
"""GAVO DaCHS 2.13 with the same catalogue, on a machine of two cores, in the units of our measures; 2026-11-20."""


def table(measured: Iterable[Measured]) -> str:
    """A Markdown table, a line a measure."""
    lines = [
        "| what | measured | yardstick | multiple | aimed at | DaCHS 2.13 (recorded elsewhere) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for line in measured:
        least = f"{_number(line.yardstick, line.unit)} ({line.against})" if line.yardstick else ""
        multiple = f"{line.multiple:,.2f} ×" if line.multiple else ""
        peer = _number(PEER[line.name], line.unit) if line.name in PEER else ""
        lines.append(f"| {line.name} | {_value(line)} | {least} | {multiple} | {_aim(line)} | {peer} |")
    return "\n".join(lines)


def missed(measured: Iterable[Measured]) -> list[str]:
    """The names of measures that are not where they were aimed."""
    return [line.name for line in measured if line.missed]


def recorded(document: str) -> dict[str, float]:
    """Measure → its multiple in the table of the documentation, whose run may have been on another machine."""
    block = document.partition(BEGIN)[2].partition(END)[0]
    return {name: float(multiple.replace(",", "")) for name, multiple in ROW.findall(block)}


def apart(measured: Iterable[Measured], before: Mapping[str, float]) -> list[str]:
    """Measures whose multiple is another than the recorded one, by more than the stated spread."""
    found = []
    for line in measured:
        then = before.get(line.name)
        if line.multiple and then and max(line.multiple / then, then / line.multiple) > 1 + SPREAD[line.against]:
            found.append(f"{line.name} ({line.multiple:,.2f} ×, recorded {then:,.2f} ×)")
    return found


def write(measured: list[Measured], machine: str) -> None:
    """Everything to `build/bench.json`, and the table with its machine into the documentation."""
    RESULTS.parent.mkdir(exist_ok=True)
    found = {
        line.name: {"value": line.value, "unit": line.unit, "yardstick": line.yardstick, "against": line.against,
                    "multiple": line.multiple, "most": line.most, "bound": line.bound, **line.beside}
        for line in measured
    }  # fmt: skip
    RESULTS.write_text(json.dumps({"machine": machine, "measures": found}, indent=1, ensure_ascii=False) + "\n")
    block = f"{BEGIN}\nMeasured on {machine}.\n\n{table(measured)}\n{END}"
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: block, text, flags=re.DOTALL))


def _value(line: Measured) -> str:
    quantile = re.compile(r"p\d+")
    beside = ", ".join(
        f"{name} {_number(value, 'ms' if quantile.fullmatch(name) else '')}" for name, value in line.beside.items()
    )
    return f"{_number(line.value, line.unit)}{f' ({beside})' if beside else ''}"


def _aim(line: Measured) -> str:
    if line.most is not None:
        return f"≤ {line.most:g} ×"
    return f"≤ {_number(line.bound, line.unit)}" if line.bound is not None else ""


def _number(value: float, unit: str) -> str:
    digits = 2 if unit == "s" or (unit == "ms" and value < 1) else 0 if value >= 100 else 1
    return f"{value:,.{digits}f}{f' {unit}' if unit and unit != '/s' else unit}"
