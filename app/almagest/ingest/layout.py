"""The table to be: a source's columns joined with its description, checked as a whole. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from almagest.adql.catalogue import Column
from almagest.formats.decode.shapes import XTYPES
from almagest.formats.pgcopy import sql_type
from almagest.ingest.description import IDENTIFIER, Description
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import Head

VERSION = 2
"""Part of every fingerprint: raised when this release would lay the same data out differently, or find out more."""

RESERVED_SCHEMAS = frozenset(
    {"almagest", "information_schema", "public", "results", "tap_schema", "tap_upload", "tap_user"}
)


@dataclass(frozen=True)
class Layout:
    """A table as it will be created. columns: in the source's order; position: (right ascension, declination)."""

    schema: str
    table: str
    columns: tuple[Column, ...]
    position: tuple[str, str] | None
    primary_key: str | None
    indexes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def indexed(self) -> frozenset[str]:
        """Columns on which a condition is fast."""
        return frozenset((*self.indexes, *(self.position or ()), *((self.primary_key,) if self.primary_key else ())))

    def fingerprint(self, digests: Sequence[str]) -> str:
        """Names this content in this shape: equal means that loading again would change nothing.

        digests: of the source's files in order; none names the shape alone.

        Descriptions, units and UCDs are left out: they live in the metadata and change without a load.
        """
        shape = {
            "version": VERSION,
            "digests": list(digests),
            "columns": [(column.name, sql_type(column)) for column in self.columns],
            "position": self.position,
            "primary_key": self.primary_key,
            "indexes": self.indexes,
        }
        return hashlib.sha256(json.dumps(shape).encode()).hexdigest()


def layout(table: str, source: Head, description: Description) -> Layout:
    """Join `source` and `description` into `table` (`schema.name`). Raises IngestError where they do not fit."""
    schema, name = _split(table)
    columns = tuple(_column(column, source, description) for column in source.columns)
    present = {column.name: column for column in columns}
    for wanted, described in description.columns.items():
        if wanted not in present:
            hint = f"; it has {', '.join(column.name for column in source.columns)}"
            raise IngestError(f"is missing in the file{hint}", file=source.name, column=described.source or wanted)
    _check_case(columns, source)
    _check_references(description, present, source)
    return Layout(
        schema,
        name,
        columns,
        description.table.position,
        description.table.primary_key,
        description.table.indexes,
    )


def _split(table: str) -> tuple[str, str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}", table):
        raise IngestError(f"{table!r} is no table name; it must be schema.table in lower case letters, digits and _")
    schema, _, name = table.partition(".")
    if schema in RESERVED_SCHEMAS or schema.startswith(("pg_", "almagest_")):
        raise IngestError(f"the schema name {schema!r} is reserved")
    return schema, name


def _column(column: Column, source: Head, description: Description) -> Column:
    if column.xtype in XTYPES:
        # Stored as the arrays that they are: only uploads become shapes of the database.
        column = replace(column, xtype=None)
    name, described = description.named(column.name)
    if not re.fullmatch(IDENTIFIER, name):
        message = "is no ADQL identifier; give it a name in the metadata file, as `columns: {new_name: {source: …}}`"
        raise IngestError(message, file=source.name, column=repr(name))
    if described is None:
        return replace(column, name=name)
    return replace(
        column,
        name=name,
        unit=column.unit if described.unit is None else described.unit or None,
        ucd=described.ucd or column.ucd,
        utype=described.utype or column.utype,
        description=(described.description or column.description).strip(),
    )


def _check_case(columns: tuple[Column, ...], source: Head) -> None:
    seen: dict[str, str] = {}
    for column in columns:
        other = seen.setdefault(column.name.lower(), column.name)
        if other != column.name:
            raise IngestError(f"differs from {other} only in letter case", file=source.name, column=column.name)


def _check_references(description: Description, present: dict[str, Column], source: Head) -> None:
    table = description.table
    roles = {
        "primary_key": (table.primary_key,) if table.primary_key else (),
        "position": table.position or (),
        "indexes": table.indexes,
    }
    for role, names in roles.items():
        for name in names:
            if name not in present:
                raise IngestError(f"is named by {role} and is not in the file", file=source.name, column=name)
    for name in roles["position"]:
        if present[name].datatype != "double":
            message = f"is {present[name].datatype}; a position needs double (declare `datatype: double`)"
            raise IngestError(message, file=source.name, column=name)
