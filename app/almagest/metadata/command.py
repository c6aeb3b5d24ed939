"""`almagest-app access`: who may read a schema, a table, a column or a function, and who may know of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import psycopg
from django.db import Error as DatabaseError

from almagest.accounts.command import group
from almagest.accounts.errors import NoSuchAccountError
from almagest.metadata import models
from almagest.metadata.access import Aspect
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
