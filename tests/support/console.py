"""`almagest-app`'s commands, run in turn by one process: to start Python costs more than most of them do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

_LOOP = """
import contextlib, io, json, sys
from django.db import connections
from almagest.__main__ import main
lines = sys.stdin
for line in lines:
    given, *words = json.loads(line)
    sys.stdin = io.StringIO(given)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            if words[0] == "python":
                exec(words[1])
                code = 0
            else:
                code = main(words)
        except SystemExit as error:
            code = error.code
    connections.close_all()
    print("=" + json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and everything it wrote."""

    code: int
    out: str
    err: str


class Console:
    """The process, which begins with the first command."""

    def __init__(self, start: Callable[..., subprocess.Popen[str]]) -> None:
        """start: begins `almagest-app` with these words, its output on pipes."""
        self._start = start
        self._process: subprocess.Popen[str] | None = None

    def run(self, *words: str, stdin: str = "") -> Outcome:
        """Run one command to its end."""
        if self._process is None:
            self._process = self._start("shell", "-v", "0", "-c", _LOOP)
        commands, answers = self._process.stdin, self._process.stdout
        assert commands is not None
        assert answers is not None
        commands.write(json.dumps([stdin, *words]) + "\n")
        commands.flush()
        for line in answers:
            if line.startswith("="):
                return Outcome(*json.loads(line[1:]))
        raise AssertionError(f"the process of the commands ended: {self._process.communicate()[1]}")

    def must(self, *words: str, stdin: str = "") -> str:
        """What a command that has to succeed wrote."""
        done = self.run(*words, stdin=stdin)
        assert done.code == 0, done.err
        return done.out

    def python(self, code: str) -> str:
        """What a piece of the application's own code wrote."""
        return self.must("python", code)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.communicate()
            self._process = None
