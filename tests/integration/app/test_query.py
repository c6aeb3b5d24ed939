"""Answers from a real PostgreSQL that ends them early: slow queries, errors half-way, readers that leave."""

from __future__ import annotations

import io
import os
import socket
import threading
import uuid
from contextlib import ExitStack, closing

import psycopg
import pytest
from astropy.io import fits

from almagest import formats
from almagest.accounts.identity import NOBODY, Identity
from almagest.catalogue import Column
from almagest.query import datadb, limits, slots
from almagest.query.answers import copying
from almagest.query.answers.answer import Answer, Source
from almagest.query.answers.messages import Messages
from almagest.query.errors import BusyError, InternalError, QueryTimeoutError, RefusedByDatabaseError, TooLargeError
from support import wire
from support.application import Application
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("web_process")]

ROWS = 200_000
NUMBER = (Column("n", "int"),)


def answer(sql: str, *, response_format: str = "votable", rows: int = ROWS, seconds: float = 30) -> Answer:
    source = Source(sql, NUMBER, rows, seconds, "Take a job.")
    return Answer(source, formats.negotiate(response_format))


def connected(application: Application) -> int:
    with application.data("almagest_query") as data:
        row = data.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sync'").fetchone()
    return int(row[0]) if row else 0


def test_a_slow_query_fails_before_anything_is_sent() -> None:
    with pytest.raises(QueryTimeoutError, match=r"Take a job\."):
        answer("SELECT 1 FROM pg_sleep(20)", seconds=0.3)


def test_an_error_in_the_first_rows_fails_before_anything_is_sent() -> None:
    with pytest.raises(RefusedByDatabaseError, match="division by zero"):
        answer("SELECT 1 / (10 - n) FROM generate_series(1, 20) AS n")


def test_an_error_half_way_ends_a_votable_with_its_reason() -> None:
    document = b"".join(answer(f"SELECT {ROWS} / (100000 - n) FROM generate_series(1, {ROWS}) AS n"))
    assert wire.status(document) == ("ERROR", "the query cannot be computed from these data: division by zero")


def test_an_error_half_way_spoils_a_format_that_cannot_say_so() -> None:
    started = answer(f"SELECT {ROWS} / (100000 - n) FROM generate_series(1, {ROWS}) AS n", response_format="csv")
    rows = wire.csv_rows(b"".join(started).decode())
    assert 50_000 < len(rows) < 100_001
    assert rows[-1]["n"].startswith("ERROR: the query cannot be computed from these data: division by zero")


def test_chunks_are_large_and_a_short_answer_is_one() -> None:
    chunks = [len(chunk) for chunk in answer(f"SELECT n FROM generate_series(1, {ROWS}) AS n")]
    assert min(chunks[:-1]) >= formats.CHUNK
    assert len(list(answer("SELECT 1"))) == 1


@pytest.mark.parametrize(("available", "status"), [(99, "OK"), (100, "OK"), (101, "OVERFLOW")])
def test_a_limit_that_cuts_is_told(available: int, status: str) -> None:
    document = b"".join(answer(f"SELECT n FROM generate_series(1, {available}) AS n", rows=100))
    assert len(wire.table(document)) == min(available, 100)
    assert wire.status(document)[0] == status


def test_closing_an_answer_ends_its_query(application: Application) -> None:
    started = answer("SELECT n FROM generate_series(1, 3000000) AS n", rows=3_000_000)
    next(iter(started))
    assert application.reading() == 1
    started.close()
    started.close()
    assert application.reading() == 0


def test_connections_are_used_again_after_every_kind_of_end(application: Application) -> None:
    def pids() -> set[int]:
        with application.data("almagest_query") as data:
            rows = data.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'sync'").fetchall()
        return {pid for (pid,) in rows}

    list(answer("SELECT 1"))
    before = pids()
    with pytest.raises(QueryTimeoutError):
        answer("SELECT 1 FROM pg_sleep(20)", seconds=0.2)
    with pytest.raises(RefusedByDatabaseError):
        answer("SELECT 1 / 0")
    answer(f"SELECT n FROM generate_series(1, {ROWS}) AS n").close()
    list(answer("SELECT 1"))
    # One more is no loss: the pool takes a connection back in a thread of its own, and may be asked before it has.
    assert before <= pids()
    assert len(pids()) <= len(before) + 1


def test_a_lost_connection_ends_a_votable_with_its_reason_and_is_replaced(application: Application) -> None:
    started = iter(answer("SELECT n FROM generate_series(1, 3000000) AS n", rows=3_000_000))
    head = next(started)
    with application.data("almagest_query") as data:
        ended = data.execute(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sync'"
        )
        pids = [pid for pid, _ in ended.fetchall()]
        value, text = wire.status(head + b"".join(started))
        left = "SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)"
        eventually("the idle ones to be gone too", lambda: data.execute(left, (pids,)).fetchone() is None)
    assert value == "ERROR"
    assert "the data database went away" in text
    assert list(answer("SELECT 1"))


def test_one_query_too_many_is_told_to_come_back() -> None:
    held = [answer(f"SELECT n FROM generate_series(1, {ROWS}) AS n") for _ in range(slots.capacity())]
    with pytest.raises(BusyError, match="too many queries"):
        answer("SELECT 1")
    held.pop().close()
    assert list(answer("SELECT 1"))
    for other in held:
        other.close()


def test_a_waiting_query_gets_the_place_of_one_that_ends() -> None:
    held = [answer(f"SELECT n FROM generate_series(1, {ROWS}) AS n") for _ in range(slots.capacity())]
    timer = threading.Timer(0.2, held[0].close)
    timer.start()
    assert list(answer("SELECT 1"))
    timer.join()
    for other in held:
        other.close()


def test_a_query_cannot_write_even_if_its_sql_could(application: Application) -> None:
    with datadb.reader() as connection:
        datadb.begin_reading(connection, NOBODY, 5)
        assert connection.execute("SHOW transaction_read_only").fetchone() == ("on",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("5s",)
        assert connection.execute("SHOW lock_timeout").fetchone() == ("5s",)
        assert connection.execute("SELECT current_user").fetchone() == ("almagest_public",)
        connection.rollback()
    eventually("the connection to be idle", lambda: application.reading() == 0)


@pytest.fixture(params=["socket", "libpq"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows off the socket, and as they come where the connection is encrypted, which the tests' database has not."""
    if request.param == "libpq":
        monkeypatch.setattr(
            copying, "_Socket", lambda connection, statement, begin, _: copying._Libpq(connection, statement, begin)
        )


@pytest.mark.usefixtures("either_way")
def test_an_encrypted_connection_gives_the_same(application: Application) -> None:
    documents = [
        b"".join(answer(f"SELECT n FROM generate_series(1, {ROWS}) AS n", response_format=name))
        for name in ("votable", "csv")
    ]
    assert wire.table(documents[0])["n"].tolist() == list(range(1, ROWS + 1))
    assert documents[1].decode().split() == ["n", *map(str, range(1, ROWS + 1))]
    for name in ("votable", "csv"):
        assert b"".join(answer("SELECT 1 WHERE false", response_format=name))
        assert b"\n3\r" not in b"".join(
            answer("SELECT n FROM generate_series(1, 3) AS n", rows=2, response_format=name)
        )
    with pytest.raises(RefusedByDatabaseError, match="division by zero"):
        answer("SELECT 1 / 0")
    with pytest.raises(QueryTimeoutError):
        answer("SELECT 1 FROM pg_sleep(20)", seconds=0.2)
    half = b"".join(answer(f"SELECT {ROWS} / (100000 - n) FROM generate_series(1, {ROWS}) AS n"))
    assert wire.status(half) == ("ERROR", "the query cannot be computed from these data: division by zero")
    started = answer("SELECT n FROM generate_series(1, 3000000) AS n", rows=3_000_000)
    next(iter(started))
    started.close()
    assert application.reading() == 0
    assert list(answer("SELECT 1"))


@pytest.mark.usefixtures("either_way")
def test_nothing_runs_outside_the_transaction_that_failed_to_begin(application: Application) -> None:
    begin = ("BEGIN READ ONLY", "SET LOCAL ROLE almagest_of_nobody")
    statement = "COPY (SELECT current_user) TO STDOUT"
    with datadb.reader() as connection:
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            copying.Copied(connection, statement, binary=False, most=1, seconds=5, begin=begin)
        assert application.reading() == 0
        copied = copying.Copied(connection, statement, binary=False, most=1, seconds=5, begin=begin[:1])
        assert b"almagest_query" in b"".join(block.data for block in copied.blocks())
        copied.close()
        assert application.reading() == 0


@pytest.mark.usefixtures("either_way")
def test_a_visitor_without_a_role_reads_what_is_public() -> None:
    visitor = Identity(session="v" * 43)
    source = Source("SELECT current_user::text", (Column("n", "char", "*"),), 5, 5, "", identity=visitor)
    assert b"".join(Answer(source, formats.negotiate("csv"))).split() == [b"n", b"almagest_public"]


@pytest.mark.parametrize("most", [1, 7, 4096])
@pytest.mark.parametrize("response_format", ["csv", "votable"])
def test_an_answer_ends_wherever_the_network_cuts_it(
    monkeypatch: pytest.MonkeyPatch, response_format: str, most: int
) -> None:
    room = Messages.room
    monkeypatch.setattr(Messages, "room", lambda messages: room(messages)[:most])
    document = b"".join(answer("SELECT n FROM generate_series(1, 9) AS n", response_format=response_format))
    assert wire.status(document)[0] == "OK" if response_format == "votable" else document.endswith(b"9\r\n")


@pytest.mark.parametrize("response_format", ["csv", "votable"])
def test_an_answer_that_is_left_in_its_middle_leaves_a_connection_that_can_be_used(
    application: Application, response_format: str
) -> None:
    source = Source(
        "SELECT 'Z', 'hello' FROM generate_series(1, 3000000)", (Column("a", "char", "*"), Column("b", "char", "*")),
        3_000_000, 30, "",
    )  # fmt: skip
    for _ in range(5):
        started = Answer(source, formats.negotiate(response_format))
        next(iter(started))
        started.close()
        assert application.reading() == 0
    assert wire.status(b"".join(answer("SELECT 1")))[0] == "OK"


def test_the_database_remarks_nothing_to_the_sessions_of_queries() -> None:
    with datadb.reader() as connection:
        assert connection.execute("SHOW client_min_messages").fetchone() == ("error",)
    for _ in range(2):
        with datadb.writer(uuid.uuid4()) as connection:
            assert connection.execute("SHOW client_min_messages").fetchone() == ("error",)


def test_connections_that_the_server_closed_meanwhile_fail_nobody(application: Application) -> None:
    assert list(answer("SELECT 1"))
    with application.data("almagest_query") as data:
        data.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sync'")
    eventually("them to be gone", lambda: connected(application) == 0)
    assert list(answer("SELECT 1"))


def test_libpq_hears_of_every_byte_after_an_answer_in_large_pieces(application: Application) -> None:
    begin = datadb.reading(NOBODY, 5)
    with datadb.reader() as connection:
        statement = f"COPY (SELECT n FROM generate_series(1, {ROWS}) AS n) TO STDOUT"
        copied = copying.Copied(connection, statement, binary=False, most=ROWS, seconds=5, begin=begin)
        assert sum(len(block.data) for block in copied.blocks()) > 4 * copying.PIECE
        copied.close()
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as libpqs:
            assert libpqs.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT) == 1
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert application.reading() == 0


def test_one_statement_is_all_that_is_taken(application: Application) -> None:
    with pytest.raises(InternalError):
        answer("SELECT 1) TO STDOUT; SELECT pg_sleep(0); COPY (SELECT 1")
    assert application.reading() == 0


def test_an_answer_that_has_to_be_counted_fails_before_anything_is_sent() -> None:
    with pytest.raises(RefusedByDatabaseError, match="division by zero"):
        answer(f"SELECT {ROWS} / (100000 - n) FROM generate_series(1, {ROWS}) AS n", response_format="fits")


@pytest.mark.parametrize("column", ["n", "n::text"], ids=["as it is sent", "as it came"])
def test_an_answer_that_has_to_be_counted_waits_without_a_connection(application: Application, column: str) -> None:
    columns = (Column("n", "int" if column == "n" else "char", None if column == "n" else "*"),)
    sql = f"SELECT {column} FROM generate_series(1, {ROWS}) AS n"
    waiting = Answer(Source(sql, columns, ROWS - 1, 30, ""), formats.negotiate("fits"))
    assert application.reading() == 0
    with fits.open(io.BytesIO(b"".join(waiting))) as opened:
        assert [int(n) for n in opened[1].data["n"]] == list(range(1, ROWS))
    waiting.close()


def test_an_answer_that_has_to_be_counted_has_a_slot_until_it_is_closed() -> None:
    with ExitStack() as stack:
        for _ in range(slots.capacity()):
            stack.enter_context(closing(answer("SELECT 1 AS n", response_format="fits")))
        with pytest.raises(BusyError, match="too many queries"):
            answer("SELECT 1 AS n")
    assert b"".join(answer("SELECT 1 AS n"))


def test_few_values_that_fits_draws_out_are_a_large_answer() -> None:
    many = limits.LARGE_BYTES // 1000 + 1
    sql = f"SELECT CASE n WHEN 1 THEN repeat('x', 1000) END FROM generate_series(1, {many}) AS n"
    source = Source(sql, (Column("t", "char", "*"),), ROWS, 30, "")
    with ExitStack() as stack:
        for _ in range(slots.capacity() - slots.capacity() // slots.FOR_NEWCOMERS):
            stack.enter_context(closing(Answer(source, formats.negotiate("fits"))))
        with pytest.raises(BusyError, match="as many large answers"):
            Answer(source, formats.negotiate("fits"))


def test_an_answer_that_has_to_be_counted_may_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SPOOL_BYTES", 500_000)
    with pytest.raises(TooLargeError, match="choose another format"):
        answer(f"SELECT n FROM generate_series(1, {ROWS}) AS n", response_format="fits")
    assert list(answer("SELECT 1"))


def test_a_row_beyond_all_measure_is_refused() -> None:
    source = Source("SELECT repeat('x', 40000000)", (Column("t", "char", "*"),), 5, 30, "Ask for less.")
    for name in ("votable", "csv", "fits"):
        with pytest.raises(RefusedByDatabaseError):
            b"".join(Answer(source, formats.negotiate(name)))


def test_a_large_answer_that_began_before_the_crowd_came_ends_with_its_reason() -> None:
    rows = 5_000_000
    query = f"SELECT n FROM generate_series(1, {rows}) AS n"
    with ExitStack() as stack:
        parts = iter(stack.enter_context(closing(answer(query, rows=rows, seconds=300))))
        first = next(parts)
        for _ in range(slots.capacity() - slots.capacity() // slots.FOR_NEWCOMERS):
            others = iter(stack.enter_context(closing(answer(query, rows=rows, seconds=300))))
            taken = 0
            while taken < limits.LARGE_BYTES:
                taken += len(next(others))
        value, text = wire.status(first + b"".join(parts))
    assert value == "ERROR"
    assert "as many large answers" in text
