"""TAP_SCHEMA (TAP 1.1 §4): the published metadata as tables of the data database, in which queries find them.

The rows are in tables of the schema `almagest`, each with the roles that may see it. What visitors read are views over
them in the schema `tap_schema`: a row is there for whoever is a member of one of its roles. The views describe
themselves, as the standard wants.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from almagest.catalogue import Catalogue, Column, ForeignKey, Schema, Table, written
from almagest.formats.complexes import votable_type

NAME = "tap_schema"

Readers = Callable[[Table, Column | None], Sequence[str]]
"""The roles of the data database that may know of a table, or of a column of it."""

Rows = dict[str, list[dict[str, Any]]]
"""The rows of each table, by the table's name; each row by the names of its columns."""


def _text(name: str, description: str) -> Column:
    return Column(name, "char", "*", description=description, std=True)


def _prose(name: str, description: str) -> Column:
    return Column(name, "unicodeChar", "*", description=description, std=True)


def _whole(name: str, description: str) -> Column:
    return Column(name, "int", description=description, std=True)


def _key(target: str, here: str, there: str) -> tuple[ForeignKey, ...]:
    return (ForeignKey((NAME, target), ((here, there),)),)


_UTYPE = _text("utype", "its place in a data model")

TABLES = (
    Table(
        NAME,
        "schemas",
        (
            _text("schema_name", "name of the schema, as queries write it"),
            _UTYPE,
            _prose("description", "what the schema holds"),
            _whole("schema_index", "place of the schema in the archive's own order"),
        ),
        "the schemas of this service",
        kind="view",
    ),
    Table(
        NAME,
        "tables",
        (
            _text("schema_name", "the schema that the table is part of"),
            _text("table_name", "full name of the table, as queries write it"),
            _text("table_type", "table or view"),
            _UTYPE,
            _prose("description", "what a row of the table is"),
            _whole("table_index", "place of the table in the archive's own order"),
        ),
        "the tables that queries can read",
        kind="view",
        keys=_key("schemas", "schema_name", "schema_name"),
    ),
    Table(
        NAME,
        "columns",
        (
            _text("table_name", "the table that the column is part of"),
            _text("column_name", "name of the column, as queries write it"),
            _text("datatype", "type of the values, as VOTable names it"),
            _text("arraysize", "shape of the values, as VOTable writes it; null for single ones"),
            _text("xtype", "what the values stand for where the type does not tell, as DALI names it"),
            _whole("size", "length of the values that arraysize states, null where it states none"),
            _prose("description", "what the column holds"),
            _UTYPE,
            _text("unit", "unit of the values (VOUnits)"),
            _text("ucd", "meaning of the values (UCD1+)"),
            _whole("indexed", "1 where a condition on the column is fast, else 0"),
            _whole("principal", "1 where the column is among those that say most about a row, else 0"),
            _whole("std", "1 where a standard defines the column, else 0"),
            _whole("column_index", "place of the column in its table"),
        ),
        "the columns of the tables",
        kind="view",
        keys=_key("tables", "table_name", "table_name"),
    ),
    Table(
        NAME,
        "keys",
        (
            _text("key_id", "identifier of the foreign key"),
            _text("from_table", "the table whose rows name rows of another"),
            _text("target_table", "the table whose rows are named"),
            _prose("description", "what the key says"),
            _UTYPE,
        ),
        "the foreign keys between tables, by which they can be joined",
        kind="view",
        keys=_key("tables", "from_table", "table_name") + _key("tables", "target_table", "table_name"),
    ),
    Table(
        NAME,
        "key_columns",
        (
            _text("key_id", "the foreign key"),
            _text("from_column", "column of the table that names rows"),
            _text("target_column", "column of the table whose rows are named"),
        ),
        "the columns of the foreign keys",
        kind="view",
        keys=_key("keys", "key_id", "key_id"),
    ),
)
"""TAP_SCHEMA's description of itself."""

SCHEMA = Schema(NAME, "TAP_SCHEMA", "Which schemas, tables and columns there are, as tables that queries can read.")


def prepare(data: Connection[Any]) -> None:
    """Make the tables, the views over them and the function that fills them. data: as the owner, in a transaction."""
    data.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(NAME)))
    for table in TABLES:
        data.execute(SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(_stored(table), _columns(table)))
    for table in TABLES:
        # A condition of a visitor's must not see a row before the view has: its errors would tell what is in it.
        view = SQL("CREATE OR REPLACE VIEW {} WITH (security_barrier) AS SELECT {} FROM {} AS r WHERE {}").format(
            Identifier(NAME, table.name), _names(table), _stored(table), SQL(_VISIBLE[table.name])
        )
        data.execute(view)
    for statement in _STATEMENTS:
        data.execute(statement)


def write(data: Connection[Any], catalogue: Catalogue, readers: Readers) -> int:
    """Make TAP_SCHEMA say what the catalogue holds; returns how many of its tables did not.

    data: as the owner or as a login role of READERS, in the transaction of the grants. catalogue: of everything,
    whoever may see it; readers: who that is.
    """
    row = data.execute("SELECT almagest.set_tap_schema(%s)", (Jsonb(_rows(catalogue, readers)),)).fetchone()
    return int(row[0]) if row else 0


def tell(
    data: Connection[Any], schemas: Sequence[Schema], tables: Sequence[Table], columns: Sequence[tuple[Table, Column]]
) -> int:
    """Make the rows of these say what is said of them now; returns how many did not. Who may see them stays, and so do
    all other rows. data: as for `write`, outside a transaction."""
    said: Rows = {
        "schemas": [{"schema_name": written(schema.name), **_schema(schema)} for schema in schemas],
        "tables": [_table(table) for table in tables],
        "columns": [{"table_name": table.written, **_column(column)} for table, column in columns],
    }
    with data.transaction():
        data.execute("SET TRANSACTION READ WRITE")
        row = data.execute("SELECT almagest.tell_tap_schema(%s)", (Jsonb(said),)).fetchone()
    return int(row[0]) if row else 0


_STATEMENTS: tuple[LiteralString, ...] = (
    """CREATE OR REPLACE FUNCTION almagest.set_tap_schema(wanted jsonb) RETURNS integer
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       DECLARE
         name text;
         differs boolean;
         changes integer := 0;
       BEGIN
         FOREACH name IN ARRAY ARRAY['schemas', 'tables', 'columns', 'keys', 'key_columns'] LOOP
           EXECUTE format(
             'WITH wanted AS (SELECT * FROM jsonb_populate_recordset(NULL::almagest.%1$I, $1))
              SELECT EXISTS (TABLE wanted EXCEPT ALL TABLE almagest.%1$I)
                OR EXISTS (TABLE almagest.%1$I EXCEPT ALL TABLE wanted)', 'tap_' || name
           ) INTO differs USING wanted -> name;
           IF differs THEN
             EXECUTE format('DELETE FROM almagest.%I', 'tap_' || name);
             EXECUTE format(
               'INSERT INTO almagest.%1$I SELECT * FROM jsonb_populate_recordset(NULL::almagest.%1$I, $1)',
               'tap_' || name
             ) USING wanted -> name;
             changes := changes + 1;
           END IF;
         END LOOP;
         RETURN changes;
       END $$""",
    """CREATE OR REPLACE FUNCTION almagest.tell_tap_schema(said jsonb) RETURNS integer
       LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
       DECLARE
         changed integer;
         changes integer := 0;
       BEGIN
         UPDATE almagest.tap_schemas t SET (utype, description) = (s.utype, s.description)
         FROM jsonb_populate_recordset(NULL::almagest.tap_schemas, said -> 'schemas') s
         WHERE t.schema_name = s.schema_name AND (t.utype, t.description) IS DISTINCT FROM (s.utype, s.description);
         GET DIAGNOSTICS changed = ROW_COUNT;
         changes := changes + changed;
         UPDATE almagest.tap_tables t SET (utype, description) = (s.utype, s.description)
         FROM jsonb_populate_recordset(NULL::almagest.tap_tables, said -> 'tables') s
         WHERE t.table_name = s.table_name AND (t.utype, t.description) IS DISTINCT FROM (s.utype, s.description);
         GET DIAGNOSTICS changed = ROW_COUNT;
         changes := changes + changed;
         UPDATE almagest.tap_columns t
         SET (datatype, arraysize, xtype, size, description, utype, unit, ucd, indexed, principal, std)
         = (s.datatype, s.arraysize, s.xtype, s.size, s.description, s.utype,
            s.unit, s.ucd, s.indexed, s.principal, s.std)
         FROM jsonb_populate_recordset(NULL::almagest.tap_columns, said -> 'columns') s
         WHERE (t.table_name, t.column_name) = (s.table_name, s.column_name)
         AND (t.datatype, t.arraysize, t.xtype, t.size, t.description, t.utype,
            t.unit, t.ucd, t.indexed, t.principal, t.std)
           IS DISTINCT FROM
           (s.datatype, s.arraysize, s.xtype, s.size, s.description, s.utype,
            s.unit, s.ucd, s.indexed, s.principal, s.std);
         GET DIAGNOSTICS changed = ROW_COUNT;
         RETURN changes + changed;
       END $$""",
    "REVOKE ALL ON FUNCTION almagest.set_tap_schema, almagest.tell_tap_schema FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION almagest.set_tap_schema, almagest.tell_tap_schema TO almagest_query, almagest_job",
)

_MEMBER = """r.readers && ARRAY (
    SELECT rolname::text FROM pg_catalog.pg_roles
    WHERE rolname IN (SELECT unnest(s.readers) FROM almagest.tap_schemas AS s) AND pg_has_role(oid, 'USAGE')
)"""
"""Whether the asking role may see a row: PostgreSQL compares the row's readers with the roles whose rights it has.

A login role may become others, but has their rights only then. Everybody who sees anything of a schema sees the
schema, so `tap_schemas` names every role that matters."""

_VISIBLE = {
    "schemas": _MEMBER,
    "tables": _MEMBER,
    "columns": _MEMBER,
    # A key is seen by those who see both of its ends.
    "keys": """NOT EXISTS (
        SELECT FROM almagest.tap_key_columns AS k
        WHERE k.key_id = r.key_id AND NOT (
            (r.from_table, k.from_column) IN (SELECT c.table_name, c.column_name FROM tap_schema.columns AS c)
            AND (r.target_table, k.target_column) IN (SELECT c.table_name, c.column_name FROM tap_schema.columns AS c)
        )
    )""",
    "key_columns": "r.key_id IN (SELECT k.key_id FROM tap_schema.keys AS k)",
}


def _rows(catalogue: Catalogue, readers: Readers) -> Rows:
    rows: Rows = {table.name: [] for table in TABLES}
    for schema_index, (schema, tables) in enumerate(catalogue.schemas()):
        seen: set[str] = set()
        for table in tables:
            columns = [
                {
                    "table_name": table.written,
                    **_column(column),
                    "column_index": index,
                    "readers": readers(table, column),
                }
                for index, column in enumerate(table.columns)
            ]
            who = sorted({*readers(table, None)}.union(*(column["readers"] for column in columns)))
            place = {"table_index": len(rows["tables"]), "readers": who}
            rows["tables"].append({"schema_name": written(schema.name), **_table(table), **place})
            rows["columns"] += columns
            seen.update(who)
        place = {"schema_index": schema_index, "readers": sorted(seen)}
        rows["schemas"].append({"schema_name": written(schema.name), **_schema(schema), **place})
    for table in catalogue.tables:
        for number, (key, target) in enumerate(catalogue.keys(table), 1):
            identifier = f"{table.written}-{number}"
            described = {"description": key.description or None, "utype": key.utype}
            ends = {"from_table": table.written, "target_table": target.written}
            rows["keys"].append({"key_id": identifier, **ends, **described})
            rows["key_columns"] += [
                {"key_id": identifier, "from_column": written(here), "target_column": written(there)}
                for here, there in key.columns
            ]
    return rows


def _schema(schema: Schema) -> dict[str, Any]:
    return {"utype": schema.utype, "description": schema.description or None}


def _table(table: Table) -> dict[str, Any]:
    return {
        "table_name": table.written,
        "table_type": table.kind,
        "utype": table.utype,
        "description": table.description or None,
    }


def _column(column: Column) -> dict[str, Any]:
    datatype, arraysize, xtype = votable_type(column)
    return {
        "column_name": written(column.name),
        "datatype": datatype,
        "arraysize": arraysize,
        "xtype": xtype,
        "size": _size(arraysize),
        "description": column.description or None,
        "utype": column.utype,
        "unit": column.unit,
        "ucd": column.ucd,
        "indexed": int(column.indexed),
        "principal": int(column.principal),
        "std": int(column.std),
    }


def _size(arraysize: str | None) -> int | None:
    """The length that an arraysize states: of `8` and `8*`, not of `*` nor of more than one dimension."""
    stated = re.fullmatch(r"(\d+)\*?", arraysize or "")
    return int(stated[1]) if stated else None


def _stored(table: Table) -> Identifier:
    return Identifier("almagest", f"tap_{table.name}")


def _names(table: Table) -> Composed:
    return SQL(", ").join(SQL("r.{}").format(Identifier(column.name)) for column in table.columns)


def _columns(table: Table) -> Composed:
    """Definitions of the stored table's columns: those of the view, and who may see a row."""
    defined = [
        SQL("{} {}").format(Identifier(column.name), SQL("integer" if column.datatype == "int" else "text"))
        for column in table.columns
    ]
    readers = [SQL("readers text[] NOT NULL")] if _VISIBLE[table.name] == _MEMBER else []
    return SQL(", ").join([*defined, *readers])
