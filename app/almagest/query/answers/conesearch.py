"""The rows of a table around a place: which tables are searched so, and the query that a search means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from almagest import adql, formats
from almagest.accounts.identity import Identity
from almagest.catalogue import Column, Table, written
from almagest.formats.format import Format
from almagest.formats.votable import Tabledata
from almagest.metadata import catalogue
from almagest.metadata.catalogue import Holdings
from almagest.query import limits
from almagest.query.answers import origin
from almagest.query.answers.answer import Answer, Source
from almagest.query.answers.rows import fetch
from almagest.query.cone import Cone
from almagest.query.errors import NoSuchTableError
from almagest.vo import conesearch

OLDEST_FORMAT = Tabledata(conesearch.MEDIA_TYPE)
"""What clients of 1.03 read, which know no other; one that names a format is of 1.1."""

ADVICE = f"A cone search may take {limits.SYNC_SECONDS:g} s; ask for a smaller radius, or use TAP."


@dataclass(frozen=True, slots=True)
class Searchable:
    """A table that has a cone search for whoever asks. holdings: as they see them."""

    identity: Identity
    holdings: Holdings
    table: Table
    main: conesearch.Main


def find(identity: Identity, name: str) -> Searchable:
    """The table `schema.table`. Raises NoSuchTableError when there is none, or it has no cone search."""
    holdings = catalogue.holdings(identity)
    table = next((table for table in holdings.readable.tables if str(table) == name), None)
    if table is None:
        raise NoSuchTableError(f"there is no table {name[:40]!r}")
    main = conesearch.main(table)
    if main is None:
        raise NoSuchTableError(f"{table} has no cone search: it lacks a position, or a column whose UCD is meta.id")
    return Searchable(identity, holdings, table, main)


def search(found: Searchable, cone: Cone) -> Answer:
    """The table's rows within the cone, up to the first of them. A radius of 0 asks for the columns alone (§2.1).

    Raises QueryError.
    """
    main = found.main
    selected = ", ".join(written(column.name) for column in _columns(found, cone.verbosity))
    circle = f"CIRCLE({cone.ra!r}, {cone.dec!r}, {cone.radius!r})"
    translation = adql.translate(
        f"SELECT {selected} FROM {found.table.written}"  # noqa: S608 - it is ADQL
        f" WHERE 1 = CONTAINS(POINT({written(main.ra)}, {written(main.dec)}), {circle})",
        found.holdings.readable,
        maxrec=cone.maxrec,
    )
    wanted, overflow = (cone.maxrec, None) if cone.radius > 0 else (0, False)
    source = Source(
        _with_text_identifier(translation, main.id),
        conesearch.labelled(
            translation.columns, main, conesearch.UCD1_PLUS if cone.response_format else conesearch.UCD1
        ),
        wanted,
        limits.SYNC_SECONDS,
        ADVICE,
        overflow,
        identity=found.identity,
    )
    about = origin.about(
        found.holdings,
        "",
        translation.tables,
        translation.columns,
        path=f"/conesearch/{found.table}",
        requested=datetime.now(UTC),
        protocol=conesearch.STANDARD,
    )
    return Answer(source, written_as(cone), about)


def written_as(cone: Cone) -> Format:
    """The format of a search's answer."""
    return formats.negotiate(cone.response_format) if cone.response_format else OLDEST_FORMAT


def example(found: Searchable) -> tuple[float, float] | None:
    """Right ascension and declination of some row in degrees; None when the table is empty. Raises QueryError."""
    ra, dec = written(found.main.ra), written(found.main.dec)
    translation = adql.translate(
        f"SELECT TOP 1 {ra}, {dec} FROM {found.table.written}"  # noqa: S608 - it is ADQL
        f" WHERE {ra} IS NOT NULL AND {dec} IS NOT NULL",
        found.holdings.readable,
    )
    return next(iter(fetch(found.identity, translation)), None)


def _columns(found: Searchable, verbosity: int) -> tuple[Column, ...]:
    main = (found.main.id, found.main.ra, found.main.dec)
    columns = found.table.columns
    principal = any(column.principal for column in columns)
    if verbosity == 3 or (verbosity == 2 and not principal):
        return columns
    return tuple(column for column in columns if column.name in main or (verbosity == 2 and column.principal))


def _with_text_identifier(translation: adql.Translation, identifier: str) -> str:
    """The query with its identifier as text, which 1.03 §2.2 wants it to be."""
    names = [f"c{number}" for number in range(1, len(translation.columns) + 1)]
    cells = (
        f"{name}::text" if column.name == identifier else name
        for name, column in zip(names, translation.columns, strict=True)
    )
    return f"SELECT {', '.join(cells)} FROM ({translation.sql}) AS r ({', '.join(names)})"  # noqa: S608 - translated
