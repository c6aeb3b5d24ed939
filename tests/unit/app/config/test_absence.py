"""While a server is away, one in a while asks it."""

from __future__ import annotations

import time

import pytest

from almagest.config.absence import Absence


def test_one_in_a_while_asks_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    absence = Absence(seconds=5)
    assert [absence.ask(), absence.ask()] == [True, True]
    absence.note(answered=False)
    assert not absence.ask()
    now += 5
    assert [absence.ask(), absence.ask()] == [True, False], "one, not all at once"
    now += 5
    assert absence.ask(), "whoever asked last never came back"
    absence.note(answered=True)
    assert [absence.ask(), absence.ask()] == [True, True]
