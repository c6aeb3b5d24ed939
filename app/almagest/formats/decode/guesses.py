"""Which type a column of text has, by all of its values."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from almagest.adql.catalogue import Column
from almagest.formats.decode import words

_TIME = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?Z?$"


@dataclass
class Guess:
    """The types that every value seen so far could have.

    Whole numbers with leading zeros, or beyond 64 bits, are identifiers: no number, or they would come back changed.
    """

    possible: list[str] = field(default_factory=lambda: ["boolean", "long", "double", "timestamp"])
    seen: bool = False
    whole: bool = True
    named: bool = False
    low: int = 0
    high: int = 0

    def see(self, array: pa.Array) -> None:
        """Strike out what these values, which are text, cannot be."""
        if not self.possible:
            return
        values = words.plain(array)
        if values.null_count == len(values):
            return
        self.seen = True
        self.whole = self.whole and _all_match(values, r"^[+-]?[0-9]+$")
        self.named = self.named or _any_match(values, r"^[+-]?0[0-9]+$")
        self.possible = [kind for kind in self.possible if self._fits(kind, values)]

    def column(self, name: str) -> Column:
        """The narrowest type left; text when none is, or when no value was seen."""
        if not self.seen or not self.possible or (self.whole and (self.named or "long" not in self.possible)):
            return Column(name, "char", "*")
        match self.possible[0]:
            case "timestamp":
                return Column(name, "char", "*", "timestamp")
            case "long":
                return Column(name, "int" if self.low >= -(2**31) and self.high < 2**31 else "long")
            case "boolean":
                return Column(name, "boolean")
            case _:
                return Column(name, "double")

    def _fits(self, kind: str, values: pa.Array) -> bool:
        if kind == "boolean":
            return _all_match(values, r"^(?i:true|false)$")
        if kind == "long" and not self.whole:
            return False
        if kind == "timestamp" and not _all_match(values, _TIME):
            return False
        try:
            if kind == "long":
                extremes = pc.min_max(words.whole(values)).as_py()
                self.low, self.high = min(self.low, extremes["min"]), max(self.high, extremes["max"])
            elif kind == "timestamp":
                words.times(values)
            else:
                values.cast(pa.float64())
        except pa.ArrowInvalid:
            return False
        return True


def _all_match(values: pa.Array, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(values, pattern)).as_py() is not False


def _any_match(values: pa.Array, pattern: str) -> bool:
    return pc.any(pc.match_substring_regex(values, pattern)).as_py() is True
