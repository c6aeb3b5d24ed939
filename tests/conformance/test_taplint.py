"""taplint, all of its stages, on a deployed archive."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from support.archive import Archive
from support.stilts import taplint

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]

ACCEPTED = Path(__file__).with_name("accepted.toml")


def test_taplint_finds_nothing_but_what_is_accepted_with_a_reason(archive: Archive) -> None:
    accepted = {entry["code"] for entry in tomllib.loads(ACCEPTED.read_text())["accepted"] if entry["reason"]}
    found = taplint(archive.tap)
    unexpected = [f"{finding.code}: {finding.text}" for finding in found if finding.code not in accepted]
    assert not unexpected, "\n".join(unexpected)
    assert {finding.code for finding in found} == accepted
