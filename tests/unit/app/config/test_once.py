"""One of each, however many threads are the first to want it."""

from __future__ import annotations

import ast
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from almagest.config.once import once

APPLICATION = Path(__file__).parents[4] / "app/almagest"
FROZEN = {"Environment", "Site", "tuple", "dict"}
"""Results of which a second one is as good as the first; a dictionary that is cached is only looked up in."""


def test_threads_that_come_first_together_get_the_same() -> None:
    begun = threading.Barrier(8)

    @once
    def thing() -> object:
        time.sleep(0.05)
        return object()

    def want() -> object:
        begun.wait()
        return thing()

    with ThreadPoolExecutor(8) as threads:
        got = [each.result() for each in [threads.submit(want) for _ in range(8)]]
    assert len(set(map(id, got))) == 1


def test_what_failed_is_tried_again() -> None:
    answers = iter([ConnectionError("away"), None])

    @once
    def thing() -> str:
        if error := next(answers):
            raise error
        return "made"

    with pytest.raises(ConnectionError):
        thing()
    assert thing() == thing() == "made"


def test_nothing_that_has_a_state_is_made_by_a_cache_that_makes_two() -> None:
    cached = [
        f"{path.relative_to(APPLICATION)}: {function.name}"
        for path in APPLICATION.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and any(re.match(r"(functools\.)?(lru_)?cache\b", ast.unparse(each)) for each in function.decorator_list)
        and not (function.args.args or function.args.kwonlyargs)
        and ast.unparse(function.returns or ast.Constant(None)).split("[")[0] not in FROZEN
    ]
    assert cached == []
