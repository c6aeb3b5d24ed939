"""Ansible's output for people: one line a step with its duration; a long step shows the last line of its logs, and how
long it still takes where that line says how far it is."""

from __future__ import annotations

import json
import re
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from host.pace import Pace, in_words

DOCUMENTATION = """
name: steps
type: stdout
short_description: one line a step, with its duration
description: A task with the variable `almagest_tail` shows the last line of that log, or of several, while it runs.
"""
QUIET = 15.0
"""Seconds between two progress lines where there is no terminal."""


ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""How programs colour and erase on a terminal."""


class Log:
    """A growing file, of which the last line is news."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.began = path.stat().st_size if path.exists() else 0
        self.pace = Pace()

    def news(self, now: float) -> str:
        """The last line, after the time that is left, which a narrow terminal must not cut off."""
        line = self.last_line()
        left = self.pace.left(line, now)
        return f"{in_words(left)} left: {line}" if left else line

    def last_line(self) -> str:
        """What was added last since the step began; carriage returns count as line ends."""
        if not self.path.exists():
            return ""
        size = self.path.stat().st_size
        begin = max(self.began if self.began <= size else 0, size - 4096)
        with self.path.open("rb") as handle:
            handle.seek(begin)
            text = handle.read().decode(errors="replace")
        lines = [line.strip() for line in ESCAPE.sub("", text).replace("\r", "\n").split("\n")]
        return next((line for line in reversed(lines) if line), "")


class Tail:
    """Shows the news of some logs until it is stopped."""

    def __init__(self, paths: list[Path]) -> None:
        self.logs = [Log(path) for path in paths]
        self.shown = ""
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self) -> None:
        terminal = sys.stdout.isatty()
        while not self.done.wait(1.0 if terminal else QUIET):
            line = " · ".join(filter(None, (log.news(time.monotonic()) for log in self.logs)))
            if not line or line == self.shown:
                continue
            self.shown = line
            width = shutil.get_terminal_size().columns - 8
            sys.stdout.write(f"\r\x1b[K      {line[:width]}" if terminal else f"      {line}\n")
            sys.stdout.flush()

    def stop(self) -> None:
        self.done.set()
        self.thread.join()
        if sys.stdout.isatty() and self.shown:
            sys.stdout.write("\r\x1b[K")


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible publishes no types
    """One instance a run; Ansible calls its methods in order."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "steps"

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, Any] = {}
        self.started = time.monotonic()
        self.tail: Tail | None = None
        self.log = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self.facts = dict(play.get_variable_manager().extra_vars)
        sys.stdout.write(f"{play.get_name()}\n")
        sys.stdout.flush()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002  Ansible's signature
        self.end_tail()
        self.started = time.monotonic()
        self.log = ""
        if template := task.vars.get("almagest_tail"):
            named = Templar(loader=DataLoader(), variables=self.facts).template(template)
            logs = [str(log) for log in (named if isinstance(named, list) else [named])]
            self.log = logs[0]
            self.tail = Tail([Path(log) for log in logs])

    def end_tail(self) -> None:
        if self.tail:
            self.tail.stop()
            self.tail = None

    def line(self, mark: str, result: Any, note: str = "") -> None:
        self.end_tail()
        seconds = time.monotonic() - self.started
        name = result.task.get_name().split(" : ")[-1]
        sys.stdout.write(f"  {mark} {name:<58} {seconds:6.1f} s  {note}".rstrip() + "\n")
        self._display.display(f"{name}: {json.dumps(result.result, default=str)}", log_only=True)
        sys.stdout.flush()

    def v2_runner_on_ok(self, result: Any) -> None:
        self.line("✓", result, "changed" if result.result.get("changed") else "")

    def v2_runner_on_skipped(self, result: Any) -> None:  # noqa: ARG002  a step that is not needed is no news
        self.end_tail()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if ignore_errors:
            return
        self.line("✗", result, "failed")
        found = result.result
        reason = [str(found.get(name, "")).strip() for name in ("stderr", "msg", "stdout")]
        lines = next((text for text in reason if text), "no reason was given").splitlines()[-12:]
        if self.log and Path(self.log).exists():
            lines += Path(self.log).read_text(errors="replace").strip().splitlines()[-8:]
        sys.stdout.write("".join(f"      {line}\n" for line in lines))
        log = self.log or f"{self.facts.get('almagest_log')}/ansible.log"
        sys.stdout.write(
            f"    Log: {log}\n    When this is put right, run the same command again: it goes on from here.\n"
        )
        sys.stdout.flush()

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self.v2_runner_on_failed(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        total = stats.summarize("localhost")
        if not total["failures"]:
            sys.stdout.write(f"{total['ok']} steps, {total['changed']} changed\n")
        sys.stdout.flush()
