"""`almagest-app access`: who may read a schema, a table, a column or a function, and who may know of it; and
`almagest-app metadata`: what is said of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.db import Error as DatabaseError

from almagest.accounts.command import group
from almagest.accounts.errors import NoSuchAccountError
from almagest.metadata import edit, models
from almagest.metadata.access import Aspect
from almagest.metadata.errors import MetadataError
from almagest.metadata.levels import Level
from almagest.metadata.models import Guarded
from almagest.metadata.publish import change

ASPECTS: dict[str, tuple[Aspect, ...]] = {
    "data": ("access",),
    "metadata": ("metadata",),
    "both": ("access", "metadata"),
}


def access(name: str, level: str, groups: Sequence[str], of: str) -> int:
    """Give an object a level for its data, its metadata, or both; returns the exit code.

    name: SCHEMA, SCHEMA.TABLE, SCHEMA.TABLE.COLUMN, or FUNCTION(). groups: whom a private level admits.
    """
    try:
        members = [group(known) for known in groups]
        with change() as made:
            found = _object(name)
            if found is None:
                print(f"almagest-app access: {name} is not described here", file=sys.stderr)
                return 1
            for aspect in ASPECTS[of]:
                setattr(found, f"{aspect}_level", Level(level))
                getattr(found, f"{aspect}_groups").set(members)
            found.save()
            made.structure = True
    except NoSuchAccountError as error:
        print(f"almagest-app access: {error}", file=sys.stderr)
        return 1
    except (psycopg.Error, DatabaseError) as error:
        print(f"almagest-app access: database: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _object(name: str) -> Guarded | None:
    if name.endswith("()"):
        return models.Function.objects.get_or_create(name=name.removesuffix("()").upper())[0]
    match name.split("."):
        case [schema]:
            return models.Schema.objects.filter(name=schema).first()
        case [schema, table]:
            return models.Table.objects.filter(schema__name=schema, name=table).first()
        case [schema, table, column]:
            found = models.Column.objects.filter(table__schema__name=schema, table__name=table, name=column)
            return found.first()
    return None


def show(name: str) -> int:
    """Print every field of a schema, table or column, and where it comes from; returns the exit code."""

    def tell() -> None:
        for field in edit.fields(name):
            print(f"{field.name} ({field.origin.label}): {_shown(field.value)}")
            if field.origin == models.Edit.Origin.EDITOR:
                print(f"  the description file says: {_shown(field.described)}")

    return _told(tell)


def set_field(name: str, field: str, text: str) -> int:
    """Let a field say this, whatever the description file says; returns the exit code. text: JSON where the field is no
    text."""
    return _told(lambda: edit.edit(None, name, {field: _value(field, text)}))


def restore(name: str, fields: Sequence[str]) -> int:
    """Let fields follow the description file again; returns the exit code."""
    return _told(lambda: edit.restore(None, name, fields))


def history(name: str) -> int:
    """Print the edits of a schema, table or column, the latest first; returns the exit code."""

    def tell() -> None:
        for entry in edit.history(name):
            who = entry.editor.username if entry.editor else "the command line"
            change = f"{entry.field}: {_shown(entry.before)} → {_shown(entry.after)}"
            print(f"{entry.edited_at:%Y-%m-%d %H:%M:%S} {who} ({entry.get_origin_display()}) {change}")

    return _told(tell)


def _told(run: Callable[[], object]) -> int:
    try:
        run()
    except MetadataError as error:
        print(f"almagest-app metadata: {error}", file=sys.stderr)
        return 1
    except (psycopg.Error, DatabaseError) as error:
        print(f"almagest-app metadata: database: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _value(field: str, text: str) -> Any:
    if field not in edit.STRUCTURED:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise MetadataError(f"{field} is written as JSON, and this is none: {error}") from error


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
