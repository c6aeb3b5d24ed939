"""The last page of `make up`, for archives that are not the demo, too."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import pytest
import pyvo
from astropy.table import Table

import welcome


def archive(names: Sequence[str], answers: Mapping[str, Table]) -> welcome.Ask:
    """An archive with these tables; a query that names none of `answers` is refused."""

    def ask(query: str) -> Table:
        if query == welcome.TABLES:
            return Table({"table_name": list(names)}, dtype=[str])
        for name, rows in answers.items():
            if name in query:
                return rows
        raise pyvo.dal.DALQueryError("out of order")

    return ask


def test_demo_archive_shows_the_pleiades() -> None:
    told = welcome.answer(archive(["sky.stars", "gaiadr3.bright"], {"gaiadr3.bright": Table({"source_id": [42]})}))
    assert "CIRCLE(56.75, 24.12, 1.0)" in told
    assert "42" in told


def test_other_archive_shows_the_first_of_its_tables_that_answers() -> None:
    told = welcome.answer(archive(["sky.broken", "sky.stars"], {"sky.stars": Table({"id": [7]})}))
    assert "SELECT TOP 5 * FROM sky.stars" in told
    assert "7" in told


def test_wide_table_fits_the_page() -> None:
    wide = Table({f"column_{number}": [number] for number in range(300)})
    told = welcome.answer(archive(["sky.wide"], {"sky.wide": wide}))
    assert max(map(len, told.splitlines())) < 170


def test_archive_without_tables_is_up_all_the_same() -> None:
    assert "no tables yet" in welcome.answer(archive([], {}))


def test_archive_that_answers_no_query_says_why() -> None:
    with pytest.raises(pyvo.dal.DALAccessError, match="out of order"):
        welcome.answer(archive(["sky.stars"], {}))


def test_page_is_there_when_the_archive_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent(_: object) -> str:
        raise pyvo.dal.DALServiceError("no route to host")

    found = welcome.Archive("sky", "sky-dev", "almagest", "http://192.0.2.1/", "http://192.0.2.1/tap")
    monkeypatch.setattr(welcome, "observe", lambda *_: found)
    monkeypatch.setattr(welcome, "answer", silent)
    monkeypatch.setattr(sys, "argv", ["welcome.py", "sky", "--namespace", "sky-dev"])
    assert welcome.main() == 1
    told = capsys.readouterr()
    assert "http://192.0.2.1/tap" in told.out
    assert "no route to host" in told.err
