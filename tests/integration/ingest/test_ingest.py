"""`almagest-app ingest`: what is loaded is right, what is wrong is named, and a kill leaves the old table serving."""

from __future__ import annotations

import json
import signal
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from support.application import Application, until_line
from support.catalogues import gaia
from support.waiting import eventually

pytestmark = pytest.mark.integration

METADATA = """
schema: {title: Tests, creators: [A. Tester, B. Tester], licence: CC0}
table: {title: Small, primary_key: id, position: [ra, dec], indexes: [mag]}
columns:
  id: {description: Number, ucd: meta.id;meta.main}
  mag: {unit: mag, ucd: phot.mag}
"""


def sky(rows: int, seed: int = 1) -> pa.Table:
    """A catalogue of random positions: id, ra, dec, mag."""
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "id": np.arange(rows),
            "ra": random.uniform(0, 360, rows),
            "dec": np.degrees(np.arcsin(random.uniform(-1, 1, rows))),
            "mag": random.normal(12, 2, rows).astype("f4"),
        }
    )


def write(files: Path, name: str, table: pa.Table, metadata: str = METADATA) -> str:
    """The catalogue as a Parquet file with its metadata beside it; returns its SOURCE."""
    pq.write_table(table, files / name)
    (files / f"{name}.yaml").write_text(metadata)
    return f"file:{name}"


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row
    return int(row[0])


def staged(data: psycopg.Connection) -> int:
    """How many tables wait in the owner's schema beside the ledgers."""
    row = data.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'almagest' AND starts_with(tablename, 'load_')"
    )
    return int(row.fetchall()[0][0])


def tables(application: Application, schema: str) -> list[str]:
    with application.data() as data:
        rows = data.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,))
        return [name for (name,) in rows]


def last(output: str) -> dict[str, object]:
    line: dict[str, object] = json.loads(output.strip().splitlines()[-1])
    return line


def test_gaia_is_loaded_whole_and_found_by_position(application: Application) -> None:
    outcome = application.run("ingest", "--dataset", "gaiadr3.bright")
    assert outcome.code == 0, outcome.err
    # Below 10 s on two cores that do nothing else; the machine that runs the tests does other things too.
    assert float(str(last(outcome.out)["seconds"])) < 30
    with application.data("almagest_public") as query:
        assert count(query, "gaiadr3.bright") == 482_176
        cone = "spoint(radians(ra), radians(dec)) <@ scircle(spoint(radians(56.75), radians(24.12)), radians(1))"
        found = {row[0] for row in query.execute(f"SELECT source_id FROM gaiadr3.bright WHERE {cone}")}
        plan = query.execute(f"EXPLAIN SELECT * FROM gaiadr3.bright WHERE {cone}").fetchall()
    stars = gaia()
    ra, dec, ra0, dec0 = (np.radians(angle) for angle in (stars["ra"], stars["dec"], 56.75, 24.12))
    away = np.arccos(np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0))
    assert found == set(stars["source_id"][away < np.radians(1)])
    assert any("bright_sky" in row[0] for row in plan)


def test_loading_the_same_again_changes_nothing(application: Application, files: Path) -> None:
    source = write(files, "same.parquet", sky(1000))
    assert application.run("ingest", source, "--table", "trial.same").code == 0
    with application.data() as data, application.app() as app:
        states = (
            (data, "SELECT oid, relfilenode, xmin FROM pg_class WHERE oid = 'trial.same'::regclass"),
            (data, "SELECT fingerprint, loaded_at FROM almagest.loads WHERE table_name = 'same'"),
            (app, "SELECT number FROM metadata_revision"),
            (app, "SELECT id, xmin FROM metadata_column ORDER BY id"),
        )
        before = [connection.execute(query).fetchall() for connection, query in states]
        outcome = application.run("ingest", source, "--table", "trial.same")
        assert outcome.code == 0, outcome.err
        assert last(outcome.out)["message"] == "trial.same: nothing changed"
        assert [connection.execute(query).fetchall() for connection, query in states] == before


def test_new_descriptions_reach_the_metadata_without_a_load(application: Application, files: Path) -> None:
    source = write(files, "described.parquet", sky(1000))
    assert application.run("ingest", source, "--table", "trial.described").code == 0
    write(files, "described.parquet", sky(1000), METADATA.replace("Small", "Better"))
    outcome = application.run("ingest", source, "--table", "trial.described")
    assert last(outcome.out)["message"] == "trial.described: metadata updated"
    with application.app() as app:
        assert app.execute("SELECT title FROM metadata_table WHERE name = 'described'").fetchone() == ("Better",)


def test_sigkill_in_the_middle_leaves_the_old_table_serving(application: Application, files: Path) -> None:
    source = write(files, "killed.parquet", sky(1000))
    assert application.run("ingest", source, "--table", "killed.stars").code == 0
    write(files, "killed.parquet", sky(150_000, seed=2))
    process = application.start("ingest", source, "--table", "killed.stars")
    until_line(process, "sorting|indexing")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    with application.data("almagest_public") as query:
        assert count(query, "killed.stars") == 1000
    eventually("the killed load's tables to be gone", lambda: tables(application, "killed") == ["stars"])
    again = application.run("ingest", source, "--table", "killed.stars")
    assert again.code == 0, again.err
    with application.data("almagest_public") as query:
        assert count(query, "killed.stars") == 150_000


def test_sigkill_between_table_and_metadata_is_healed_by_the_next_run(application: Application, files: Path) -> None:
    source = write(files, "between.parquet", sky(1000))
    assert application.run("ingest", source, "--table", "trial.between").code == 0
    write(files, "between.parquet", sky(1500, seed=3))
    with application.app() as app, application.data() as data:
        app.autocommit = False
        app.execute("LOCK TABLE metadata_column IN ACCESS EXCLUSIVE MODE")
        process = application.start("ingest", source, "--table", "trial.between")
        eventually("the new table to be in place", lambda: count(data, "trial.between") == 1500)
        process.kill()
        process.communicate()
        app.rollback()
    with application.app() as app:
        nrows = "SELECT nrows FROM metadata_table WHERE name = 'between'"
        assert app.execute(nrows).fetchone() == (1000,)
        outcome = application.run("ingest", source, "--table", "trial.between")
        assert last(outcome.out)["message"] == "trial.between: metadata updated"
        assert app.execute(nrows).fetchone() == (1500,)


def test_a_load_of_many_files_that_was_killed_goes_on_after_the_last_whole_one(
    application: Application, files: Path
) -> None:
    (files / "many").mkdir()
    (files / "many" / "table.yaml").write_text(METADATA)
    for number in range(3):
        part = sky(50_000, seed=number).set_column(0, "id", pa.array(np.arange(50_000) + number * 50_000))
        pq.write_table(part, files / "many" / f"{number}.parquet")
    good = (files / "many" / "2.parquet").read_bytes()
    pq.write_table(sky(20).set_column(1, "ra", pa.array([999.0] * 20)), files / "many" / "2.parquet")
    words = ("ingest", "file:many/*.parquet", "--table", "many.stars")
    outcome = application.run(*words)
    assert outcome.code == 1
    assert "file:many/2.parquet, row 1, column ra: 999.0 is not between" in outcome.err
    entered = "SELECT number, nrows, loaded_at FROM almagest.parts WHERE schema_name = 'many' ORDER BY number"
    with application.data() as data:
        before = data.execute(entered).fetchall()
    assert [row[:2] for row in before] == [(0, 50_000), (1, 50_000)]
    (files / "many" / "2.parquet").write_bytes(good)
    with application.data() as data, application.data() as reader:
        data.execute("CREATE SCHEMA IF NOT EXISTS many")
        data.execute("CREATE TABLE many.stars (old int)")
        with reader.transaction():
            reader.execute("LOCK TABLE many.stars IN ACCESS SHARE MODE")
            process = application.start(*words)
            until_line(process, "waiting for queries")
            process.kill()
            process.communicate()
        assert data.execute(entered).fetchall()[:2] == before
    again = application.run(*words)
    assert again.code == 0, again.err
    assert "indexing" not in again.out
    with application.data("almagest_public") as query, application.data() as data:
        assert count(query, "many.stars") == 150_000
        assert data.execute(entered).fetchall() == []
        assert staged(data) == 0


def test_a_load_that_fails_leaves_nothing_staged(application: Application, files: Path) -> None:
    source = write(files, "twins.parquet", pa.concat_tables([sky(2000), sky(10)]))
    outcome = application.run("ingest", source, "--table", "trial.twins", "--jobs", "1")
    assert outcome.code == 1
    assert "the primary key is not unique" in outcome.err
    with application.data() as data:
        assert staged(data) == 0


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_ranges_nulls_and_distinct_values_are_noted(application: Application, files: Path, jobs: str) -> None:
    table = pa.table(
        {
            "id": pa.array(range(1000), pa.int64()),
            "mag": pa.array([None, 0.1, -2.5, *[7.25] * 997], pa.float32()),
            "seen": pa.array([datetime(2024, 1, 2, 3, 4, 5), *[None] * 999], pa.timestamp("us")),  # noqa: DTZ001 - DALI's have no zone
            "name": pa.array(["Épsilon", *[""] * 999]),
        }
    )
    source = write(files, f"ranges{jobs}.parquet", table, "table: {primary_key: id, indexes: [mag]}")
    outcome = application.run("ingest", source, "--table", f"ranges.with_{jobs}", "--jobs", jobs)
    assert outcome.code == 0, outcome.err
    with application.app() as app:
        rows = app.execute(
            'SELECT c.name, datatype, minimum, maximum, nulls, "distinct" FROM metadata_column c'
            ' JOIN metadata_table t ON t.id = table_id WHERE t.name = %s ORDER BY c."order"',
            (f"with_{jobs}",),
        ).fetchall()
    assert rows == [
        ("id", "long", "0", "999", 0, 1000),
        ("mag", "float", "-2.5", "7.25", 1, 3),
        ("seen", "char", "2024-01-02T03:04:05", "2024-01-02T03:04:05", 999, 1),
        ("name", "unicodeChar", "", "", 0, 2),
    ]


def test_val_runs_the_examples_and_names_what_is_wrong(application: Application, files: Path) -> None:
    examples = """
examples:
  - {name: Good, query: SELECT TOP 1 id FROM judged.stars}
  - {name: Bad, query: SELECT TOP 1 idd FROM judged.stars}
"""
    source = write(files, "judged.parquet", sky(100), METADATA + examples)
    assert application.run("ingest", source, "--table", "judged.stars").code == 0
    outcome = application.run("val", "judged.stars", "--json")
    assert outcome.code == 1, outcome.err
    found = json.loads(outcome.out)
    errors = [remark["message"] for remark in found if remark["severity"] == "error"]
    assert len(errors) == 1
    assert errors[0].startswith("the example 'Bad' fails: ")
    assert "idd" in errors[0]
    assert ("judged.stars.ra", "description is missing") in {(remark["place"], remark["message"]) for remark in found}
    assert application.run("val", "judged.nothing").code == 2


def test_two_ingests_of_one_table_follow_each_other(application: Application, files: Path) -> None:
    source = write(files, "twice.parquet", sky(60_000))
    both = [application.start("ingest", source, "--table", "trial.twice") for _ in range(2)]
    outputs = [process.communicate(timeout=110) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    ends = sorted(str(last(out)["message"]) for out, _ in outputs)
    assert ends == ["trial.twice: loaded", "trial.twice: nothing changed"]


def test_ingests_of_two_tables_of_a_new_schema_run_side_by_side(application: Application, files: Path) -> None:
    sources = {name: write(files, f"{name}.parquet", sky(40_000)) for name in ("left", "right")}
    both = [application.start("ingest", source, "--table", f"pair.{name}") for name, source in sources.items()]
    outputs = [process.communicate(timeout=110) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    with application.data("almagest_public") as query:
        assert count(query, "pair.left") == count(query, "pair.right") == 40_000


def test_a_query_process_sees_a_new_table_without_a_restart(application: Application, files: Path) -> None:
    watch = (
        "import sys; from almagest.accounts.identity import NOBODY; from almagest.metadata.catalogue import holdings\n"
        "before = holdings(NOBODY).readable.table('trial', 'watched')\n"
        "print('watching', before, flush=True); sys.stdin.readline()\n"
        "after = holdings(NOBODY).readable.table('TRIAL', 'Watched')\n"
        "print(after.position, after.nrows, [(c.name, c.datatype, c.unit, c.ucd) for c in after.columns][3])\n"
    )
    process = application.start("shell", "-v", "0", "-c", watch)
    until_line(process, "watching None")
    assert application.run("ingest", write(files, "watched.parquet", sky(10)), "--table", "trial.watched").code == 0
    out, err = process.communicate("\n", timeout=30)
    assert out == "('ra', 'dec') 10 ('mag', 'float', 'mag', 'phot.mag')\n", err


def test_a_long_query_delays_the_swap_and_is_not_disturbed(application: Application, files: Path) -> None:
    source = write(files, "busy.parquet", sky(1000))
    assert application.run("ingest", source, "--table", "trial.busy").code == 0
    write(files, "busy.parquet", sky(1200, seed=4))
    with application.data("almagest_public") as reader, application.data("almagest_internal") as other:
        with reader.transaction():
            assert count(reader, "trial.busy") == 1000
            process = application.start("ingest", source, "--table", "trial.busy")
            until_line(process, "waiting for queries")
            began = time.monotonic()
            assert count(other, "trial.busy") == 1000
            assert time.monotonic() - began < 2
            assert count(reader, "trial.busy") == 1000
        process.communicate(timeout=60)
        assert count(other, "trial.busy") == 1200


def test_an_unpublished_table_is_hidden_until_it_is_published(application: Application, files: Path) -> None:
    hidden = METADATA.replace("title: Small", "title: Small, published: false")
    source = write(files, "secret.parquet", sky(100), hidden)
    assert application.run("ingest", source, "--table", "trial.secret").code == 0
    with application.data("almagest_public") as query, application.data("almagest_internal") as job:
        for reader in (query, job):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("SELECT * FROM trial.secret")
        write(files, "secret.parquet", sky(100), METADATA.replace("title: Small", "title: Small, published: true"))
        assert application.run("ingest", source, "--table", "trial.secret").code == 0
        assert count(query, "trial.secret") == count(job, "trial.secret") == 100
        write(files, "secret.parquet", sky(100), hidden)
        assert application.run("ingest", source, "--table", "trial.secret").code == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query.execute("SELECT * FROM trial.secret")


@pytest.mark.parametrize("role", ["almagest_public", "almagest_job"])
def test_readers_cannot_change_a_published_table(application: Application, files: Path, role: str) -> None:
    source = write(files, "fixed.parquet", sky(50))
    assert application.run("ingest", source, "--table", "trial.fixed").code == 0
    statements = (
        "DELETE FROM trial.fixed",
        "UPDATE trial.fixed SET mag = 0",
        "INSERT INTO trial.fixed (id) VALUES (-1)",
        "TRUNCATE trial.fixed",
        "DROP TABLE trial.fixed",
        "CREATE INDEX ON trial.fixed (mag)",
        "CREATE TABLE trial.mine (i int)",
    )
    with application.data(role) as reader:
        reader.execute("SET default_transaction_read_only = off")
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement)
        assert count(reader, "trial.fixed") == 50


def test_fits_values_nulls_and_units_arrive(application: Application, files: Path) -> None:
    columns = [
        fits.Column("NAME", "10A", array=["Sirius", "Vega", ""]),
        fits.Column("N", "J", null=-1, array=[1, -1, 3]),
        fits.Column("U", "I", bzero=2**15, array=np.array([1, 2, 65535], dtype="u2")),
        fits.Column("FLUX", "E", unit="erg/s/cm**2", array=[1.5, np.nan, 3.5]),
        fits.Column("OK", "L", array=[True, False, True]),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(files / "small.fits", overwrite=True)
    outcome = application.run("ingest", "file:small.fits", "--table", "trial.fits")
    assert outcome.code == 0, outcome.err
    with application.data("almagest_public") as query, application.app() as app:
        assert query.execute('SELECT "NAME", "N", "U", "FLUX", "OK" FROM trial.fits ORDER BY "U"').fetchall() == [
            ("Sirius", 1, 1, 1.5, True),
            ("Vega", None, 2, None, False),
            (None, 3, 65535, 3.5, True),
        ]
        described = app.execute(
            "SELECT c.name, datatype, arraysize, unit FROM metadata_column c JOIN metadata_table t ON t.id = table_id"
            " WHERE t.name = 'fits' ORDER BY c.\"order\""
        )
        assert described.fetchall() == [
            ("NAME", "char", "*", ""),
            ("N", "int", "", ""),
            ("U", "int", "", ""),
            ("FLUX", "float", "", "erg.s**-1.cm**-2"),
            ("OK", "boolean", "", ""),
        ]


def test_csv_types_are_inferred_and_unicode_is_declared(application: Application, files: Path) -> None:
    lines = ["id,name,mag,seen,day", "1,Épsilon,1.5,true,2024-01-02", "2,,,false,", "3,Zeta,NaN,,2024-01-03T04:05:06"]
    (files / "small.csv").write_text("\n".join(lines) + "\n")
    outcome = application.run("ingest", "file:small.csv", "--table", "trial.csv")
    assert outcome.code == 0, outcome.err
    with application.data("almagest_public") as query, application.app() as app:
        rows = query.execute("SELECT id, name, mag, seen, day::text FROM trial.csv ORDER BY id").fetchall()
        datatypes = app.execute(
            "SELECT c.name, datatype, xtype FROM metadata_column c JOIN metadata_table t ON t.id = table_id"
            " WHERE t.name = 'csv' ORDER BY c.\"order\""
        ).fetchall()
    assert rows == [
        (1, "Épsilon", 1.5, True, "2024-01-02 00:00:00"),
        (2, None, None, False, None),
        (3, "Zeta", None, None, "2024-01-03 04:05:06"),
    ]
    assert datatypes == [
        ("id", "int", ""),
        ("name", "unicodeChar", ""),
        ("mag", "double", ""),
        ("seen", "boolean", ""),
        ("day", "char", "timestamp"),
    ]


WRONG = {
    "a row with too many fields": ("a,b\n1,2\n3,4,5\n", "", ["row 2", "3 fields", "2"]),
    "a value of the wrong type": ("a,b\n1,2\n1,x\n", "columns: {b: {datatype: double}}", ["row 2", "column b", "'x'"]),
    "a number too large": ("a\n1\n70000\n", "columns: {a: {datatype: short}}", ["row 2", "column a", "'70000'"]),
    "a missing column": ("a,b\n1,2\n", "columns: {c: {ucd: meta.id}}", ["column c", "missing", "a, b"]),
    "a key that is null": ("a,b\n1,2\n,3\n", "table: {primary_key: a}", ["row 2", "column a", "no value"]),
    "a key that is doubled": ("a,b\n1,2\n1,3\n", "table: {primary_key: a}", ["not unique", "(a)=(1)"]),
    "a pole passed": ("a,ra,dec\n1,2.0,91.0\n", "table: {position: [ra, dec]}", ["row 1", "column dec", "91.0"]),
    "no rows": ("a,b\n", "", ["no rows"]),
    "no unit": ("a\n1\n", "columns: {a: {unit: parsecs}}", ["columns.a.unit", "'parsecs'"]),
    "a word that the metadata file does not know": ("a\n1\n", "tabel: {}", ["tabel"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_in_one_line_and_leaves_nothing(
    application: Application, files: Path, case: str
) -> None:
    content, metadata, said = WRONG[case]
    (files / "wrong.csv").write_text(content)
    (files / "wrong.csv.yaml").write_text(metadata)
    outcome = application.run("ingest", "file:wrong.csv", "--table", "wrong.rows")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1, outcome.err
    assert [word for word in ["wrong.csv", *said] if word not in outcome.err] == [], outcome.err
    assert tables(application, "wrong") == []
    with application.app() as app:
        assert count(app, "metadata_schema WHERE name = 'wrong'") == 0


def test_a_wrong_file_leaves_the_old_table_serving(application: Application, files: Path) -> None:
    (files / "turns.csv").write_text("a,b\n1,2\n")
    (files / "turns.csv.yaml").write_text("columns: {b: {datatype: double}}")
    assert application.run("ingest", "file:turns.csv", "--table", "trial.turns").code == 0
    (files / "turns.csv").write_text("a,b\n1,2\n3,bad\n")
    assert application.run("ingest", "file:turns.csv", "--table", "trial.turns").code == 1
    with application.data("almagest_public") as query:
        assert query.execute("SELECT * FROM trial.turns").fetchall() == [(1, 2.0)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dataset", "no.such"], "gaiadr3.bright"),
        (["file:absent.csv", "--table", "a.b"], "no such file"),
        (["file:../secrets/django/secret-key", "--table", "a.b"], "leads out of the files volume"),
        (["demo:nothing", "--table", "a.b"], "no such demo catalogue"),
        (["demo:openngc", "--table", "results.b"], "reserved"),
        (["demo:openngc", "--table", "Objects"], "schema.table"),
        ([], "--dataset TABLE"),
    ],
)
def test_a_wrong_command_is_answered_in_one_line(application: Application, words: list[str], said: str) -> None:
    outcome = application.run("ingest", *words)
    assert outcome.code == 1
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
