"""Stored results in pieces, by HTTP on a whole archive: exact pages, whose they are, indexes that are killed half-way,
and what hostile programs send."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
import requests

from almagest.query import limits
from support.application import Application
from support.archive import Archive
from support.askers import Asker, browser, nobody, user
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

STARS = "SELECT TOP 1000 hip, ra, dec, hp_mag FROM hipparcos.main ORDER BY hip"
MANY = "SELECT TOP {rows} s.ra, s.dec, s.hip, n.dec AS other FROM hipparcos.main AS s, openngc.objects AS n"
SENT: dict[str, dict[str, Any]] = {"rows": {}, "statistics": {}, "data": {}, "bins": {"x": "ra"}, "download": {}}
KINDS = tuple(SENT)


@dataclass(frozen=True)
class Result:
    """The result of a job. job: its address in TAP."""

    asker: Asker
    job: str

    @property
    def id(self) -> str:
        return self.job.rsplit("/", 1)[1]

    def url(self, kind: str) -> str:
        return f"{self.asker.archive.url}/api/v1/jobs/{self.id}/{kind}"

    def ask(self, kind: str, asker: Asker | None = None, **parameters: Any) -> requests.Response:
        return (asker or self.asker).session.get(self.url(kind), params=parameters, timeout=100)

    def made(self, kind: str = "rows", **parameters: Any) -> requests.Response:
        """The answer, after indexes that it needs were made."""
        answer = eventually(
            f"{kind} of {parameters}",
            lambda: found if (found := self.ask(kind, **parameters)).status_code != 202 else None,
            within=200,
        )
        assert answer is not None
        assert answer.status_code == 200, answer.text
        return answer

    def page(self, **parameters: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.made(**parameters).json()
        return found

    def filtered(self, where: str) -> int:
        """How many rows fulfil conditions, once all are counted."""
        page: dict[str, Any] = {"counted": 0, "total": 1}
        while page["counted"] < page["total"]:
            before, page = page["counted"], self.page(where=where, limit=1)
            assert before <= page["counted"] <= page["total"], "what is counted is never counted again"
        return int(page["filtered"])


@pytest.fixture(scope="module")
def ada(archive: Archive) -> Iterator[Asker]:
    with user(archive, "ada") as asker:
        yield asker


@pytest.fixture(scope="module")
def stars(ada: Asker) -> Result:
    return Result(ada, ada.done(STARS))


@pytest.fixture(scope="module")
def many(ada: Asker) -> Result:
    """More rows than are sorted at each request."""
    rows = limits.INDEXED_ROWS + 50_000
    return Result(ada, ada.done(MANY.format(rows=rows), MAXREC=str(rows)))


def problem(answer: requests.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    return told


class TestPages:
    def test_a_page_is_whole_and_numbered(self, stars: Result) -> None:
        whole = stars.page(limit=1000)
        assert (whole["total"], whole["filtered"], whole["offset"]) == (1000, 1000, 0)
        assert whole["numbers"] == list(range(1000))
        assert [column["name"] for column in whole["columns"]] == ["hip", "ra", "dec", "hp_mag"]
        assert [row[0] for row in whole["rows"]] == sorted(row[0] for row in whole["rows"])

    def test_numbers_stay_with_their_rows(self, stars: Result) -> None:
        whole = stars.page(limit=1000)
        page = stars.page(sort="-dec", columns="hip", where='[["dec", "<", 0]]', limit=50, offset=20)
        assert [whole["rows"][number][0] for number in page["numbers"]] == [row[0] for row in page["rows"]]
        dec = [whole["rows"][number][2] for number in page["numbers"]]
        assert dec == sorted(dec, reverse=True)
        assert page["filtered"] == sum(row[2] < 0 for row in whole["rows"])

    def test_values_are_exact(self, ada: Asker) -> None:
        query = (
            "SELECT 9007199254740993 AS big, 0.1 AS x, CAST('a\"\\b' AS VARCHAR(9)) AS t, ra, hip, POINT(ra, dec) AS p"
            " FROM hipparcos.main WHERE hip = 1"
        )
        result = Result(ada, ada.done(query))
        page = result.page()
        kinds = {column["name"]: column["datatype"] for column in page["columns"]}
        ((big, x, text, ra, hip, point),) = page["rows"]
        assert (big, kinds["big"]) == ("9007199254740993", "long")
        assert (x, text, hip, point[0]) == (0.1, 'a"\\b', 1, ra)

    def test_the_number_is_in_no_document_and_no_query(self, ada: Asker, stars: Result) -> None:
        assert ada.get(f"{stars.job}/results/result", RESPONSEFORMAT="csv").text.splitlines()[0] == "hip,ra,dec,hp_mag"
        name = ada.info(stars.job, "table")
        for query in (f"SELECT * FROM {name}", f"SELECT TOP 1 s.* FROM {name} AS s"):
            assert ada.sync(query).text.splitlines()[0] == "hip,ra,dec,hp_mag"
        assert ada.sync(f'SELECT "#" FROM {name}').status_code == 400

    def test_a_column_may_be_called_as_the_number_is(self, ada: Asker) -> None:
        result = Result(ada, ada.done('SELECT hip AS "#", ra FROM hipparcos.main WHERE hip < 4 ORDER BY hip'))
        page = result.page(sort="-ra")
        assert sorted(row[0] for row in page["rows"]) == [1, 2, 3]
        assert page["columns"][0]["name"] == "#"

    def test_what_is_too_long_for_an_address_is_sent_as_a_form(self, stars: Result) -> None:
        numbers = list(range(0, 1000, 2))
        where = json.dumps([["#", "in", [*numbers, [990, 999], *range(10**6, 10**6 + 5000)]]])
        answer = stars.asker.session.post(stars.url("rows"), data={"where": where, "limit": "1000"}, timeout=60)
        assert answer.status_code == 200, answer.text
        assert answer.json()["numbers"] == sorted({*numbers, *range(990, 1000)})


class TestPieces:
    def test_points_are_arrow(self, stars: Result) -> None:
        where = json.dumps([["dec", ">", 10]])
        answer = stars.made("data", columns="ra,dec", numbers="true", where=where)
        table = pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()
        page = stars.page(columns="ra,dec", where=where, limit=1000)
        assert table.column_names == ["#", "ra", "dec"]
        assert table["#"].type == pa.int32()
        assert table["#"].to_pylist() == page["numbers"]
        assert table["ra"].to_pylist() == [row[0] for row in page["rows"]]

    def test_a_download_is_what_was_chosen_and_can_be_fetched_in_parts(self, stars: Result) -> None:
        chosen: dict[str, Any] = {
            "columns": "hip,dec",
            "sort": "-dec",
            "where": '[["dec", "between", [-10, 10]]]',
            "format": "csv",
        }
        whole = stars.made("download", **chosen)
        page = stars.page(**{name: value for name, value in chosen.items() if name != "format"}, limit=1000)
        assert [line.split(",")[0] for line in whole.text.splitlines()[1:]] == [str(row[0]) for row in page["rows"]]
        part = stars.asker.session.get(
            stars.url("download"),
            params=chosen,
            headers={"Range": "bytes=30-89", "If-Range": whole.headers["ETag"]},
            timeout=60,
        )
        assert (part.status_code, part.content) == (206, whole.content[30:90])
        other = stars.ask("download", **{**chosen, "sort": "dec"})
        assert other.headers["ETag"] != whole.headers["ETag"]

    def test_a_download_of_all_is_the_job_s_result(self, stars: Result) -> None:
        fits = stars.made("download", format="fits")
        assert fits.content == stars.asker.get(f"{stars.job}/results/result", RESPONSEFORMAT="fits").content
        head = stars.asker.session.head(stars.url("download"), params={"format": "fits"}, timeout=60)
        assert head.headers["Content-Length"] == str(len(fits.content))

    def test_statistics_are_those_of_the_rows(self, stars: Result) -> None:
        rows = stars.page(limit=1000)["rows"]
        hip, ra, _, hp_mag = stars.made("statistics").json()
        values = sorted(row[1] for row in rows)
        assert (ra["n"], ra["nulls"], ra["min"], ra["max"]) == (1000, 0, values[0], values[-1])
        assert ra["quartiles"] == [values[249], values[499], values[749]]
        assert ra["mean"] == pytest.approx(sum(values) / 1000)
        assert sum(ra["histogram"]["counts"]) == 1000
        assert (ra["histogram"]["edges"][0], ra["histogram"]["edges"][-1]) == (values[0], values[-1])
        assert (hip["distinct"], hip["approximate"]) == (1000, False)
        assert hp_mag["n"] == sum(isinstance(row[3], (int, float)) for row in rows)

    def test_bins_count_every_row_once(self, stars: Result) -> None:
        told = stars.made("bins", x="ra", y="dec", nx=7, ny=5).json()
        assert (sum(told["counts"]), len(told["counts"])) == (1000, 35)
        rows = stars.page(columns="ra,dec", limit=1000)["rows"]
        assert told["x"] == [min(row[0] for row in rows), max(row[0] for row in rows)]
        half = stars.made("bins", x="dec", nx=2, x0=-90, x1=90).json()
        assert half["counts"] == [sum(row[1] < 0 for row in rows), sum(row[1] >= 0 for row in rows)]
        assert half["y"] is None


class TestLargeResults:
    def test_every_place_of_every_order_is_right(self, many: Result) -> None:
        total = many.page(limit=1)["total"]
        first = many.page(sort="dec", columns="dec", limit=1000)
        last = many.page(sort="-dec", columns="dec", limit=1000, offset=total - 1000)
        assert last["numbers"][::-1] == first["numbers"]
        for sort in ("other", "-other"):
            assert many.page(sort=sort, columns="other", offset=total - 5)["rows"] == [[None]] * 5
        middle = many.page(sort="other,-ra", columns="other,ra", offset=total // 2, limit=1000)
        keys = [(row[0], -row[1]) for row in middle["rows"]]
        assert keys == sorted(keys)
        after = many.page(sort="other,-ra", columns="other,ra", offset=total // 2 + 999, limit=2)
        assert after["numbers"][0] == middle["numbers"][-1]

    def test_an_index_counts_as_part_of_the_result(self, ada: Asker, many: Result) -> None:
        before = int(ada.info(many.job, "bytes"))
        many.page(sort="dec,ra")
        assert int(ada.info(many.job, "bytes")) > before + limits.INDEXED_ROWS * 8

    def test_there_are_never_more_than_so_many(self, application: Application, many: Result) -> None:
        for sort in ("ra", "dec", "hip", "other", "ra,dec", "dec,hip", "hip,ra", "ra,other"):
            many.page(sort=sort)
        assert len(indexes(application, many)) <= limits.INDEXES
        assert many.page(sort="ra,other", limit=1)["total"] > limits.INDEXED_ROWS

    def test_a_page_of_conditions_is_found_at_every_place(self, many: Result) -> None:
        where = '[["dec", ">", 0], ["hip", "<", 60000]]'
        total = many.filtered(where)
        one = many.page(where=where, columns="dec,hip", offset=total - 10, limit=1000)
        assert len(one["rows"]) == 10
        assert all(row[0] > 0 and row[1] < 60000 for row in one["rows"])
        assert one["numbers"] == sorted(one["numbers"])

    def test_the_first_page_of_a_filter_comes_before_all_rows_are_counted(self, ada: Asker) -> None:
        result = Result(ada, ada.done(MANY.format(rows=2_000_000), MAXREC="2000000"))
        where = '[["dec", ">", -100]]'
        first = result.ask("rows", where=where, limit=200)
        assert first.status_code == 200, "all rows pass, so the first piece has a page of them"
        rare = result.ask("rows", where='[["#", ">=", 1999990]]', limit=5)
        if rare.status_code == 202:
            assert "of 2,000,000 rows are looked through; 0 fulfil the conditions" in rare.json()["sentence"]
            assert rare.headers["Retry-After"] == "0"
        expected = result.filtered(where)
        assert len(result.page(where=where, offset=expected - 1, limit=200)["rows"]) == 1
        assert result.page(where='[["#", ">=", 1999990]]', limit=5)["numbers"] == list(range(1_999_990, 1_999_995))
        assert result.page(where=where, limit=200)["numbers"] == first.json()["numbers"]
        assert expected == result.made("statistics", where=where, columns="dec").json()[0]["n"]
        ada.session.delete(result.job, allow_redirects=False, timeout=30)

    def test_what_is_killed_half_way_leaves_nothing_and_is_made_again(
        self, archive: Archive, application: Application, ada: Asker
    ) -> None:
        result = Result(ada, ada.done(MANY.format(rows=2_000_000), MAXREC="2000000"))
        answer = result.ask("rows", sort="dec,ra,hip")
        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert 0 <= told["progress"] < 1
        assert "2,000,000 rows by dec and ra and hip" in told["sentence"]
        assert answer.headers["Retry-After"] == "1"
        archive.processes["serve"].kill()
        eventually("PostgreSQL to notice", lambda: not building(application), within=30)
        assert indexes(application, result) == []
        archive.start("serve")
        archive.ready()
        page = result.page(sort="dec,ra,hip", columns="dec,ra,hip", offset=1_000_000, limit=100)
        assert page["rows"] == sorted(page["rows"])
        assert len(indexes(application, result)) == 1

    def test_more_points_than_are_drawn_are_refused_with_a_remedy(self, ada: Asker) -> None:
        rows = limits.PLOTTED_ROWS + 1
        result = Result(ada, ada.done(MANY.format(rows=rows), MAXREC=str(rows)))
        assert "bins" in problem(result.ask("data", columns="ra"), 413)["detail"]
        assert result.ask("data", columns="ra", where='[["#", "<", 5]]').status_code == 200
        ada.session.delete(result.job, allow_redirects=False, timeout=30)


class TestWhose:
    def test_a_user_s_result_is_theirs_alone(self, archive: Archive, ada: Asker) -> None:
        result = Result(ada, ada.done(STARS))
        with user(archive, "bob") as bob, browser(archive) as guest, nobody(archive) as program:
            for kind in KINDS:
                assert result.ask(kind, **SENT[kind]).status_code == 200
                for other in (bob, guest, program):
                    problem(result.ask(kind, other), 404)

    def test_a_visitor_s_result_is_for_whoever_knows_its_address(self, archive: Archive) -> None:
        with browser(archive) as guest, nobody(archive) as program:
            result = Result(guest, guest.done(STARS))
            for asker in (guest, program):
                assert result.ask("rows", asker, sort="-ra").json()["total"] == 1000

    def test_nobody_s_result_too(self, archive: Archive) -> None:
        with nobody(archive) as program:
            rows = limits.INDEXED_ROWS + 1
            result = Result(program, program.done(MANY.format(rows=rows), MAXREC=str(rows)))
            assert result.page(sort="-dec")["filtered"] == rows

    def test_a_job_without_a_result_says_so(self, archive: Archive, ada: Asker) -> None:
        failed = ada.submit("SELECT nothing FROM hipparcos.main", PHASE="RUN")
        ada.until(failed, "ERROR")
        for kind in KINDS:
            assert "has no result" in problem(Result(ada, failed).ask(kind), 404)["detail"]
        assert problem(Result(ada, f"{archive.tap}/async/nonsense").ask("rows"), 404)

    def test_a_lost_result_says_so(self, application: Application, ada: Asker) -> None:
        result = Result(ada, ada.done(STARS))
        with application.data("almagest_job") as data:
            row = data.execute(
                "SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = %s",
                (f"job_{result.id}",),
            ).fetchone()
            assert row is not None
        with application.data(row[0]) as owner:
            owner.execute(f'TRUNCATE "{row[0]}"."job_{result.id}"')
        answers = [result.ask(kind, where='[["ra", "<", 400]]') for kind in ("rows", "download")]
        # The sweep may have been there before.
        assert {answer.status_code for answer in answers} <= {410, 404}
        assert all("lost" in answer.text or "ERROR" in answer.text for answer in answers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"where": "[" * 50_000},
        {"where": '[["ra", "=", ' + "9" * 3000 + "]]"},
        {"where": '[["ra", ">", "NaN"]]'},
        {"where": '[["ra", "contains", "(a+)+$"]]'},
        {"where": '[["ra\'; DROP TABLE x; --", "=", 1]]'},
        {"where": '[["hip", "in", [[1, 2]]]]'},
        {"where": "\0"},
        {"columns": "ra,ra"},
        {"sort": "nothing"},
        {"limit": "-1"},
        {"offset": "1e9"},
        {"nonsense": "1"},
        {"x": "nothing", "nx": "0"},
        {"numbers": "perhaps"},
        {"format": "docx"},
    ],
)
def test_what_means_nothing_is_told_so(stars: Result, kind: str, parameters: dict[str, str]) -> None:
    began = time.monotonic()
    answer = stars.asker.session.post(stars.url(kind), data=parameters, timeout=60)
    assert problem(answer, 400)["detail"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "where",
    [
        [["hip", "=", 10**30]],
        [["ra", "<", "1e-400"]],
        [["hip", "in", list(range(-50_000, 50_000))]],
        [["#", "in", [[number, number] for number in range(0, 100_000, 2)]]],
        [["hip", ">", number / 3] for number in range(50)],
        [["hp_mag", "notnull"], ["hp_mag", "isnull"]],
    ],
)
def test_strange_conditions_are_answered(stars: Result, where: list[Any]) -> None:
    for kind, parameters in (
        ("rows", {"sort": "-hp_mag"}),
        ("statistics", {}),
        ("bins", {"x": "hp_mag", "logx": "true"}),
    ):
        sent = {"where": json.dumps(where), **parameters}
        answer = stars.asker.session.post(stars.url(kind), data=sent, timeout=60)
        assert answer.status_code == 200, answer.text


def indexes(application: Application, result: Result) -> list[str]:
    """Names of the B-trees of a result's table."""
    with application.data("almagest_job") as data:
        rows = data.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%USING btree%%'",
            (f"job_{result.id}",),
        ).fetchall()
    return [name for (name,) in rows]


def building(application: Application) -> bool:
    """Whether an index is being made."""
    with application.data() as data:
        row = data.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle'"
            " AND (query LIKE 'CREATE INDEX%' OR query LIKE 'VACUUM%')"
        ).fetchone()
    return bool(row and row[0])
