"""From what a person calls a place of the sky to its coordinates: written ones, the archive's own objects, then Sesame.

Sesame (CDS, Strasbourg) knows every object that has a name in the literature. It is asked where the network allows,
with little patience, and not again for a while after it has not answered.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import psycopg
from psycopg import sql

from almagest.accounts.identity import Identity
from almagest.catalogue import Column, Table
from almagest.config.absence import Absence
from almagest.config.environment import environment
from almagest.metadata import catalogue
from almagest.metadata.catalogue import Holdings
from almagest.query import datadb
from almagest.query.coordinates import coordinates, key
from almagest.query.errors import InvalidRequestError, NotResolvedError, QueryError
from almagest.query.tables.fetch import fetched

log = logging.getLogger(__name__)

NAME_CHARACTERS = 200

SESAME = "https://cds.unistra.fr/cgi-bin/nph-sesame/-oI/SNV?"
"""Its address; the name comes behind it. It answers in lines, `%J ra dec` among them."""

SESAME_SECONDS = 4.0
SESAME_BYTES = 1 << 20

OWN_SECONDS = 2.0
"""What the search of one of our tables may take."""

OWN_TABLES = 6
"""Tables of ours that are asked, the first of the site."""

TEXT_ROWS = 200_000
"""A table of more rows is not read through for a name."""

_ALIASES = {"M": "MESSIER", "GAIADR": "SOURCE_ID", "GAIAEDR": "SOURCE_ID", "GAIA": "SOURCE_ID"}
"""How a designation begins → the name of the column that has its number, in capitals."""

_NUMBERED = re.compile(r"([A-Z_]+?(?:DR\d)?)(\d{1,19})")

# As `coordinates.key` does it.
_KEY = r"regexp_replace(upper(regexp_replace({}, '[^[:alnum:]+.-]', '', 'g')), '(^|[^0-9.])0+(?=[0-9])', '\1', 'g')"

_absence = Absence(seconds=60.0)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A place of the sky. name: as it was asked for; ra, dec: ICRS degrees; source: who says so."""

    name: str
    ra: float
    dec: float
    source: str


def resolve(text: str, identity: Identity) -> Resolved:
    """The place that a person means. Raises NotResolvedError, InvalidRequestError for what can be no place."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise InvalidRequestError(
            f"a name has 1 to {NAME_CHARACTERS} characters; write e.g. M 42, or 83.82 -5.39, or 05:35:17.3 -05:23:28"
        )
    if (position := coordinates(name)) is not None:
        return Resolved(name, *position, "coordinates")
    holdings = catalogue.holdings(identity)
    found = _own(holdings, identity, name) or _sesame(name)
    if found is None:
        raise NotResolvedError(f"nobody knows an object {name!r}; check its spelling, or write its coordinates")
    return found


@lru_cache(maxsize=1024)
def _own(holdings: Holdings, identity: Identity, name: str) -> Resolved | None:
    """From the tables that the asker may read; the same until the metadata change."""
    known = key(name)
    numbered = _NUMBERED.fullmatch(known)
    word, number = (numbered[1], numbered[2]) if numbered else ("", "")
    word = _ALIASES.get(re.sub(r"\d", "", word), word)
    keys = [known, f"{word}{number}"] if numbered else [known]
    for query, table in _searches(holdings, keys, word, number):
        found = _ask(identity, query)
        if found is not None:
            return Resolved(name, *found, str(table))
    return None


def _searches(holdings: Holdings, keys: list[str], word: str, number: str) -> Iterator[tuple[sql.Composed, Table]]:
    """Queries for the position of an object by each table that has names or numbers of objects, the likely first."""
    tables = [table for table in holdings.readable.tables if table.position and any(map(_names_objects, table.columns))]
    for table in tables[:OWN_TABLES]:
        named = [column for column in table.columns if _names_objects(column)]
        counted = [column for column in named if column.datatype in ("int", "long") and column.name.upper() == word]
        for column in counted:
            if number and int(number) < 2**63 and (column.indexed or (table.nrows or 0) <= TEXT_ROWS):
                condition = sql.SQL("{} = {}::bigint").format(sql.Identifier(column.name), sql.Literal(number))
                yield _positions(table, condition), table
        texts = [column for column in named if column.datatype in ("char", "unicodeChar")]
        if texts and (table.nrows or 0) <= TEXT_ROWS:
            yield _positions(table, _any_named(texts, keys)), table


def _names_objects(column: Column) -> bool:
    """Whether its values are names of what the row is about."""
    first = (column.ucd or "").lower().split(";")[0]
    return first in ("meta.id", "meta.id.cross") and column.xtype is None


def _any_named(texts: Sequence[Column], keys: list[str]) -> sql.Composable:
    """That one of the names is one of these; a column may have several, separated by commas, and a number alone is
    one of the catalogue that the column is called after."""
    names = [
        sql.SQL("CASE WHEN {name} ~ '^[0-9]+$' THEN {catalogue} || {name} ELSE {name} END").format(
            name=sql.Identifier(column.name), catalogue=sql.Literal(column.name)
        )
        for column in texts
    ]
    return sql.SQL(
        "EXISTS (SELECT FROM unnest(string_to_array(concat_ws(',', {names}), ',')) AS n (name)"
        " WHERE {key} = ANY ({keys}))"
    ).format(names=sql.SQL(", ").join(names), key=sql.SQL(_KEY).format(sql.SQL("name")), keys=sql.Literal(keys))


def _positions(table: Table, condition: sql.Composable) -> sql.Composed:
    ra, dec = map(sql.Identifier, table.position or ("ra", "dec"))
    return sql.SQL(
        "SELECT {ra}, {dec} FROM {place} WHERE {ra} IS NOT NULL AND {dec} IS NOT NULL AND {condition} LIMIT 1"
    ).format(ra=ra, dec=dec, place=sql.Identifier(*(table.stored or (table.schema, table.name))), condition=condition)


def _ask(identity: Identity, query: sql.Composed) -> tuple[float, float] | None:
    """A table that does not answer now is passed over. Raises BusyError."""
    with datadb.reader() as connection:
        try:
            datadb.begin_reading(connection, identity, OWN_SECONDS)
            row = connection.execute(query).fetchone()
        except psycopg.Error as error:
            log.warning("a table was not searched for a name", extra={"reason": str(error)})
            return None
        finally:
            if not connection.closed:
                connection.rollback()
    return (float(row[0]), float(row[1])) if row and math.isfinite(row[0]) and math.isfinite(row[1]) else None


def _sesame(name: str) -> Resolved | None:
    """What Sesame says. Raises NotResolvedError when it cannot be asked."""
    refused = NotResolvedError(
        f"no table of this archive has an object {name!r}, and Sesame (CDS) cannot be asked from here now;"
        " write its coordinates"
    )
    if not _absence.ask():
        raise refused
    try:
        found = _asked(name)
    except QueryError as error:
        _absence.note(answered=False)
        log.info("Sesame does not answer", extra={"reason": str(error)})
        raise refused from error
    _absence.note(answered=True)
    return Resolved(name, *found, "Sesame (CDS)") if found else None


@lru_cache(maxsize=4096)
def _asked(name: str) -> tuple[float, float] | None:
    url = f"{SESAME}{quote(name, safe='')}"
    with fetched(url, SESAME_BYTES, environment().upload_networks, SESAME_SECONDS) as (file, _):
        line = re.search(rb"^%J\s+([-+]?[\d.]+)\s+([-+]?[\d.]+)", file.read(), re.MULTILINE)
    try:
        ra, dec = (float(line[1]), float(line[2])) if line else (math.nan, math.nan)
    except ValueError:
        return None
    return (ra, dec) if 0 <= ra <= 360 and -90 <= dec <= 90 else None
