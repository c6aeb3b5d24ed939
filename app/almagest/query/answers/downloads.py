"""A stored result as a file that can be fetched in parts: it never changes, and the same rows give the same bytes.

A part is made by writing the document again up to its end and sending what was asked for: nothing is kept on disk, and
PostgreSQL needs less time for the rows than most networks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from almagest.config.environment import environment
from almagest.formats import About, Format
from almagest.query.answers.answer import Answer, Source


@dataclass(frozen=True, slots=True)
class Document:
    """A stored result in a format."""

    source: Source
    format: Format
    about: About

    @property
    def etag(self) -> str:
        """A strong validator (RFC 9110 §8.8.3): other bytes, other tag; the release counts, for it may write others."""
        said = repr(
            (environment().release, self.source.sql, self.source.columns, self.source.rows, self.format, self.about)
        )
        return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'

    @property
    def length(self) -> int | None:
        """Its size in bytes, where that follows from the number of rows."""
        source = self.source
        ending = source.ending(more=bool(source.overflow))
        return self.format.length(source.columns, self.about, source.rows, ending)

    def open(self, wanted: int | None = None) -> Answer:
        """Its bytes, of which so many will be taken at most. Raises QueryError."""
        return Answer(replace(self.source, wanted=wanted), self.format, self.about)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a request says about the part that it wants: the values of its headers, or None."""

    range: str | None = None
    if_range: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What to answer. status: 200, 206, 304 or 416; headers: beside those of every answer; body: to be closed, None
    for no bytes at all."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Answer | Part | None = None


class Part:
    """The bytes of an answer from `start` up to but not including `stop`."""

    def __init__(self, answer: Answer, start: int, stop: int) -> None:
        self._answer = answer
        self._start = start
        self._stop = stop

    def __iter__(self) -> Iterator[bytes]:
        place = 0
        for chunk in self._answer:
            wanted = chunk[max(0, self._start - place) : self._stop - place]
            place += len(chunk)
            if wanted:
                yield wanted
            if place >= self._stop:
                break
        self.close()

    def close(self) -> None:
        """Stop the query. Safe to call twice."""
        self._answer.close()


def deliver(document: Document, asked: Conditions, *, body: bool = True) -> Delivery:
    """The document, or the part of it that is asked for (RFC 9110 §13, §14). body: False for HEAD, which runs nothing.

    Several parts at once, and other units than bytes, are answered with the whole. Raises QueryError.
    """
    headers = {"ETag": document.etag, "Accept-Ranges": "bytes"}
    if asked.if_none_match is not None and _matches(asked.if_none_match, document.etag):
        return Delivery(304, headers)
    length = document.length
    wanted = _range(asked.range) if asked.range and asked.if_range in (None, document.etag) else None
    if wanted is None or not body:
        if length is None:
            return Delivery(200, headers, document.open() if body else None)
        # One that breaks off must not have more bytes than were promised.
        whole = Part(document.open(), 0, length) if body else None
        return Delivery(200, headers | {"Content-Length": str(length)}, whole)
    length = _measured(document) if length is None else length
    start, stop = _within(*wanted, length)
    if start >= stop:
        return Delivery(416, headers | {"Content-Range": f"bytes */{length}"})
    told = {"Content-Range": f"bytes {start}-{stop - 1}/{length}", "Content-Length": str(stop - start)}
    return Delivery(206, headers | told, Part(document.open(stop), start, stop))


def _measured(document: Document) -> int:
    """The size of a document that only its writing tells."""
    answer = document.open()
    try:
        return sum(len(chunk) for chunk in answer)
    finally:
        answer.close()


def _matches(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))


def _range(header: str) -> tuple[int | None, int | None] | None:
    """First and last byte of one range, or None: `5-9`, `5-`, and `-9`, the last nine."""
    found = re.fullmatch(r"\s*bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", header)
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = (int(text) if text else None for text in found.groups())
    return None if first is not None and last is not None and last < first else (first, last)


def _within(first: int | None, last: int | None, length: int) -> tuple[int, int]:
    if first is None:
        return max(0, length - (last or 0)), length
    return first, length if last is None else min(last + 1, length)
