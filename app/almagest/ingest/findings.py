"""What loading finds out about the columns: ranges, nulls, texts beyond ASCII."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from almagest.catalogue import Column
from almagest.formats.block import EPOCH, Array, Block, Fixed, Text, Values

Extreme = int | float | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One column. minimum, maximum: finite extremes of numbers, microseconds since 2000 of times, None elsewhere;
    nulls: rows without a value; beyond_ascii: whether a text holds more than ASCII; distinct: about how many values."""

    minimum: Extreme = None
    maximum: Extreme = None
    nulls: int = 0
    beyond_ascii: bool = False
    distinct: int | None = None

    def __or__(self, other: Finding) -> Finding:
        """What holds of both columns' rows together."""
        low = [value for value in (self.minimum, other.minimum) if value is not None]
        high = [value for value in (self.maximum, other.maximum) if value is not None]
        return Finding(
            min(low, default=None),
            max(high, default=None),
            self.nulls + other.nulls,
            self.beyond_ascii or other.beyond_ascii,
        )


@dataclass(frozen=True)
class Findings:
    """Rows and, in the table's order, what is found of each column."""

    columns: tuple[Finding, ...]
    nrows: int = 0

    def __or__(self, other: Findings) -> Findings:
        return Findings(
            tuple(ours | theirs for ours, theirs in zip(self.columns, other.columns, strict=True)),
            self.nrows + other.nrows,
        )

    def counted(self, distinct: Sequence[int | None]) -> Findings:
        """The same with the number of distinct values of each column."""
        pairs = zip(self.columns, distinct, strict=True)
        return replace(self, columns=tuple(replace(column, distinct=number) for column, number in pairs))


def nothing(columns: Sequence[Column]) -> Findings:
    """What is known before the first row."""
    return Findings(tuple(Finding() for _ in columns))


def find(block: Block) -> Findings:
    """What one block tells. About 1 ns a value."""
    return Findings(tuple(_find(values) for values in block.columns), len(block))


def _find(values: Values) -> Finding:
    nulls = int(np.count_nonzero(values.null))
    match values:
        case Array():
            return Finding(nulls=nulls)
        case Text():
            return Finding(nulls=nulls, beyond_ascii=bool(len(values.data)) and int(values.data.max()) > 127)
        case Fixed():
            if values.values.dtype.kind == "b" or nulls == len(values):
                return Finding(nulls=nulls)
            return _extremes(values, nulls)


def _extremes(values: Fixed, nulls: int) -> Finding:
    """fmin and fmax pass over NaN, which is null; infinities cost a second look only where there are some."""
    known = values.values
    if known.dtype.kind == "f":
        low, high = np.fmin.reduce(known), np.fmax.reduce(known)
        if nulls or np.isinf(low) or np.isinf(high):
            known = known[~values.null & np.isfinite(known)]
    elif nulls:
        known = known[~values.null]
    if not len(known):
        return Finding(nulls=nulls)
    return Finding(known.min().item(), known.max().item(), nulls)


def notation(column: Column, value: Extreme) -> str:
    """An extreme as a VOTable writes a value of this column (VOTable 1.4 §4.7); empty for None.

    A float has the fewest digits that give the same float again; a time is DALI's timestamp.
    """
    if value is None:
        return ""
    if column.xtype == "timestamp":
        text = str(EPOCH + np.timedelta64(int(value), "us"))
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(np.float32(value)) if column.datatype == "float" else repr(value)


def written(columns: Sequence[Column], findings: Findings) -> dict[str, dict[str, Any]]:
    """The findings as the ledger keeps them, by column."""
    return {
        column.name: {
            "minimum": found.minimum,
            "maximum": found.maximum,
            "nulls": found.nulls,
            "beyond_ascii": found.beyond_ascii,
            "distinct": found.distinct,
        }
        for column, found in zip(columns, findings.columns, strict=True)
    }


def read(columns: Sequence[Column], nrows: int, stored: Mapping[str, Mapping[str, Any]]) -> Findings:
    """What `written` wrote; nothing of a column that it does not have."""
    return Findings(tuple(Finding(**stored.get(column.name, {})) for column in columns), nrows)
