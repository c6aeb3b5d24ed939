"""TAP_SCHEMA inside the data database: it says what the catalogue holds, to each role what that may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from almagest.catalogue import Catalogue, Column, ForeignKey, Schema, Table
from almagest.metadata import tap_schema
from support.application import Application

pytestmark = pytest.mark.integration

EVERYBODY, MEMBERS, USER, VISITOR = "vosi_everybody", "vosi_members", "vosi_user", "vosi_visitor"

OPEN = Table(
    "survey", "stars", (Column("id", "long", indexed=True), Column("size", "char", "8*"), Column("draft", "int"))
)
CLOSED = Table(
    "private",
    "notes",
    (Column("star", "long"),),
    keys=(ForeignKey(("survey", "stars"), (("star", "id"),), "the star"),),
)
CATALOGUE = Catalogue([OPEN, CLOSED, *tap_schema.TABLES], [Schema("survey", description="Größe")])


def readers(table: Table, column: Column | None) -> Sequence[str]:
    """Members see all; everybody the open table without its draft column, and TAP_SCHEMA."""
    hidden = table.schema == "private" or (column is not None and column.name == "draft")
    return [MEMBERS] if hidden else [EVERYBODY]


@pytest.fixture
def data(application: Application) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection, with two roles that hold rights and two that log in; nothing of it stays."""
    with application.data() as connection, connection.transaction(force_rollback=True):
        for role in (EVERYBODY, MEMBERS, USER, VISITOR):
            connection.execute(f"CREATE ROLE {role}")
            connection.execute(f"GRANT {role} TO CURRENT_USER WITH SET TRUE")
        connection.execute(f"GRANT {EVERYBODY} TO {VISITOR}, {MEMBERS}; GRANT {MEMBERS} TO {USER}")
        connection.execute(f"GRANT USAGE ON SCHEMA tap_schema TO {EVERYBODY}")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA tap_schema TO {EVERYBODY}")
        tap_schema.write(connection, CATALOGUE, readers)
        yield connection


def seen(data: psycopg.Connection[Any], role: str, query: str) -> list[Any]:
    """The first column of what a role reads."""
    with data.transaction(force_rollback=True):
        data.execute(f"SET LOCAL ROLE {role}")
        return [row[0] for row in data.execute(query).fetchall()]


ALL_BUT_ITSELF = "WHERE table_name !~ '^tap_schema'"


def test_each_sees_what_its_roles_may(data: psycopg.Connection[Any]) -> None:
    tables = f"SELECT table_name FROM tap_schema.tables {ALL_BUT_ITSELF} ORDER BY table_index"
    columns = f"SELECT column_name FROM tap_schema.columns {ALL_BUT_ITSELF} ORDER BY table_name, column_index"
    schemas = "SELECT schema_name FROM tap_schema.schemas ORDER BY schema_index"
    assert seen(data, VISITOR, tables) == ["survey.stars"]
    assert seen(data, VISITOR, columns) == ["id", '"size"']
    assert seen(data, VISITOR, schemas) == ["survey", "tap_schema"]
    assert seen(data, USER, tables) == ["survey.stars", "private.notes"]
    assert seen(data, USER, columns) == ["star", "id", '"size"', "draft"]
    assert seen(data, USER, schemas) == ["survey", "private", "tap_schema"]


def test_key_is_seen_only_by_those_who_see_both_ends(data: psycopg.Connection[Any]) -> None:
    keys = "SELECT key_id FROM tap_schema.keys WHERE from_table = 'private.notes'"
    pairs = "SELECT from_column || '→' || target_column FROM tap_schema.key_columns WHERE key_id ~ '^private'"
    assert (seen(data, VISITOR, keys), seen(data, VISITOR, pairs)) == ([], [])
    assert (len(seen(data, USER, keys)), seen(data, USER, pairs)) == (1, ["star→id"])


def test_login_role_that_may_become_a_member_is_none_yet(data: psycopg.Connection[Any]) -> None:
    data.execute(f"GRANT {MEMBERS} TO {VISITOR} WITH INHERIT FALSE, SET TRUE")
    tables = f"SELECT table_name FROM tap_schema.tables {ALL_BUT_ITSELF}"
    assert seen(data, VISITOR, tables) == ["survey.stars"]


def test_errors_of_a_condition_tell_nothing_of_hidden_rows(data: psycopg.Connection[Any]) -> None:
    probe = "SELECT count(*) FROM tap_schema.columns WHERE 1 / (CASE column_name WHEN 'draft' THEN 0 ELSE 1 END) = 1"
    assert seen(data, VISITOR, probe)
    with pytest.raises(psycopg.errors.DivisionByZero):
        seen(data, USER, probe)


def test_stored_rows_are_nobodys_but_the_owners(data: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen(data, USER, "SELECT 1 FROM almagest.tap_columns")


def test_values_are_those_that_the_standard_wants(data: psycopg.Connection[Any]) -> None:
    rows = data.execute(
        'SELECT column_name, datatype, arraysize, "size", indexed, principal, std FROM tap_schema.columns'
        " WHERE table_name IN ('survey.stars', 'tap_schema.key_columns') ORDER BY table_name, column_index"
    ).fetchall()
    assert rows == [
        ("id", "long", None, None, 1, 0, 0),
        ('"size"', "char", "8*", 8, 0, 0, 0),
        ("draft", "int", None, None, 0, 0, 0),
        ("key_id", "char", "*", None, 0, 0, 1),
        ("from_column", "char", "*", None, 0, 0, 1),
        ("target_column", "char", "*", None, 0, 0, 1),
    ]
    keys = data.execute(
        "SELECT from_table, from_column, target_table, target_column FROM tap_schema.keys"
        " JOIN tap_schema.key_columns USING (key_id) WHERE from_table ~ '^tap_schema'"
    ).fetchall()
    assert {
        (f"{here}.{a}".removeprefix("tap_schema."), f"{there}.{b}".removeprefix("tap_schema."))
        for here, a, there, b in keys
    } == {
        ("tables.schema_name", "schemas.schema_name"),
        ("columns.table_name", "tables.table_name"),
        ("keys.from_table", "tables.table_name"),
        ("keys.target_table", "tables.table_name"),
        ("key_columns.key_id", "keys.key_id"),
    }


def test_nothing_is_written_when_nothing_differs(data: psycopg.Connection[Any]) -> None:
    assert tap_schema.write(data, CATALOGUE, readers) == 0
    described = Catalogue([replace(OPEN, description="Stars"), CLOSED, *tap_schema.TABLES], [Schema("survey")])
    assert tap_schema.write(data, described, readers) == 2  # the schema's description went, the table's came
    assert tap_schema.write(data, CATALOGUE, readers) == 2
