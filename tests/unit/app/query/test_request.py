"""Parameters of DALI and TAP, from text to checked values."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from almagest.query import limits, request
from almagest.query.errors import InvalidRequestError, QueryError, TooLargeError

ASKED = {"LANG": "ADQL", "QUERY": "SELECT 1"}


def test_names_have_any_case_and_others_are_ignored() -> None:
    sent = [("lang", "ADQL"), ("Query", "SELECT 1"), ("VERSION", "1.0"), ("DUMMY", "x"), ("DUMMY", "y")]
    assert request.collect(sent) == ASKED


def test_an_identical_repetition_counts_once() -> None:
    assert request.collect([("FORMAT", "csv"), ("format", "csv")]) == {"FORMAT": "csv"}


def test_a_repetition_with_another_value_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="MAXREC was sent twice"):
        request.collect([("MAXREC", "1"), ("maxrec", "2")])


def test_what_no_query_may_carry_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="QUERY contains a NUL"):
        request.collect([("QUERY", "SELECT\0 1")])


def test_a_plain_query_gets_the_defaults() -> None:
    assert request.check(ASKED) == request.QueryRequest("SELECT 1", "adql", "votable", limits.DEFAULT_ROWS)


@pytest.mark.parametrize("language", ["ADQL", "adql", "ADQL-2.0", "ADQL-2.1"])
def test_known_languages(language: str) -> None:
    assert request.check({**ASKED, "LANG": language}).query == "SELECT 1"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"LANG": ""}, "LANG is missing"),
        ({"LANG": "OOBLECK"}, "unknown query language 'OOBLECK'"),
        ({"QUERY": " \n"}, "QUERY is missing"),
        ({"REQUEST": "doEvil"}, "REQUEST has to be doQuery, not 'doEvil'"),
        ({"REQUEST": "getCapabilities"}, "REQUEST has to be doQuery"),
        ({"MAXREC": "-1"}, "MAXREC has to be a whole number"),
        ({"MAXREC": "1e3"}, "MAXREC has to be a whole number"),
        ({"MAXREC": "١٢"}, "MAXREC has to be a whole number"),
        ({"MAXREC": "9" * 5000}, "MAXREC has to be a whole number"),
        ({"MAXREC": "1; DROP TABLE query_job"}, "MAXREC has to be a whole number"),
        ({"RESPONSEFORMAT": "application/x-msdownload"}, "no format"),
        ({"FORMAT": "csv'; SELECT pg_sleep(9)--"}, "no format"),
    ],
)
def test_a_wrong_parameter_is_named(changed: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        request.check({**ASKED, **changed})


@pytest.mark.parametrize("operation", ["doQuery", "DOQUERY", ""])
def test_the_one_operation_may_be_named(operation: str) -> None:
    assert request.check({**ASKED, "REQUEST": operation}) == request.check(ASKED)


@pytest.mark.parametrize(
    ("sent", "wished"),
    [
        ({}, request.Wishes()),
        ({"phase": "RUN"}, request.Wishes(start=True)),
        ({"PHASE": "run", "EXECUTIONDURATION": "0"}, request.Wishes(start=True, duration=0)),
        ({"executionduration": "7", "PHASE": ""}, request.Wishes(duration=7)),
        ({"DESTRUCTION": "2030-01-01"}, request.Wishes(destruction=datetime(2030, 1, 1, tzinfo=UTC))),
    ],
)
def test_what_a_new_job_is_wished_to_be(sent: dict[str, str], wished: request.Wishes) -> None:
    assert request.wishes(sent.items()) == wished


@pytest.mark.parametrize(
    "sent",
    [
        [("PHASE", "ABORT")], [("PHASE", "RUN"), ("PHASE", "PENDING")], [("EXECUTIONDURATION", "-1")],
        [("EXECUTIONDURATION", "1h")], [("EXECUTIONDURATION", "1"), ("executionduration", "2")],
        [("DESTRUCTION", "soon")],
    ],
)  # fmt: skip
def test_a_wrong_wish_is_refused(sent: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidRequestError, match=sent[0][0]):
        request.wishes(sent)


@pytest.mark.parametrize(
    ("name", "most"), [("QUERY", 100_000), ("RUNID", 64), ("UPLOAD", 20_000), ("RESPONSEFORMAT", 20_000)]
)
def test_what_is_too_long_is_refused_before_anything_keeps_it(name: str, most: int) -> None:
    assert request.collect([(name, "S" * most)]) == {name: "S" * most}
    with pytest.raises(TooLargeError, match=f"{name} has {most + 1:,} characters; {most:,} are allowed"):
        request.collect([(name, "S" * (most + 1))])


def test_too_many_uploads_are_refused_before_anything_compares_them() -> None:
    with pytest.raises(TooLargeError, match="UPLOAD has 200000 tables"):
        request.uploads({"UPLOAD": "".join(f"t{number},x;" for number in range(200_000))})


def test_a_value_is_shown_without_control_characters_and_short() -> None:
    with pytest.raises(QueryError) as refused:
        request.check({**ASKED, "LANG": "\x1b[31m" + "x" * 1000})
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T12:00:00Z",
        "2030-01-31T12:00:00.000000Z",
        "2030-01-31T12:00:00",
        "2030-02-01T11:59:00+23:59",
        "2030-01-30T12:01:00-23:59",
    ],
)
def test_times_are_utc(text: str) -> None:
    assert request.parse_time("DESTRUCTION", text).isoformat() == "2030-01-31T12:00:00+00:00"


@pytest.mark.parametrize("text", ["", "tomorrow", "2030-13-01T00:00:00Z", "9" * 400, "0001-01-01T00:00:00+01:00"])
def test_no_time(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="DESTRUCTION has to be a time"):
        request.parse_time("DESTRUCTION", text)


@pytest.mark.parametrize(("text", "seconds"), [("-1", -1), ("0", 0), (" 60 ", 60)])
def test_wait(text: str, seconds: int) -> None:
    assert request.parse_wait(text) == seconds


@pytest.mark.parametrize("text", ["", "-2", "x", "1.5"])
def test_no_wait(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="WAIT"):
        request.parse_wait(text)


def test_uploads_come_joined_or_repeated() -> None:
    sent = request.collect([("UPLOAD", "a,param:x;b,http://h/y;z,1?q=1;2;"), ("upload", "C_3,param:t")])
    assert [(upload.name, upload.uri) for upload in request.uploads(sent)] == [
        ("a", "param:x"),
        ("b", "http://h/y"),
        ("z", "1?q=1;2"),
        ("C_3", "param:t"),
    ]
    assert request.uploads({}) == request.uploads({"UPLOAD": ""}) == request.uploads({"UPLOAD": ";"}) == ()


@pytest.mark.parametrize(
    "value",
    [
        "a",
        "a,",
        ",param:x",
        "1a,param:x",
        "a b,param:x",
        'a"b,param:x',
        "\u00e4,param:x",
        "a,param:x;A,param:y",
        "t" * 64 + ",param:x",
    ],
)
def test_what_is_no_upload_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequestError, match="UPLOAD"):
        request.uploads({"UPLOAD": value})


def test_last_is_at_least_one() -> None:
    assert request.parse_last("3") == 3
    for wrong in ("0", "-1", "many", ""):
        with pytest.raises(InvalidRequestError, match="LAST has to be"):
            request.parse_last(wrong)


@pytest.mark.parametrize(("text", "name"), [("Mine", "mine"), ("a_1", "a_1"), ("x" * 63, "x" * 63)])
def test_a_table_is_named_in_any_letter_case(text: str, name: str) -> None:
    assert request.table_name(text) == name


@pytest.mark.parametrize("text", ["", "1a", "a b", 'a"; DROP TABLE x', "a.b", "ä", "x" * 64, "mine\n"])
def test_a_tables_name_is_a_regular_identifier(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="a table's name has to be"):
        request.table_name(text)
