"""What editors say of schemas, tables and columns: it counts more than the description file, until it is taken back.

An edit is checked, written with who made it, and told by TAP_SCHEMA at once. The next ingest leaves it alone and only
notes what the description file says by then (`almagest.metadata.publish`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models as django

from almagest.accounts.identity import Identity
from almagest.accounts.models import User
from almagest.metadata import models, validators
from almagest.metadata.errors import InvalidFieldsError, NotAnEditorError, NotDescribedError
from almagest.metadata.models import Described, Edit
from almagest.metadata.publish import LISTS, Change, change, present

PERMISSION = "metadata.edit_metadata"
"""Django's name for the right; a group or a user may have it."""

FIELDS: dict[type[Described], tuple[str, ...]] = {
    models.Schema: (
        "title", "description", "utype", "creators", "licence", "licence_url", "acknowledgement", "reference_url",
        "doi", "publication_year",
    ),
    models.Table: ("title", "description", "utype", "epoch", "examples"),
    models.Column: ("description", "unit", "ucd", "utype", "principal"),
}  # fmt: skip
"""What can be edited; everything else follows from the data."""

STRUCTURED = frozenset({*LISTS, "principal", "publication_year"})
"""Those that are no texts."""

_CHECKS: dict[str, Callable[[str], str]] = {
    "unit": validators.unit,
    "ucd": validators.ucd,
    "epoch": validators.epoch,
    "doi": validators.doi,
    "orcid": validators.orcid,
    "ror": validators.ror,
}

_LIST_FIELDS = {
    "creators": ("name", "orcid", "affiliation", "ror"),
    "examples": ("name", "description", "query"),
}
_LIST_MODELS: dict[str, type[django.Model]] = {"creators": models.Creator, "examples": models.Example}
_REQUIRED = {"creators": ("name",), "examples": ("name", "query")}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it is published. described: what the description file says, where an editor says otherwise."""

    name: str
    value: Any
    origin: Edit.Origin
    described: Any = None


def fields(name: str) -> list[Field]:
    """Everything that can be edited of `schema`, `schema.table` or `schema.table.column`. Raises NotDescribedError."""
    row = _find(name)
    found = []
    for field in FIELDS[type(row)]:
        by_editor = field in row.edited
        origin = Edit.Origin.EDITOR if by_editor else Edit.Origin.DESCRIPTION
        found.append(Field(field, _value(row, field), origin, row.edited.get(field) if by_editor else None))
    return found


def edit(editor: Identity | None, name: str, values: Mapping[str, Any]) -> bool:
    """Let these fields of a schema, table or column say this from now on; True when one of them says something else.

    editor: who wants it, None for the operator at the command line. A list (`creators`, `examples`) is given whole, as
    objects. Raises NotAnEditorError, NotDescribedError, or InvalidFieldsError with a sentence for each wrong field;
    then nothing changes.
    """
    user = _require_editor(editor)
    with change() as made:
        row = _find(name, for_update=True)
        checked = _checked(row, values)
        for field, value in checked.items():
            before = _value(row, field)
            if before == value and field in row.edited:
                continue
            row.edited = {field: before, **row.edited}
            _write(made, row, field, value)
            _log(name, field, before, value, Edit.Origin.EDITOR, user)
        row.save(update_fields=["edited"])
    return made.made


def restore(editor: Identity | None, name: str, names: Sequence[str]) -> bool:
    """Let these fields follow the description file again; True when one of them says something else by that.

    Raises as `edit`; fields that no editor has touched stay as they are.
    """
    user = _require_editor(editor)
    with change() as made:
        row = _find(name, for_update=True)
        unknown = {field: ["there is no such field"] for field in names if field not in FIELDS[type(row)]}
        if unknown:
            raise InvalidFieldsError(unknown)
        for field in names:
            if field in row.edited:
                before, value = _value(row, field), row.edited[field]
                row.edited = {other: said for other, said in row.edited.items() if other != field}
                _write(made, row, field, value)
                _log(name, field, before, value, Edit.Origin.DESCRIPTION, user)
        row.save(update_fields=["edited"])
    return made.made


def history(name: str) -> list[Edit]:
    """The edits of a schema, table or column, the latest first."""
    return list(Edit.objects.filter(name=name).select_related("editor"))


def _require_editor(editor: Identity | None) -> User | None:
    if editor is None:
        return None
    user = User.objects.filter(pk=editor.user, is_active=True).first() if editor.user is not None else None
    if user is None or not user.has_perm(PERMISSION):
        raise NotAnEditorError("you may not edit what this archive says of its tables; its operator can let you")
    return user


def _find(name: str, *, for_update: bool = False) -> Described:
    rows: django.QuerySet[Any] | None = None
    match name.split("."):
        case [schema]:
            rows = models.Schema.objects.filter(name=schema)
        case [schema, table]:
            rows = models.Table.objects.filter(schema__name=schema, name=table)
        case [schema, table, column]:
            rows = models.Column.objects.filter(table__schema__name=schema, table__name=table, name=column)
    if rows is not None and for_update:
        rows = rows.select_for_update(of=("self",))
    found: Described | None = rows.first() if rows is not None else None
    if found is None:
        raise NotDescribedError(f"there is no schema, table or column {name[:200]!r}")
    return found


def _value(row: Described, field: str) -> Any:
    return present(row, field) if field in LISTS else getattr(row, field)


def _write(made: Change, row: Described, field: str, value: Any) -> None:
    if field in LISTS:
        made.set_list(row, field, value)
    else:
        made.update(row, {field: value})


def _log(name: str, field: str, before: Any, after: Any, origin: Edit.Origin, user: User | None) -> None:
    Edit.objects.create(name=name, field=field, before=before, after=after, origin=origin, editor=user)


def _checked(row: Described, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored."""
    wrong: dict[str, list[str]] = {}
    checked: dict[str, Any] = {}
    for field, value in values.items():
        try:
            if field not in FIELDS[type(row)]:
                known = ", ".join(FIELDS[type(row)])
                raise ValueError(f"there is no such field; there are {known}")  # noqa: TRY301 - all are told at once
            checked[field] = _checked_list(field, value) if field in LISTS else _checked_value(row, field, value)
        except ValidationError as error:
            wrong[field] = error.messages
        except ValueError as error:
            wrong[field] = [str(error)]
    if wrong:
        raise InvalidFieldsError(wrong)
    return checked


def _checked_value(row: django.Model, field: str, value: Any) -> Any:
    column = cast("django.Field[Any, Any]", row._meta.get_field(field))  # noqa: SLF001 - Django's name for it
    if isinstance(column, django.CharField | django.TextField):
        if not isinstance(value, str):
            raise ValueError("has to be a text")  # noqa: TRY004 - told as a wrong value
        value = value.strip()
        if "\0" in value:
            raise ValueError("holds a character that no text of a database can hold")
    check = _CHECKS.get(field)
    if check and value:
        value = check(value)
    return column.clean(value, row)


def _checked_list(field: str, value: Any) -> list[dict[str, Any]]:
    names = _LIST_FIELDS[field]
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("has to be a list of objects")
    found = []
    for number, item in enumerate(value, 1):
        if item.keys() - set(names):
            raise ValueError(f"number {number} has {', '.join(sorted(item.keys() - set(names)))}; it may have {names}")
        missing = [name for name in _REQUIRED[field] if not str(item.get(name, "")).strip()]
        if missing:
            raise ValueError(f"number {number} lacks {', '.join(missing)}")
        new = {name: _checked_value(_LIST_MODELS[field](), name, item.get(name, "")) for name in names}
        found.append(new)
    return found
