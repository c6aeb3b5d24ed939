"""docs/ says of limits, formats and commands what the code has, and has a line for each of them."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer.main

from almagest.__main__ import COMMANDS, parser
from almagest.accounts import throttle
from almagest.formats import FORMATS
from almagest.query import limits, slots
from almagest_operator.cli.app import app as operator
from support.archives import ROOT

DOCS = ROOT / "docs"
APP = DOCS / "app"


def text(page: str) -> str:
    """A page of docs/app as one line."""
    return " ".join((APP / page).read_text().split())


def tables(page: Path) -> Iterator[list[list[str]]]:
    """Every table, as rows of cells, the header first."""
    for block in re.findall(r"(?:^\|.*\n)+", page.read_text(), re.MULTILINE):
        rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in block.splitlines()]
        yield [[cell.strip() for cell in row] for row in (rows[0], *rows[2:])]


def table(page: Path, *header: str) -> list[list[str]]:
    """The rows of the one table whose header begins so."""
    (rows,) = (rows[1:] for rows in tables(page) if tuple(rows[0][: len(header)]) == header)
    return rows


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# Limits.

LIMITS = {
    target.id: getattr(limits, target.id)
    for node in ast.parse(inspect.getsource(limits)).body
    for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
    if isinstance(target, ast.Name) and target.id.isupper()
}
PEOPLE = {"ALLOWANCES", "ENDED_JOBS", "ENDED_JOBS_OF_VISITOR"}
"""Those that the table of quotas has."""

TOLD = [
    row
    for page in sorted(APP.glob("*.md"))
    for rows in tables(page)
    if rows[0] == ["limit", "value", "in `limits`"]
    for row in rows[1:]
]


def size(nbytes: int) -> str:
    return f"{nbytes / 2**30:g} GiB" if nbytes >= 2**30 else f"{nbytes / 2**20:g} MiB"


def spelled(name: str) -> str:
    """A limit as a page writes it."""
    value = LIMITS[name]
    if isinstance(value, timedelta):
        return f"{value.days} days"
    unit = name.rpartition("_")[2]
    return {"BYTES": lambda: size(value), "SECONDS": lambda: f"{value:g} s", "DEGREES": lambda: f"{value:g}°"}.get(
        unit, lambda: f"{value:,}"
    )()


def test_every_limit_has_its_line() -> None:
    named = [name for row in TOLD for name in quoted(row[2])]
    assert sorted(named) == sorted(LIMITS.keys() - PEOPLE)


@pytest.mark.parametrize("row", TOLD, ids=lambda row: row[0])
def test_a_line_has_the_values_of_its_limits_and_no_other_number(row: list[str]) -> None:
    rest = row[1]
    for name in quoted(row[2]):
        assert spelled(name) in rest, name
        rest = rest.replace(spelled(name), "", 1)
    assert not re.search(r"\d", rest), rest


KINDS = ("nobody", "guest", "guests", "user")


def test_quotas() -> None:
    wanted: dict[str, Any] = {
        "stored results": lambda a: f"{size(a.nbytes)}, {a.nrows:,} rows",
        "jobs QUEUED or EXECUTING": lambda a: f"{a.active:,}",
        "jobs PENDING": lambda a: f"{a.pending:,}",
        "jobs of one queue that run": lambda a: f"{a.executing:,}",
    }
    completed, others = limits.ENDED_JOBS["COMPLETED"], {limits.ENDED_JOBS["ERROR"], limits.ENDED_JOBS["ABORTED"]}
    (failed,) = others
    expected = [[what, *(say(limits.ALLOWANCES[kind]) for kind in KINDS)] for what, say in wanted.items()] + [
        ["jobs COMPLETED", f"{completed:,}", f"{limits.ENDED_JOBS_OF_VISITOR:,} in any phase", f"{completed:,}", ""],
        ["jobs ERROR, jobs ABORTED", f"{failed:,} each", "", f"{failed:,} each", ""],
    ]
    assert table(APP / "query.md", "", "nobody, all together") == expected
    assert tuple(limits.ALLOWANCES) == KINDS


def constants(path: str) -> dict[str, Any]:
    """What a module of the application calls its numbers and lengths of time, without importing models."""
    found: dict[str, Any] = {}
    for node in ast.parse((ROOT / "app/almagest" / path).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            code = compile(ast.Expression(node.value), path, "eval")
            try:
                found[node.targets[0].id] = eval(code, {"timedelta": timedelta})  # noqa: S307 - our own code
            except NameError:
                continue
    return found


LEASE, RECOVERY = constants("query/uws/lease.py"), constants("query/uws/recovery.py")
DATADB, DISPATCH, SWEEP = (
    constants("query/datadb.py"),
    constants("query/uws/dispatch.py"),
    constants("query/uws/sweep.py"),
)
UPLOADS, FETCH, USERTABLES = (constants(f"query/tables/{name}.py") for name in ("uploads", "fetch", "usertables"))
ARROW, SEPARATED, LINES = (constants(f"formats/{name}.py") for name in ("arrow", "separated", "lines"))
ACCOUNTS, PASSWORDS = constants("auth/views.py"), constants("accounts/passwords.py")
NUMBERS = {1: "one", 2: "two", 5: "five", 10: "ten", 50: "fifty", 200: "two hundred"}
MINUTES = NUMBERS[throttle.WINDOW // 60]
TRIES = {what: NUMBERS[number] for what, number in throttle.LIMITS.items()}
PORTS = [port for ports in FETCH["PORTS"].values() for port in ports]

SENTENCES = [
    ("query.md", f"A process runs at most `web_threads - {slots.FREE_THREADS}` things that take long"),
    ("query.md", f"EXECUTING and silent for {LEASE['SILENCE_SECONDS']:g} s"),
    ("query.md", f"insists for {LEASE['SILENCE_SECONDS']:g} s"),
    ("query.md", f"from {LEASE['QUICK_SECONDS'] * 1000:g} ms after the claim on"),
    ("query.md", f"renews `alive_at` every {LEASE['RENEW_SECONDS']:g} s"),
    ("query.md", f"once those are {RECOVERY['MESSAGE_SECONDS']:g} s old"),
    ("query.md", f"one of all workers, every {DISPATCH['SWEEP_SECONDS']:g} s (`Sweep`)"),
    ("formats.md", f"record batches of {ARROW['GROUP']:,} rows, the first of {ARROW['FIRST']:,}"),
    ("formats.md", f"end with a line of {SEPARATED['MOST_COLUMNS'] + 1:,} fields"),
    ("formats.md", f"No row may have {(LINES['LARGEST'] + 1) >> 20} MB or more"),
    ("uploads.md", f"From {UPLOADS['ANALYSED_ROWS']:,} rows on the table is analysed"),
    ("uploads.md", f"ports {', '.join(map(str, PORTS))}"),
    ("uploads.md", f"at most {NUMBERS[FETCH['REDIRECTS']]} redirects"),
    ("access.md", f"{SWEEP['VISITORS']} at a time (`query/uws/sweep.py`)"),
    ("access.md", f"gives a token of {ACCOUNTS['TOKEN_LIFE'].total_seconds() / 3600:g} hours"),
    ("access.md", f"a slow hash once in {NUMBERS[PASSWORDS['REMEMBERED_SECONDS'] // 60]} minutes"),
    ("access.md", f"{TRIES['user from address'].capitalize()} wrong passwords in {MINUTES} minutes for one name"),
    ("access.md", f"{TRIES['address']} from one address, {TRIES['user']} for one name"),
    ("conesearch.md", f"| SR | degrees, 0 to {limits.CONE_DEGREES:g} "),
    ("datalink.md", f"{limits.LINKED_ROWS} of them are answered at once"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "sentence"), SENTENCES)
def test_other_numbers(page: str, sentence: str) -> None:
    assert sentence in text(page)


# Formats.


def test_every_format_has_its_line() -> None:
    told: dict[str, str] = {}
    for names, types, _ in table(APP / "formats.md", "short name", "media type"):
        full = [found.replace("…", FORMATS["votable"].media_type) for found in quoted(types)]
        told.update(zip(quoted(names), full, strict=True))
    written = {short: known.media_type for short, known in FORMATS.items()}
    # Parameters that only say what the format is are left out.
    assert told == {
        short: written[short]
        if "serialization" in written[short] or short == "csv"
        else written[short].partition(";")[0]
        for short in written
    }
    assert next(iter(FORMATS)) == "votable"
    assert "`votable` (default)" in text("formats.md")


# Commands.


def verbs(of: argparse.ArgumentParser, *before: str) -> Iterator[str]:
    """Every command with its actions, in words."""
    nested = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield " ".join(before)
    for action in nested:
        for name, inner in action.choices.items():
            yield from verbs(inner, *before, name)


def test_every_command_of_the_application_has_its_line() -> None:
    told = [name for row in table(APP / "README.md", "command", "what", "more") for name in quoted(row[0])]
    assert sorted(told) == sorted(verbs(parser()))
    assert {name.partition(" ")[0] for name in told} == set(COMMANDS)


def examples(program: str) -> Iterator[tuple[str, str]]:
    """Every line of a page that shows how to call a program: the page and the words after the program."""
    for page in sorted(DOCS.rglob("*.md")):
        for line in re.findall(rf"^(?: {{4}}|\$ )?{program} (.*)$", page.read_text(), re.MULTILINE):
            yield str(page.relative_to(DOCS)), line
        for line in re.findall(rf"`{program} ([a-z][^`]*)`", page.read_text()):
            yield str(page.relative_to(DOCS)), line


SHOWN = sorted(set(examples("almagest-app")))


@pytest.mark.parametrize(("page", "line"), SHOWN)
def test_what_pages_show_of_the_application_is_a_command(
    page: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line, comments=True)
    if len(words) == 1:
        assert words[0] in COMMANDS
        return
    try:
        parser().parse_args(words)
    except SystemExit as end:
        raise AssertionError(f"{page}: almagest-app {line}: {capsys.readouterr().err}") from end


COMMON = {"--namespace", "-n", "--context", "--kubeconfig", "--help"}


def options() -> dict[str, set[str]]:
    """Every verb of `almagest` with its options, in all their spellings."""
    group: Any = typer.main.get_command(operator)
    return {
        name: {spelling for parameter in command.params for spelling in parameter.opts if spelling.startswith("-")}
        for name, command in group.commands.items()
    }


LINES_OF_OPERATOR = {
    quoted(row[0])[0].split()[1]: quoted(row[0])[0] for row in table(DOCS / "operator/loop.md", "command", "what")
}


def test_every_verb_of_the_command_line_has_its_line() -> None:
    assert LINES_OF_OPERATOR.keys() == options().keys()


@pytest.mark.parametrize("verb", sorted(options()))
def test_a_line_shows_the_options_that_there_are(verb: str) -> None:
    group: Any = typer.main.get_command(operator)
    shown = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", LINES_OF_OPERATOR[verb]))
    assert shown - COMMON <= options()[verb], "there is no such option"
    for parameter in group.commands[verb].params:
        spellings = {spelling for spelling in parameter.opts if spelling.startswith("-")}
        assert not spellings or spellings & (shown | COMMON), f"{spellings} is not shown"
