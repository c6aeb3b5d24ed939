"""What editors say of tables: who may, what becomes of it at the next ingest, and whom it holds up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from support.access import Access
from support.application import Application

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

COLUMN = "openngc.objects.name"
_EDIT = """
from almagest.accounts.authentication import of
from almagest.accounts.identity import NOBODY
from almagest.accounts.models import User
from almagest.metadata.edit import edit
from almagest.metadata.errors import MetadataError
user = User.objects.filter(username={user!r}).first()
try:
    print(edit(of(user) if user else NOBODY, {name!r}, {values!r}))
except MetadataError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def filled(application: Application) -> Application:
    assert application.run("ingest", "--dataset", "openngc.objects").code == 0
    return application


@pytest.fixture
def access(filled: Application) -> Iterator[Access]:
    prepared = Access.prepared(filled)
    yield prepared
    for name, fields in ((COLUMN, ("description", "ucd")), ("openngc", ("title", "creators", "doi"))):
        prepared.run("metadata", "restore", name, *fields)


def described(application: Application, name: str) -> dict[str, Any]:
    """The row of TAP_SCHEMA.columns."""
    table, _, column = name.rpartition(".")
    with application.data("almagest_public") as data:
        row = data.execute(
            "SELECT description, unit, ucd FROM tap_schema.columns WHERE table_name = %s AND column_name = %s",
            (table, column),
        ).fetchone()
    assert row is not None
    return dict(zip(("description", "unit", "ucd"), row, strict=True))


def edit(access: Access, user: str, name: str, **values: object) -> str:
    return access.python(_EDIT.format(user=user, name=name, values=values)).strip()


def test_an_edit_is_told_at_once_and_stays_when_the_description_is_ingested_again(access: Access) -> None:
    before = described(access.application, COLUMN)
    access.run("metadata", "set", COLUMN, "description", "Its name in the New General Catalogue")
    access.run("metadata", "set", "openngc", "title", "Open catalogue")
    access.run("metadata", "set", "openngc", "creators", '[{"name": "Tester, A.", "orcid": "0000-0002-1825-0097"}]')
    assert described(access.application, COLUMN) == before | {"description": "Its name in the New General Catalogue"}
    assert access.application.run("ingest", "--dataset", "openngc.objects").code == 0
    assert described(access.application, COLUMN)["description"] == "Its name in the New General Catalogue"
    shown = access.run("metadata", "show", "openngc")
    assert "title (an editor): Open catalogue" in shown
    assert "Tester, A." in shown
    assert "licence (the description file): CC BY-SA 4.0" in shown
    access.run("metadata", "restore", COLUMN, "description")
    assert described(access.application, COLUMN) == before
    access.run("metadata", "restore", "openngc", "title", "creators")
    assert "Verga, M." in access.run("metadata", "show", "openngc").partition("\nlicence")[0]
    history = access.run("metadata", "history", COLUMN).splitlines()
    assert len(history) >= 2
    assert "the command line" in history[0]


def test_only_who_has_the_right_edits(access: Access) -> None:
    before = described(access.application, COLUMN)
    for user in ("", "rita", "otto"):
        assert edit(access, user, COLUMN, description="changed").startswith("NotAnEditorError you may not edit")
    assert described(access.application, COLUMN) == before
    access.run("group", "add", "curators", "--may", "edit-metadata")
    access.join("rita", "curators")
    try:
        assert edit(access, "rita", COLUMN, description="changed") == "True"
        assert described(access.application, COLUMN)["description"] == "changed"
        assert "rita" in access.run("metadata", "history", COLUMN).splitlines()[0]
        assert edit(access, "otto", COLUMN, description="mine").startswith("NotAnEditorError")
    finally:
        access.leave("rita", "curators")
    assert edit(access, "rita", COLUMN, description="again").startswith("NotAnEditorError")


@pytest.mark.parametrize(
    ("name", "field", "value", "said"),
    [
        (COLUMN, "unit", "lightyears", "unit: 'lightyears' is no VOUnit"),
        (COLUMN, "ucd", "phot.colour", "is no UCD1+"),
        (COLUMN, "nrows", "5", "there is no such field"),
        (COLUMN, "principal", "perhaps", "is written as JSON"),
        ("openngc", "doi", "10.1/<b>", "is no DOI"),
        ("openngc", "licence_url", "javascript:alert(1)", "licence_url: Enter a valid URL."),
        ("openngc", "title", "x" * 201, "at most 200 characters"),
        ("openngc", "creators", '[{"name": ""}]', "number 1 lacks name"),
        ("openngc", "creators", '[{"name": "A", "admin": true}]', "number 1 has admin"),
        ("openngc", "creators", '{"name": "A"}', "has to be a list of objects"),
        ("openngc", "creators", '[{"name": "A", "orcid": "0000-0002-1825-0098"}]', "its check digit is wrong"),
        ("openngc", "publication_year", '"soon"', "value must be an integer"),
        ("nothing", "title", "x", "there is no schema, table or column 'nothing'"),
        ("a.b.c.d", "title", "x", "there is no schema, table or column"),
    ],
)
def test_what_is_wrong_gets_its_sentence_and_changes_nothing(
    access: Access, name: str, field: str, value: str, said: str
) -> None:
    before = access.application.console.run("metadata", "show", name).out
    outcome = access.application.console.run("metadata", "set", name, field, value)
    assert outcome.code == 1
    assert said in outcome.err
    assert access.application.console.run("metadata", "show", name).out == before


def test_a_typo_is_corrected_while_the_grants_are_held(access: Access) -> None:
    """By a synchronisation of a large archive, for example, or by a load that swaps its table."""
    with access.application.data() as owner, owner.transaction():
        owner.execute("SELECT pg_advisory_xact_lock(hashtext('almagest.grants'))")
        access.run("metadata", "set", COLUMN, "description", "Corrected")
        assert described(access.application, COLUMN)["description"] == "Corrected"


def test_an_edit_that_cannot_be_told_is_not_made(access: Access) -> None:
    before = json.dumps(access.run("metadata", "show", COLUMN))
    with access.application.data() as owner:
        owner.execute("ALTER FUNCTION almagest.tell_tap_schema RENAME TO tell_nobody")
        try:
            outcome = access.application.console.run("metadata", "set", COLUMN, "description", "Lost")
        finally:
            owner.execute("ALTER FUNCTION almagest.tell_nobody RENAME TO tell_tap_schema")
    assert outcome.code == 1
    assert "database" in outcome.err
    assert json.dumps(access.run("metadata", "show", COLUMN)) == before


def test_nobody_but_the_login_roles_may_tell(filled: Application) -> None:
    with filled.data("almagest_public") as data, pytest.raises(psycopg.errors.InsufficientPrivilege):
        data.execute("SELECT almagest.tell_tap_schema('{}')")
