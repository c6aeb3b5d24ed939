"""What a query may name: published schemas, tables and columns, as the analyser sees them.

Pure data: `almagest.metadata` makes a `Catalogue` from the application's database, tests make one by hand.
Names are those of the database, letter for letter. ADQL 2.1 §2.1.4 decides how a query finds them: a regular
identifier in any letter case, a delimited one exactly.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from heapq import nlargest
from itertools import pairwise
from typing import Generic, Literal, TypeVar

from almagest.catalogue.names import written

Datatype = Literal["boolean", "short", "int", "long", "float", "double", "char", "unicodeChar"]
"""VOTable 1.4 §2.1 type names that a column of an archive can have."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, or of a result, with the metadata of TAP_SCHEMA.columns (TAP 1.1 §4.3).

    arraysize: None for a scalar, else VOTable's `n`, `n*` or `*`; strings have one of them.
    xtype: DALI's `timestamp`, `point`, `circle`, `polygon`, or None. A timestamp is stored as PostgreSQL's
    `timestamp`, the shapes as pgSphere's `spoint`, `scircle`, `spoly`. unit: VOUnits 1.1; ucd: UCD1+.
    principal: whether it is among those that say most about a row; indexed: whether a condition on it is fast; std:
    whether a standard defines it.
    minimum, maximum: of the column's numbers, where they were counted; no value of a result lies beyond them.
    """

    name: str
    datatype: Datatype
    arraysize: str | None = None
    xtype: str | None = None
    unit: str | None = None
    ucd: str | None = None
    utype: str | None = None
    description: str = ""
    principal: bool = False
    indexed: bool = False
    std: bool = False
    minimum: float | None = None
    maximum: float | None = None

    @property
    def unbounded(self) -> "Column":
        """The same for other values than the column's own, whose range nobody counted."""
        return replace(self, minimum=None, maximum=None)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of a table that name rows of another. target: (schema, name); columns: pairs (here, there)."""

    target: tuple[str, str]
    columns: tuple[tuple[str, str], ...]
    description: str = ""
    utype: str | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """What is said of a schema as a whole."""

    name: str
    title: str = ""
    description: str = ""
    utype: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A published table. position: names of its right ascension and declination columns (ICRS degrees, float8)
    when a pgSphere index on `spoint(radians(ra), radians(dec))` exists; nrows: as counted at ingest.
    stored: (schema, name) in the database, where that differs from what queries call it: an uploaded table, or one of
    the asker's own. kind: as TAP_SCHEMA calls it. epoch: the Julian year that positions hold for, e.g. `J2016.0`."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    description: str = ""
    position: tuple[str, str] | None = None
    nrows: int | None = None
    stored: tuple[str, str] | None = None
    title: str = ""
    utype: str | None = None
    kind: Literal["table", "view"] = "table"
    keys: tuple[ForeignKey, ...] = ()
    epoch: str | None = None
    _named: "Names[Column]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_named", Names((column.name, column) for column in self.columns))

    def column(self, name: str, *, delimited: bool = False) -> Column | None:
        """The column that an identifier means here, or None."""
        return self._named.find(name, delimited=delimited)

    @property
    def written(self) -> str:
        """The name as a query has to write it, and as TAP_SCHEMA.tables therefore has it (TAP 1.1 §4.2)."""
        return f"{written(self.schema)}.{written(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


Named = TypeVar("Named")


class Names(Generic[Named]):
    """Things found by ADQL identifier: delimited means exactly this, regular means in any letter case.

    A regular identifier that differs from several names only by case takes the one written alike, else the all
    lower case one, else none: guessing would read another column than the one meant.
    """

    def __init__(self, items: Iterable[tuple[str, Named]]) -> None:
        self._exact: dict[str, Named] = dict(items)
        self._folded: dict[str, list[str]] = {}
        for name in self._exact:
            self._folded.setdefault(name.lower(), []).append(name)

    def find(self, name: str, *, delimited: bool = False) -> Named | None:
        """The thing called `name`, or None."""
        if delimited or name in self._exact:
            return self._exact.get(name)
        candidates = self._folded.get(name.lower(), [])
        if len(candidates) == 1:
            return self._exact[candidates[0]]
        return self._exact.get(name.lower())

    def similar(self, name: str) -> str | None:
        """The name that a misspelling most likely meant, for an error's hint."""
        near = get_close_matches(name[:128].lower(), self._folded, n=1, cutoff=0.7)
        return self._folded[near[0]][0] if near else None

    def __iter__(self) -> Iterator[Named]:
        return iter(self._exact.values())


class Catalogue:
    """The tables that a query may read, found by schema and name; schemas: what is said of theirs."""

    def __init__(self, tables: Iterable[Table], schemas: Iterable[Schema] = ()) -> None:
        self.tables: tuple[Table, ...] = tuple(tables)
        self._described = {schema.name: schema for schema in schemas}
        by_schema: dict[str, list[Table]] = {}
        for table in self.tables:
            by_schema.setdefault(table.schema, []).append(table)
        self._schemas: Names[Names[Table]] = Names(
            (schema, Names((table.name, table) for table in members)) for schema, members in by_schema.items()
        )
        self._unqualified: Mapping[str, list[Table]] = _by_folded_name(self.tables)

    def table(
        self, schema: str | None, name: str, *, schema_delimited: bool = False, name_delimited: bool = False
    ) -> Table | None:
        """The table that `schema.name` means, or `name` alone where only one schema has it; None when there is none."""
        if schema is None:
            named = self._unqualified.get(name.lower(), [])
            if name_delimited:
                named = [table for table in named if table.name == name]
            return named[0] if len(named) == 1 else None
        members = self._schemas.find(schema, delimited=schema_delimited)
        return members.find(name, delimited=name_delimited) if members else None

    def schemas(self) -> Iterator[tuple[Schema, list[Table]]]:
        """Every schema that has tables, with them; in the order of the first of each."""
        members: dict[str, list[Table]] = {}
        for table in self.tables:
            members.setdefault(table.schema, []).append(table)
        for name, tables in members.items():
            yield self._described.get(name, Schema(name)), tables

    def keys(self, table: Table) -> Iterator[tuple[ForeignKey, Table]]:
        """The table's foreign keys with their targets, of those whose both ends are here with all columns."""
        for key in table.keys:
            schema, name = key.target
            target = self.table(schema, name, schema_delimited=True, name_delimited=True)
            if target and all(
                table.column(here, delimited=True) and target.column(there, delimited=True)
                for here, there in key.columns
            ):
                yield key, target

    def similar(self, schema: str | None, name: str) -> str | None:
        """The full name of the table that was likely meant, for an error's hint."""
        full, bare = self._spellings
        near = full.nearest(f"{schema}.{name}" if schema else name, cutoff=0.7)
        return near or bare.nearest(name, cutoff=0.8)

    @cached_property
    def _spellings(self) -> "tuple[Spellings, Spellings]":
        """Of the tables with and without their schemas."""
        return (
            Spellings({str(table).lower(): str(table) for table in self.tables}),
            Spellings({table.name.lower(): str(table) for table in self.tables}),
        )


class Spellings:
    """Names among which a misspelt one is looked for; of thousands too, in some milliseconds.

    To compare two names letter by letter takes long, so that is done with those only that share most pairs of letters.
    """

    COMPARED = 20

    def __init__(self, names: Mapping[str, str]) -> None:
        """names: what is meant, by its spelling in lower case."""
        self._names = names
        self._pairs = [(spelling, _pairs(spelling)) for spelling in names]

    def nearest(self, wanted: str, *, cutoff: float) -> str | None:
        """What the spelling that is most alike means, None where none is alike enough. cutoff: of 1 for the same."""
        wanted = wanted[:256].lower()
        letters = _pairs(wanted)
        likely = nlargest(
            self.COMPARED, self._pairs, key=lambda pair: len(letters & pair[1]) / (len(letters) + len(pair[1]))
        )
        near = get_close_matches(wanted, [spelling for spelling, _ in likely], n=1, cutoff=cutoff)
        return self._names[near[0]] if near else None


def _pairs(word: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(f" {word} ")))


def _by_folded_name(tables: Iterable[Table]) -> dict[str, list[Table]]:
    named: dict[str, list[Table]] = {}
    for table in tables:
        named.setdefault(table.name.lower(), []).append(table)
    return named
