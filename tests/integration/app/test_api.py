"""The REST API as programs and the site's own pages use it: everything by HTTP, on a whole archive."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from support.archive import Archive
from support.askers import Asker, browser

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

STARS = "SELECT TOP 5 hip, ra, dec FROM hipparcos.main ORDER BY hip"


def api(archive: Archive, path: str) -> str:
    return f"{archive.url}/api/v1/{path}"


def get(archive: Archive, path: str, **named: Any) -> Any:
    answer = requests.get(api(archive, path), timeout=60, **named)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


def check(archive: Archive, query: str, **named: Any) -> Any:
    answer = requests.post(api(archive, "check"), json={"query": query, **named}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: requests.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["detail"]
    return told


def run(asker: Asker, query: str, **named: Any) -> requests.Response:
    body = {"query": query, "wait": 10, **named}
    return asker.session.post(api(asker.archive, "jobs"), json=body, timeout=60)


def test_site_tells_what_may_be_asked(archive: Archive) -> None:
    site = get(archive, "site")
    assert site["languages"] == ["ADQL", "PostgreSQL"]
    assert [queue["name"] for queue in site["queues"]] == ["short", "long"]
    assert {"votable", "fits", "csv", "parquet"} <= {known["name"] for known in site["formats"]}
    assert site["user"] == {"name": "", "authenticated": False}


def test_me_of_nobody_is_what_a_visitor_may_have(archive: Archive) -> None:
    me = get(archive, "me")
    assert me["quotas"]["active"] == {"used": 0, "limit": 20}
    assert me["tables"] == []


def test_schemas_list_what_tap_lists(archive: Archive) -> None:
    schemas = {schema["name"]: schema for schema in get(archive, "schemas")}
    assert {"hipparcos", "openngc", "tap_schema"} <= schemas.keys()
    (main,) = schemas["hipparcos"]["tables"]
    assert main["qualified"] == "hipparcos.main"
    assert main["rows"] == 117_955
    assert main["readable"] is True


def test_a_table_tells_its_columns(archive: Archive) -> None:
    table = get(archive, "tables/hipparcos.main")
    columns = {column["name"]: column for column in table["columns"]}
    assert columns["ra"]["unit"] == "deg"
    assert columns["ra"]["ucd"] == "pos.eq.ra;meta.main"
    assert columns["hip"]["indexed"] is True
    assert table["position"] == ["ra", "dec"]
    assert table["url"] == "/data/hipparcos/main/"


def test_an_unknown_table_is_a_problem(archive: Archive) -> None:
    assert "no table" in problem(requests.get(api(archive, "tables/no.such"), timeout=30), 404)["detail"]


def test_every_example_runs(archive: Archive) -> None:
    for example in get(archive, "examples"):
        assert check(archive, example["query"], language=example["language"])["valid"], example


def test_functions_have_a_signature_and_a_sentence(archive: Archive) -> None:
    functions = {function["signature"]: function for function in get(archive, "functions")}
    assert functions["CONTAINS(what GEOMETRY, where GEOMETRY) -> INTEGER"]["language"] == "ADQL"


def test_search_finds_by_name_description_and_ucd(archive: Archive) -> None:
    def first(words: str) -> Any:
        return get(archive, "search", params={"q": words})[0]

    assert first("hipparcos.main")["qualified"] == "hipparcos.main"
    assert first("parallax")["kind"] == "column"
    assert "redshift" in first("src.redshift")["qualified"]
    assert first("parallax")["url"].startswith("/data/")
    assert get(archive, "search", params={"q": "xyzzy"}) == []


class TestResolve:
    @pytest.mark.parametrize(
        "name", ["M 42", "m42", "M042", "NGC 1976", "ngc1976", "Orion Nebula", "Messier 42", "LBN 974"]
    )
    def test_the_archives_own_objects(self, archive: Archive, name: str) -> None:
        place = get(archive, "resolve", params={"name": name})
        assert place["ra"] == pytest.approx(83.82, abs=0.05)
        assert place["dec"] == pytest.approx(-5.39, abs=0.05)
        assert place["source"] == "openngc.objects"

    def test_numbers_of_a_catalogue(self, archive: Archive) -> None:
        place = get(archive, "resolve", params={"name": "HIP 70890"})
        assert place["source"] == "hipparcos.main"
        assert place["dec"] == pytest.approx(-62.68, abs=0.05)

    @pytest.mark.parametrize("text", ["83.822083 -5.391111", "05:35:17.3 -05:23:28", "5h35m17.3s −5°23′28″"])
    def test_coordinates(self, archive: Archive, text: str) -> None:
        place = get(archive, "resolve", params={"name": text})
        assert (place["ra"], place["dec"]) == pytest.approx((83.822083, -5.391111), abs=1e-4)

    def test_what_nobody_knows_is_said_in_a_sentence(self, archive: Archive) -> None:
        answer = requests.get(api(archive, "resolve"), params={"name": "Xyzzy 99"}, timeout=30)
        assert "Xyzzy 99" in problem(answer, 404)["detail"]

    def test_places_off_the_sky_are_refused(self, archive: Archive) -> None:
        answer = requests.get(api(archive, "resolve"), params={"name": "400 100"}, timeout=30)
        assert "declination" in problem(answer, 400)["detail"]


class TestCheck:
    def test_a_query_that_is_one(self, archive: Archive) -> None:
        told = check(archive, STARS)
        assert told["valid"] is True
        assert told["problem"] is None
        assert [column["name"] for column in told["columns"]] == ["hip", "ra", "dec"]
        assert told["tables"] == ["hipparcos.main"]
        assert told["plan"]["rows"] == 5
        assert told["plan"]["queue"] == "short"

    def test_a_misspelt_column_has_a_place_and_a_fix(self, archive: Archive) -> None:
        told = check(archive, "SELECT hip,\n  m.parralax\nFROM hipparcos.main AS m")
        assert told["valid"] is False
        assert told["problem"]["position"] == {"line": 2, "column": 5, "length": 8}
        assert told["problem"]["fix"]["text"] == "parallax"
        assert "Did you mean parallax?" in told["problem"]["detail"]

    def test_the_fix_makes_the_query_right(self, archive: Archive) -> None:
        query = "SELECT hip FROM hipparcos.mian WHERE hip = 1"
        fix = check(archive, query)["problem"]["fix"]
        begin = fix["column"] - 1
        mended = query[:begin] + fix["text"] + query[begin + fix["length"] :]
        assert check(archive, mended)["valid"], mended

    def test_the_plan_says_which_index_helps(self, archive: Archive) -> None:
        cone = "SELECT hip FROM hipparcos.main WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 0.1))"
        plan = check(archive, cone)["plan"]
        assert plan["indexed"] is True
        assert "index of hipparcos.main" in plan["sentence"]

    def test_the_plan_says_what_is_read_whole_and_what_would_be_cheaper(self, archive: Archive) -> None:
        plan = check(archive, "SELECT hip FROM hipparcos.main WHERE sqrt(abs(parallax)) > 7")["plan"]
        assert plan["indexed"] is False
        assert "117,955" in plan["sentence"]
        assert "CONTAINS(POINT(ra, dec)" in plan["advice"][0]

    def test_nothing_is_an_answer_too(self, archive: Archive) -> None:
        assert check(archive, " ")["valid"] is False

    def test_an_unknown_language_names_its_field_or_itself(self, archive: Archive) -> None:
        answer = requests.post(api(archive, "check"), json={"query": STARS, "language": "Klingon"}, timeout=30)
        assert "Klingon" in problem(answer, 400)["detail"]


class TestJobs:
    def test_a_short_query_is_answered_by_its_own_request(self, archive: Archive) -> None:
        with browser(archive) as visitor:
            answer = run(visitor, STARS, run_id="stars")
            job = answer.json()
            assert answer.status_code == 201
            assert answer.headers["Location"] == api(archive, f"jobs/{job['id']}")
            assert job["phase"] == "COMPLETED"
            assert (job["rows"], job["overflow"], job["mine"]) == (5, False, True)
            assert [column["name"] for column in job["columns"]] == ["hip", "ra", "dec"]
            assert job["tables"] == ["hipparcos.main"]
            assert job["url"] == f"/query/?job={job['id']}"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", job["created"])
            again = visitor.session.get(answer.headers["Location"], timeout=30).json()
            assert {**again, "destruction": ""} == {**job, "destruction": ""}

    def test_it_is_the_job_that_tap_tells(self, archive: Archive) -> None:
        with browser(archive) as visitor:
            job = run(visitor, STARS).json()
            told = f"{archive.tap}/async/{job['id']}"
            assert visitor.said(told, "phase") == "COMPLETED"
            assert visitor.info(told, "rows") == "5"
            assert visitor.info(told, "table") == job["table"]

    def test_a_wrong_query_makes_no_job(self, archive: Archive) -> None:
        with browser(archive) as visitor:
            told = problem(run(visitor, "SELECT parralax FROM hipparcos.main"), 400)
            assert told["position"] == {"line": 1, "column": 8, "length": 8}
            assert told["fix"]["text"] == "parallax"
            assert visitor.session.get(api(archive, "jobs"), timeout=30).json()["jobs"] == []

    def test_a_list_is_paged_filtered_and_searched(self, archive: Archive) -> None:
        with browser(archive) as visitor:
            made = [
                run(visitor, f"SELECT TOP {n} hip FROM hipparcos.main", run_id=f"g{n % 2}").json()["id"]
                for n in (1, 2, 3)
            ]

            def listed(**parameters: Any) -> tuple[list[str], str | None]:
                answer = visitor.session.get(api(archive, "jobs"), params=parameters, timeout=30)
                assert answer.status_code == 200, answer.text
                return [job["id"] for job in answer.json()["jobs"]], answer.json()["next"]

            newest = made[::-1]
            assert listed() == (newest, None)
            first, after = listed(limit=2)
            assert first == newest[:2]
            assert listed(limit=2, after=after) == (newest[2:], None)
            assert listed(run_id="g1")[0] == [made[2], made[0]]
            assert listed(q="top 2 HIP")[0] == [made[1]]
            assert listed(q="%")[0] == []
            assert listed(phase="ERROR,aborted")[0] == []
            assert listed(phase="completed")[0] == newest

    def test_a_job_can_be_renamed_and_kept_longer(self, archive: Archive) -> None:
        with browser(archive) as visitor:
            url = run(visitor, STARS).headers["Location"]
            changes = {"run_id": "mine", "name": "Stars", "destruction": "2099-01-01T00:00:00Z"}
            job = visitor.session.patch(url, json=changes, timeout=30).json()
            assert (job["run_id"], job["table"]) == ("mine", "tap_user.stars")
            assert job["destruction"] < "2099"
            refused = visitor.session.patch(url, json={"name": "no name"}, timeout=30)
            assert "letter" in problem(refused, 400)["detail"]
            assert check(archive, "SELECT * FROM tap_user.stars")["valid"] is False
            answer = visitor.session.post(
                api(archive, "check"), json={"query": "SELECT * FROM tap_user.stars"}, timeout=30
            )
            assert answer.json()["tables"] == ["tap_user.stars"]

    def test_a_job_can_be_run_again_and_deleted(self, archive: Archive) -> None:
        with browser(archive) as visitor:
            url = run(visitor, STARS, run_id="r").headers["Location"]
            again = visitor.session.post(f"{url}/run_again", timeout=30)
            assert again.status_code == 201
            done = visitor.session.get(again.headers["Location"], params={"wait": "20", "phase": "QUEUED"}, timeout=60)
            assert done.json()["run_id"] == "r"
            assert visitor.session.delete(url, timeout=30).status_code == 204
            problem(visitor.session.get(url, timeout=30), 404)

    @pytest.mark.usefixtures("slow_table")
    def test_a_waiting_job_tells_its_place_and_ends_when_told(self, archive: Archive) -> None:
        from support.seconds import FOR_EVER  # noqa: PLC0415

        with browser(archive) as visitor:
            first = run(visitor, FOR_EVER, wait=0).json()
            second = run(visitor, FOR_EVER, wait=0).json()
            third = run(visitor, FOR_EVER, wait=0).json()
            places = [
                visitor.session.get(api(archive, f"jobs/{job['id']}"), timeout=30).json()["place"]
                for job in (second, third)
            ]
            assert None not in places
            # Somebody else who waits has their turn in between.
            assert places[1] > places[0]
            for job in (third, second, first):
                ended = visitor.session.post(api(archive, f"jobs/{job['id']}/abort"), timeout=30)
                assert ended.json()["phase"] == "ABORTED"


class TestWrongRequests:
    def test_unknown_addresses_are_problems(self, archive: Archive) -> None:
        problem(requests.get(api(archive, "nothing/here"), timeout=30), 404)

    def test_other_methods_are_told_which_there_are(self, archive: Archive) -> None:
        answer = requests.delete(api(archive, "site"), timeout=30)
        problem(answer, 405)
        assert "GET" in answer.headers["Allow"]

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"null", b'{"query": 1}', b'{"query": "x", "qeury": 1}', b"\xff", b'{"query": "\\ud800"}'],
    )
    def test_bodies_that_are_none_are_told_so(self, archive: Archive, body: bytes) -> None:
        told = problem(requests.post(api(archive, "check"), data=body, timeout=30), 400)
        assert told["errors"]

    def test_a_misspelt_field_is_named(self, archive: Archive) -> None:
        answer = requests.post(api(archive, "jobs"), json={"query": STARS, "maxrecs": 1}, timeout=30)
        assert "maxrecs" in problem(answer, 400)["errors"]

    def test_a_body_beyond_all_measure_is_not_read(self, archive: Archive) -> None:
        answer = requests.post(api(archive, "check"), data=b"x" * 1_000_000, timeout=30)
        assert problem(answer, 413)

    def test_wrong_credentials_are_told(self, archive: Archive) -> None:
        answer = requests.get(api(archive, "me"), headers={"Authorization": "Bearer nothing"}, timeout=30)
        problem(answer, 401)
        assert "ivoa_bearer" in answer.headers["WWW-Authenticate"]

    def test_scripts_of_other_sites_may_ask_with_a_token(self, archive: Archive) -> None:
        answer = requests.options(api(archive, "jobs"), headers={"Origin": "https://notebook.example"}, timeout=30)
        assert answer.status_code == 204
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_the_openapi_document_has_every_route(archive: Archive) -> None:
    document = get(archive, "schema/")
    assert json.dumps(document["paths"]["/api/v1/jobs/{job_id}"]["get"]["responses"]["200"]).count("Job")
    assert "application/problem+json" in json.dumps(document["paths"]["/api/v1/site"])
