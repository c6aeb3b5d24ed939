"""The figures beside the peer's and beside what was aimed at, for a terminal, a file and the documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from load.bench.measures import Measured

DOCUMENT = Path("docs/performance.md")
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
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
"""GAVO DaCHS 2.13 with the same catalogue on such a machine, in the units of our measures; recorded 2026-11-20."""


def table(measured: Iterable[Measured]) -> str:
    """A Markdown table, a line a measure."""
    lines = [
        "| what | measured | PostgreSQL alone | ratio | aimed at | DaCHS 2.13 (recorded) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for line in measured:
        floor = _number(line.floor, line.unit) if line.floor else ""
        ratio = f"{line.ratio:.2f}" if line.ratio and line.unit == "s" else ""
        peer = _number(PEER[line.name], line.unit) if line.name in PEER else ""
        lines.append(f"| {line.name} | {_value(line)} | {floor} | {ratio} | {_target(line)} | {peer} |")
    return "\n".join(lines)


def missed(measured: Iterable[Measured]) -> list[str]:
    """The names of measures that are not where they were aimed."""
    return [
        line.name
        for line in measured
        if line.target is not None and (line.value < line.target if line.least else line.value > line.target)
    ]


def write(measured: list[Measured], results: Path) -> None:
    """Everything to `results` as JSON, and the table into the documentation."""
    results.parent.mkdir(exist_ok=True)
    found = {
        line.name: {"value": line.value, "unit": line.unit, "floor": line.floor, "target": line.target, **line.beside}
        for line in measured
    }
    results.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    text = DOCUMENT.read_text()
    block = f"{BEGIN}\n{table(measured)}\n{END}"
    DOCUMENT.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: block, text, flags=re.DOTALL))


def _value(line: Measured) -> str:
    quantile = re.compile(r"p\d+")
    beside = ", ".join(
        f"{name} {_number(value, 'ms' if quantile.fullmatch(name) else '')}" for name, value in line.beside.items()
    )
    return f"{_number(line.value, line.unit)}{f' ({beside})' if beside else ''}"


def _target(line: Measured) -> str:
    if line.target is None:
        return ""
    sign = "≥" if line.least else "≤"
    if line.unit == "s" and line.floor:
        return f"{sign} {line.target / line.floor:.1f} ×"
    return f"{sign} {_number(line.target, line.unit)}"


def _number(value: float, unit: str) -> str:
    digits = 2 if unit == "s" else 0 if value >= 100 else 1
    return f"{value:,.{digits}f}{f' {unit}' if unit and unit != '/s' else unit}"
