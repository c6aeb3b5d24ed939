"""A few rows as Python values, for documents that are made around them; answers are streamed (`answer`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import psycopg

from almagest import adql
from almagest.accounts.identity import Identity
from almagest.catalogue import Catalogue, Column, Table, written
from almagest.query import datadb, limits
from almagest.query.failures import explain

ADVICE = "Ask for fewer rows at once."

KEYS_PER_QUERY = 100
"""Written out, so many keys stay below the length of a query that is translated."""

KEY_CHARACTERS = 200

_INTEGERS = {"short": 15, "int": 31, "long": 63}
"""Type → bits of its largest number."""

_TEXT = re.compile(f"[^\0\ud800-\udfff]{{0,{KEY_CHARACTERS}}}")


def fetch(identity: Identity, translation: adql.Translation) -> list[tuple[Any, ...]]:
    """All rows of a query that has few, read with the identity's rights. Raises QueryError."""
    with datadb.reader() as connection:
        try:
            datadb.begin_reading(connection, identity, limits.SYNC_SECONDS)
            return connection.execute(translation.sql.encode()).fetchall()
        except psycopg.Error as error:
            raise explain(error, ADVICE) from error
        finally:
            if not connection.closed:
                connection.rollback()


def by_key(
    identity: Identity, sky: Catalogue, table: Table, column: Column, keys: Collection[str]
) -> dict[str, tuple[float | None, float | None]]:
    """Those of `keys` that rows of the table have in this column, each with the row's position in degrees, which is
    (None, None) where the table has none.

    Whole numbers and text are compared as such, and no row has a key that is neither, or longer than KEY_CHARACTERS.
    Raises QueryError.
    """
    literals = [text for key in keys if (text := literal(column, key)) is not None]
    found: dict[str, tuple[float | None, float | None]] = {}
    for start in range(0, len(literals), KEYS_PER_QUERY):
        for key, *position in fetch(identity, _by_key(sky, table, column, literals[start : start + KEYS_PER_QUERY])):
            found[str(key)] = (position[0], position[1]) if position else (None, None)
    return found


def literal(column: Column, key: str) -> str | None:
    """The key as ADQL writes it; None when no value of the column is written so."""
    bits = _INTEGERS.get(column.datatype)
    if bits is not None:
        return key if re.fullmatch(r"0|-?[1-9][0-9]{0,18}", key) and -(2**bits) <= int(key) < 2**bits else None
    if column.datatype in ("char", "unicodeChar") and column.xtype is None and _TEXT.fullmatch(key):
        return "'" + key.replace("'", "''") + "'"
    return None


def _by_key(sky: Catalogue, table: Table, column: Column, literals: Sequence[str]) -> adql.Translation:
    key = written(column.name)
    selected = ", ".join((key, *(written(name) for name in table.position or ())))
    query = f"SELECT {selected} FROM {table.written} WHERE {key} IN ({', '.join(literals)})"  # noqa: S608 - it is ADQL
    return adql.translate(query, sky)
