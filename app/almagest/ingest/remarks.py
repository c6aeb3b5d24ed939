"""What a reader of the metadata would miss or be misled by: rules over what is said of a table, wherever it is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from almagest.catalogue import RESERVED, written
from almagest.metadata import validators

Severity = Literal["error", "warning"]

CHECKS = {"unit": validators.unit, "ucd": validators.ucd}

ACCEPTED = frozenset({"DEC"})
"""Reserved words that every catalogue has as a column, and that our ADQL takes without quotes."""

MEASURED = ("pos.", "phot.", "time.", "em.", "spect.")
"""UCDs of quantities that a number says nothing of without its unit."""


@dataclass(frozen=True)
class Remark:
    """One line for the operator. place: `schema.table`, `schema.table.column`, or a file's line and key."""

    severity: Severity
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.place}: {self.message}"


@dataclass(frozen=True)
class SaidOfColumn:
    """A column, as far as it is known. datatype, nulls None: the file of the data would tell."""

    name: str
    datatype: str | None
    unit: str
    ucd: str
    description: str
    nulls: int | None = None


@dataclass(frozen=True)
class SaidOfTable:
    """A table and the schema that it belongs to. complete: the columns are all that the table has."""

    name: str
    title: str
    description: str
    position: tuple[str, str] | None
    epoch: str
    columns: Sequence[SaidOfColumn]
    schema_description: str
    licence: str
    creators: Sequence[str]
    complete: bool = True


def remarks(table: SaidOfTable) -> Iterator[Remark]:
    """Everything that is missing or wrong, the table's first."""
    yield from _names(table)
    yield from _origin(table)
    yield from _position(table)
    for column in table.columns:
        for severity, message in _column(column):
            yield Remark(severity, f"{table.name}.{column.name}", message)
    if table.complete and table.columns and all(column.nulls is None for column in table.columns):
        yield Remark("warning", table.name, "has no column statistics; ingest it again")


def _names(table: SaidOfTable) -> Iterator[Remark]:
    places = [(part, table.name) for part in table.name.split(".")]
    places += [(column.name, f"{table.name}.{column.name}") for column in table.columns]
    for name, place in places:
        if name.upper() in ACCEPTED:
            continue
        if name.upper() in RESERVED:
            yield Remark("warning", place, f"{name} is a word of ADQL: queries must write {written(name)}; rename it")
        elif written(name) != name:
            yield Remark("error", place, f"{name!r} is no ADQL identifier; give it a name of letters, digits and _")


def _origin(table: SaidOfTable) -> Iterator[Remark]:
    absent = {
        "table.description": table.description,
        "schema.description": table.schema_description,
        "schema.licence": table.licence,
        "schema.creators": table.creators,
    }
    for key, said in absent.items():
        if not said:
            yield Remark("warning", table.name, f"{key} is missing; say it in the metadata file")


def _position(table: SaidOfTable) -> Iterator[Remark]:
    """A table with coordinates is searched by them, which takes an index that `position` asks for."""
    if table.position:
        if not table.epoch:
            yield Remark("warning", table.name, "table.epoch is missing; positions without one cannot be propagated")
        return
    mains = [column.name for column in table.columns if column.ucd in ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main")]
    if len(mains) == 2:
        message = f"has positions without an index; say `position: [{', '.join(mains)}]` in the metadata file"
        yield Remark("error", table.name, message)


def _column(column: SaidOfColumn) -> Iterator[tuple[Severity, str]]:
    if not column.description:
        yield "warning", "description is missing"
    if not column.ucd:
        yield "warning", "ucd is missing; the words are at https://www.ivoa.net/documents/UCD1+/"
    for kind, value in (("ucd", column.ucd), ("unit", column.unit)):
        try:
            CHECKS[kind](value)
        except ValueError as error:
            yield "error", f"{kind} {error}"
    if not column.unit and column.ucd.startswith(MEASURED) and column.datatype in ("float", "double"):
        yield "warning", f"unit is missing, and a column with ucd {column.ucd} should have one"
