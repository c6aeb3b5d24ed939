"""What people write about a table: a YAML file beside the data, checked before anything is read.

The demo catalogues are described in the same form, in `demo/*.yaml`; docs/app/ingest.md explains it with an example.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from astropy import units
from astropy.io.votable.ucd import check_ucd
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from almagest.adql.catalogue import Datatype
from almagest.ingest.errors import IngestError

IDENTIFIER = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
"""ADQL's regular identifiers (ADQL 2.1 §2.1.4), as long as PostgreSQL keeps them."""


def _unit(value: str) -> str:
    try:
        units.Unit(value, format="vounit", parse_strict="raise")
    except ValueError as error:
        raise ValueError(f"{value!r} is no VOUnit") from error
    return value


def _ucd(value: str) -> str:
    if not check_ucd(value, check_controlled_vocabulary=True, has_colon=True):
        raise ValueError(f"{value!r} is no UCD1+")
    return value


Unit = Annotated[str, AfterValidator(_unit)]
Ucd = Annotated[str, AfterValidator(_ucd)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SchemaDescription(_Model):
    """The work that a schema holds. What is left out keeps the value that an earlier ingest gave it."""

    title: str | None = Field(default=None, max_length=200)
    description: str | None = None
    utype: str | None = None
    creators: tuple[str, ...] | None = None
    licence: str | None = Field(default=None, max_length=200)
    licence_url: str | None = None
    acknowledgement: str | None = None
    reference_url: str | None = None
    order: int | None = Field(default=None, ge=0)


class ForeignKeyDescription(_Model):
    """Columns that name rows of another table. target: schema.table; columns: name here → name there."""

    target: str = Field(pattern=r"^[^.]{1,63}\.[^.]{1,63}$")
    columns: dict[str, str] = Field(min_length=1)
    description: str = ""
    utype: str = ""


class TableDescription(_Model):
    """A table. position: names of its right ascension and declination, ICRS degrees; primary_key: a column's name;
    indexes: columns that get a B-tree; foreign_keys: told to users, not enforced. published None: as it was, and a new
    table is published."""

    title: str = Field(default="", max_length=200)
    description: str = ""
    utype: str = ""
    order: int = Field(default=0, ge=0)
    published: bool | None = None
    position: tuple[str, str] | None = None
    primary_key: str | None = None
    indexes: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKeyDescription, ...] = ()


class ColumnDescription(_Model):
    """A column. source: its name in the file when that differs; the rest replaces what the file says."""

    source: str | None = None
    datatype: Datatype | None = None
    unit: Unit | None = None
    ucd: Ucd | None = None
    utype: str | None = None
    description: str | None = None
    principal: bool = False


class ExampleDescription(_Model):
    """A query worth trying. name: a line that says what for; query: ADQL, over this table and any others."""

    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    query: str = Field(min_length=1)


class Description(_Model):
    """Everything that one metadata file says. columns: by name, in any order; the file's order is the table's."""

    data: SchemaDescription = Field(default=SchemaDescription(), alias="schema")
    table: TableDescription = TableDescription()
    columns: dict[Annotated[str, Field(pattern=IDENTIFIER)], ColumnDescription] = Field(default_factory=dict)
    examples: tuple[ExampleDescription, ...] = ()

    @model_validator(mode="after")
    def _no_column_twice(self) -> Description:
        sources = [column.source or name for name, column in self.columns.items()]
        twice = {source for source in sources if sources.count(source) > 1}
        if twice:
            raise ValueError(f"two columns come from {', '.join(sorted(twice))}")
        return self

    def named(self, source: str) -> tuple[str, ColumnDescription | None]:
        """(name in the table, description) of the column that is called `source` in the file."""
        for name, column in self.columns.items():
            if (column.source or name) == source:
                return name, column
        return source, None

    def declared(self) -> dict[str, Datatype]:
        """The types asked for, by the columns' names in the file."""
        return {(column.source or name): column.datatype for name, column in self.columns.items() if column.datatype}


def read(path: Path) -> Description:
    """The metadata file at `path`. Raises IngestError naming the entry that is wrong."""
    try:
        content: Any = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise IngestError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except yaml.YAMLError as error:
        raise IngestError(f"is not YAML: {' '.join(str(error).split())}", file=str(path)) from error
    try:
        return Description.model_validate(content or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise IngestError(f"{place or 'document'}: {said}", file=str(path)) from error
