"""taplint, all of its stages, on a deployed archive: as nobody, and as somebody who is logged in."""

from __future__ import annotations

import tomllib
from base64 import b64encode
from pathlib import Path

import pytest
import requests

from support.archive import Archive
from support.credentials import adding
from support.stilts import Finding, taplint

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]

ACCEPTED = Path(__file__).with_name("accepted.toml")


def test_taplint_finds_nothing_but_what_is_accepted_with_a_reason(archive: Archive) -> None:
    judge(taplint(archive.tap))


def test_taplint_finds_no_more_when_logged_in(archive: Archive) -> None:
    made = archive.application.run("user", "add", "astronomer")
    assert made.code == 0, made.err
    with adding(f"Basic {b64encode(f'astronomer:{made.out.strip()}'.encode()).decode()}") as proxy:
        seen = requests.get(f"{archive.tap}/tables", proxies={"http": f"http://127.0.0.1:{proxy}"}, timeout=30)
        assert seen.headers["X-VO-Authenticated"] == "astronomer"
        judge(taplint(archive.tap, proxy))


def judge(found: list[Finding]) -> None:
    accepted = {entry["code"] for entry in tomllib.loads(ACCEPTED.read_text())["accepted"] if entry["reason"]}
    unexpected = [f"{finding.code}: {finding.text}" for finding in found if finding.code not in accepted]
    assert not unexpected, "\n".join(unexpected)
    assert {finding.code for finding in found} == accepted
