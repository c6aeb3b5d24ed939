"""The parameters of a query as TAP 1.1 §2.7 and DALI 1.1 §3 define them, from text to checked values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from almagest import adql, formats
from almagest.query import limits
from almagest.query.errors import InvalidRequestError, TooLargeError

Parameters = Mapping[str, str]
"""Parameters by upper-case name, values as sent."""

NAMES = ("REQUEST", "LANG", "QUERY", "RESPONSEFORMAT", "FORMAT", "MAXREC", "RUNID", "UPLOAD", "TABLE_NAME")
"""Those that mean something to a query; the others are ignored, as DALI asks."""

OPERATIONS = ("doQuery",)
"""REQUEST, which TAP 1.0 demanded and clients still send: what the service can be asked to do."""

JOB_NAMES = ("PHASE", "EXECUTIONDURATION", "DESTRUCTION")
"""Those that a new job may come with beside its query's (UWS 1.1 §2.2.3.1)."""

_CHARACTERS = {"QUERY": limits.QUERY_CHARACTERS, "RUNID": limits.RUN_ID_CHARACTERS}

_TABLE_NAME = re.compile(f"[A-Za-z][A-Za-z0-9_]{{0,{limits.TABLE_NAME_CHARACTERS - 1}}}")

_NEXT_UPLOAD = re.compile(r";(?=\s*(?:[A-Za-z]\w*\s*,|$))")
"""Between two tables of UPLOAD; an address may have semicolons of its own."""

LANGUAGES: Mapping[str, adql.DialectName] = {
    "ADQL": "adql",
    "ADQL-2.0": "adql",
    "ADQL-2.1": "adql",
    "PostgreSQL": "postgresql",
}
"""LANG → the dialect that it is translated from."""

LANGUAGE_NAMES: Mapping[adql.DialectName, str] = {"adql": "ADQL", "postgresql": "PostgreSQL"}
"""Dialect → what it is called in requests, without a version."""

DEFAULT_FORMAT = "votable"


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A query that may be translated. maxrec: rows to send at most, defaults and limits applied."""

    query: str
    dialect: adql.DialectName
    response_format: str
    maxrec: int


def collect(pairs: Iterable[tuple[str, str]], names: Collection[str] = NAMES) -> dict[str, str]:
    """Those of `names` out of everything that was sent: names in any case, a repeated value counted once, but UPLOADs
    put together.

    Raises InvalidRequestError when a parameter comes with two different values (DALI 1.1 §2.4), or contains NUL, and
    TooLargeError when it is longer than any that means something: what a job asks for is kept as long as the job.
    """
    found: dict[str, str] = {}
    for sent_name, value in pairs:
        name = sent_name.upper()
        if name not in names:
            continue
        if "\0" in value:
            raise InvalidRequestError(f"{name} contains a NUL character")
        if name == "UPLOAD":
            found[name] = f"{found[name]};{value}" if found.get(name) else value
        elif found.setdefault(name, value) != value:
            raise InvalidRequestError(f"{name} was sent twice with different values; send it once")
    for name, value in found.items():
        most = _CHARACTERS.get(name, limits.VALUE_CHARACTERS)
        if len(value) > most:
            raise TooLargeError(f"{name} has {len(value):,} characters; {most:,} are allowed")
    return found


def choice(parameters: Parameters, name: str, allowed: Collection[str], default: str = "") -> str:
    """The value of a parameter that has to be one of these, in any letter case; `default` where it was not sent, or
    empty. Raises InvalidRequestError."""
    value = parameters.get(name, "").strip()
    known = {each.upper(): each for each in allowed}
    # Some letters of other scripts have capitals that are ours.
    if value and not (value.isascii() and value.upper() in known):
        raise InvalidRequestError(f"{name} has to be {' or '.join(sorted(allowed))}, not {_shown(value)}")
    return known[value.upper()] if value else default


def check(parameters: Parameters) -> QueryRequest:
    """The query that these parameters ask for. Raises InvalidRequestError naming the parameter."""
    choice(parameters, "REQUEST", OPERATIONS)
    language = parameters.get("LANG")
    if not language:
        raise InvalidRequestError("LANG is missing; send LANG=ADQL")
    dialects = {name.upper(): dialect for name, dialect in LANGUAGES.items()}
    if language.upper() not in dialects:
        raise InvalidRequestError(f"unknown query language {_shown(language)}; known are {', '.join(LANGUAGES)}")
    query = parameters.get("QUERY", "")
    if not query.strip():
        raise InvalidRequestError("QUERY is missing or empty")
    return QueryRequest(query, dialects[language.upper()], response_format(parameters), row_limit(parameters))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What whoever creates a job wants of it beside its query. start: at once; duration: seconds that it may run, 0 for
    no limit; destruction: when it is to be forgotten; None for what is usual."""

    start: bool = False
    duration: int | None = None
    destruction: datetime | None = None


def wishes(pairs: Iterable[tuple[str, str]]) -> Wishes:
    """What the parameters of a new job want of it (UWS 1.1 §2.2.3.1). Raises InvalidRequestError naming the one that is
    wrong: there is no job then."""
    sent = collect(pairs, JOB_NAMES)
    duration, destruction = sent.get("EXECUTIONDURATION", "").strip(), sent.get("DESTRUCTION", "").strip()
    return Wishes(
        start=choice(sent, "PHASE", ("RUN",)) == "RUN",
        duration=parse_duration(duration) if duration else None,
        destruction=parse_time("DESTRUCTION", destruction) if destruction else None,
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """A table to come with the query. name: that queries call it in TAP_UPLOAD; uri: where it is."""

    name: str
    uri: str


def uploads(parameters: Parameters) -> tuple[Upload, ...]:
    """The tables of UPLOAD: `name,uri`, several joined by `;` as TAP 1.0 had it (TAP 1.1 §2.7.5).

    Raises InvalidRequestError for a name that is none, or comes twice, TooLargeError for too many of them.
    """
    entries = [entry.strip() for entry in _NEXT_UPLOAD.split(parameters.get("UPLOAD", "")) if entry.strip(" ;")]
    if len(entries) > limits.UPLOAD_TABLES:
        raise TooLargeError(f"UPLOAD has {len(entries)} tables; {limits.UPLOAD_TABLES} are allowed")
    found = tuple(map(_upload, entries))
    names = [upload.name.lower() for upload in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequestError(f"UPLOAD has the table {_shown(name)} twice; give each another name")
    return found


def _upload(entry: str) -> Upload:
    name, comma, uri = (part.strip() for part in entry.rstrip("; ").partition(","))
    if not comma or not uri:
        raise InvalidRequestError(f"UPLOAD has to be name,uri, e.g. mine,param:file1, not {_shown(entry)}")
    if not _TABLE_NAME.fullmatch(name):
        raise InvalidRequestError(f"UPLOAD: {_shown(name)} is no name; it needs a letter, then letters, digits and _")
    return Upload(name, uri)


def language(sent: str) -> str | None:
    """The name of a language without its version, in the letters that are usual; None for an unknown one."""
    known = {name.upper(): LANGUAGE_NAMES[dialect] for name, dialect in LANGUAGES.items()}
    return known.get(sent.upper())


def response_format(parameters: Parameters) -> str:
    """RESPONSEFORMAT, or its older name FORMAT, of a known format. Raises InvalidRequestError when it is unknown."""
    wanted = parameters.get("RESPONSEFORMAT") or parameters.get("FORMAT") or DEFAULT_FORMAT
    try:
        formats.negotiate(wanted)
    except formats.UnsupportedFormat as error:
        raise InvalidRequestError(str(error)) from error
    return wanted


def row_limit(parameters: Parameters) -> int:
    """How many rows to send for MAXREC, defaults and limits applied. Raises InvalidRequestError."""
    text = parameters.get("MAXREC", "")
    return limits.rows(_whole_number("MAXREC", text) if text.strip() else None)


def parse_duration(text: str) -> int:
    """EXECUTIONDURATION in seconds (UWS 1.1 §2.2.3.2)."""
    return _whole_number("EXECUTIONDURATION", text)


def parse_wait(text: str) -> int:
    """WAIT in seconds; below 0 for as long as possible (UWS 1.1 §2.2.1.1)."""
    return -1 if text.strip() == "-1" else _whole_number("WAIT", text)


def parse_time(name: str, text: str) -> datetime:
    """DESTRUCTION or AFTER as ISO 8601, in UTC unless it says otherwise (UWS 1.1 §2.1.7).

    The result is in UTC whatever it says, because PostgreSQL knows fewer zones than Python.
    """
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{name} has to be a time such as 2030-01-31T12:00:00Z, not {_shown(text)}"
        raise InvalidRequestError(message) from error


def parse_last(text: str) -> int:
    """LAST of a job list, a number from 1 on (UWS 1.1 §2.2.2.1)."""
    if not (last := _whole_number("LAST", text)):
        raise InvalidRequestError("LAST has to be a whole number from 1 on")
    return last


def table_name(text: str) -> str:
    """TABLE_NAME: what queries call a result, as `tap_user.<name>`. Raises InvalidRequestError unless it is a regular
    identifier of ADQL; letter case does not count."""
    if not _TABLE_NAME.fullmatch(text):
        raise InvalidRequestError(
            f"a table's name has to be a letter and up to {limits.TABLE_NAME_CHARACTERS - 1} letters, digits or"
            f" underscores, not {_shown(text)}"
        )
    return text.lower()


def _whole_number(name: str, text: str) -> int:
    # isdecimal alone would let through the digits of every script, and int() any number of them.
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 18:
        raise InvalidRequestError(f"{name} has to be a whole number from 0 on, not {_shown(text)}")
    return int(digits)


def _shown(text: str) -> str:
    """A user's value inside a message: quoted, without control characters, and short."""
    return repr(text if len(text) <= 40 else text[:40] + "…")
