"""What people write about a table: a YAML file beside the data, checked before anything is read.

The demo catalogues are described in the same form, in `demo/*.yaml`; docs/app/ingest.md explains it with an example.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from almagest.catalogue import Datatype
from almagest.ingest.errors import IngestError
from almagest.metadata import validators

IDENTIFIER = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
"""ADQL's regular identifiers (ADQL 2.1 §2.1.4), as long as PostgreSQL keeps them."""


Unit = Annotated[str, AfterValidator(validators.unit)]
Ucd = Annotated[str, AfterValidator(validators.ucd)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Creator(_Model):
    """An author, as a paper cites them. affiliation: where they work, and ror its identifier (ror.org)."""

    name: str = Field(min_length=1, max_length=200)
    orcid: Annotated[str, AfterValidator(validators.orcid)] = ""
    affiliation: str = Field(default="", max_length=300)
    ror: Annotated[str, AfterValidator(validators.ror)] = ""


def _creator(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class SchemaDescription(_Model):
    """The work that a schema holds. What is left out keeps the value that an earlier ingest gave it."""

    title: str | None = Field(default=None, max_length=200)
    description: str | None = None
    utype: str | None = None
    creators: tuple[Annotated[Creator, BeforeValidator(_creator)], ...] | None = None
    licence: str | None = Field(default=None, max_length=200)
    licence_url: str | None = None
    acknowledgement: str | None = None
    reference_url: str | None = None
    doi: Annotated[str, AfterValidator(validators.doi)] | None = None
    publication_year: int | None = Field(default=None, ge=1500, le=2999)
    order: int | None = Field(default=None, ge=0)


class ForeignKeyDescription(_Model):
    """Columns that name rows of another table. target: schema.table; columns: name here → name there."""

    target: str = Field(pattern=r"^[^.]{1,63}\.[^.]{1,63}$")
    columns: dict[str, str] = Field(min_length=1)
    description: str = ""
    utype: str = ""


class TableDescription(_Model):
    """A table. position: names of its right ascension and declination, ICRS degrees; epoch: the Julian year that they
    hold for; primary_key: a column's name; indexes: columns that get a B-tree; foreign_keys: told to users, not
    enforced. published None: as it was, and a new table is published."""

    title: str = Field(default="", max_length=200)
    description: str = ""
    utype: str = ""
    order: int = Field(default=0, ge=0)
    published: bool | None = None
    position: tuple[str, str] | None = None
    epoch: str = Field(default="", pattern=r"^(J\d{4}(\.\d{1,4})?)?$")
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


@dataclass(frozen=True)
class Problem:
    """What is wrong with a metadata file. line: counted from 1; key: `columns.ra.unit`, or `document` for all of it."""

    line: int
    key: str
    message: str


def read(path: Path) -> Description:
    """The metadata file at `path`. Raises IngestError with the line and key of the first thing that is wrong."""
    content, problems = _parse(path)
    if not problems:
        try:
            return Description.model_validate(content or {})
        except ValidationError as error:
            problems = _problems(path, error)
    first = problems[0]
    raise IngestError(f"{first.key}: {first.message}", file=f"{path}, line {first.line}")


def problems(path: Path) -> list[Problem]:
    """Everything that is wrong with the metadata file at `path`. Raises IngestError when it cannot be read."""
    content, found = _parse(path)
    if not found:
        try:
            Description.model_validate(content or {})
        except ValidationError as error:
            return _problems(path, error)
    return found


def _parse(path: Path) -> tuple[Any, list[Problem]]:
    """The file's content and the keys that it has twice, of which YAML would keep the last without a word."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise IngestError(f"cannot be read: {error.strerror}", file=str(path)) from error
    try:
        return yaml.safe_load(text), list(_doubled(yaml.compose(text, yaml.SafeLoader), ""))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Problem(line, "document", f"is not YAML: {error.problem}")]
    except yaml.YAMLError as error:
        return None, [Problem(1, "document", f"is not YAML: {' '.join(str(error).split())}")]


def _doubled(node: yaml.Node | None, place: str) -> Iterator[Problem]:
    match node:
        case yaml.MappingNode():
            seen: set[str] = set()
            for key, value in node.value:
                name = f"{place}.{key.value}".removeprefix(".")
                if key.value in seen:
                    yield Problem(key.start_mark.line + 1, name, "is here twice")
                seen.add(key.value)
                yield from _doubled(value, name)
        case yaml.SequenceNode():
            for number, value in enumerate(node.value):
                yield from _doubled(value, f"{place}.{number}")


def _problems(path: Path, error: ValidationError) -> list[Problem]:
    document = yaml.compose(path.read_bytes(), yaml.SafeLoader)
    found = []
    for wrong in error.errors():
        place = [part for part in wrong["loc"] if part != "[key]"]
        key = ".".join(str(part) for part in place) or "document"
        found.append(Problem(_line(document, place), key, wrong["msg"].removeprefix("Value error, ")))
    return sorted(found, key=lambda problem: problem.line)


def _line(node: yaml.Node | None, place: Sequence[int | str]) -> int:
    """The line of the deepest part of `place` that the document has."""
    line = 1
    for part in place:
        inner = None
        match node:
            case yaml.MappingNode():
                inner = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            case yaml.SequenceNode() if isinstance(part, int) and part < len(node.value):
                inner = (node.value[part], node.value[part])
        if inner is None:
            return line
        line, node = inner[0].start_mark.line + 1, inner[1]
    return line
