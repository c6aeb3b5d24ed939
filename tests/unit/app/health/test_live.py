"""A process says that it does not live when one of its threads cannot be ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import threading
from contextlib import suppress
from django.conf import settings
settings.configure()
from django.test import RequestFactory
from almagest.health.views import live
from almagest.query.watch import GRACE, TURNS, StalledError, watch

def say():
    answered = live(RequestFactory().get("/health/live"))
    print(answered.status_code, answered.content.decode(), end="")

enough, begun = threading.Event(), threading.Event()

def stubborn():
    # What waits in C hears of no exception.
    with suppress(StalledError), watch().step():
        begun.set()
        enough.wait()

say()
lost = threading.Thread(target=stubborn)
lost.start()
begun.wait()
for _ in range(TURNS + GRACE + 2):
    watch().look()
say()
enough.set()
lost.join()
say()
"""


def test_a_lost_thread_is_noticed_for_as_long_as_there_is_one() -> None:
    app = Path(__file__).resolve().parents[4] / "app"
    variables = {**os.environ, "PYTHONPATH": str(app)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["200 alive", "503 1 threads go on without an end", "200 alive"]
