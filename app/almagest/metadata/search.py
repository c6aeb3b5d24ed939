"""Finding tables and columns by words: an index over what is said of them, and the ranking. Pure.

A document is a schema, a table, a column or an example. Its terms are the words of its names, title, UCD, unit and
description, each with a weight by where it stands. A word of a query finds the terms that begin with it. The terms are
sorted and their postings lie behind each other in that order, so that all terms with one beginning are one slice of an
array: a search over 300,000 columns takes some milliseconds (tests/unit/app/metadata/test_search.py holds it to that).
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log10
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Catalogue, Column, Schema, Table

Kind = Literal["schema", "table", "column", "example"]
Scores = NDArray[np.float32]
Terms = Callable[[str], tuple[str, ...]]
"""The terms of a text, by the kind of field that it stands in."""

MOST_CHARACTERS = 200
MOST_WORDS = 8
"""Of a query; what comes after is left out."""

_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_QUERY_WORD = re.compile(r"[^\s,\"'()]+")

# Where a term stands, and what it says about the document that it stands there.
_FULL_NAME = 24
_NAME = 20
_NAME_PART = 10
_TITLE = 8
_UCD = 7
_UNIT = 6
_DESCRIPTION = 3

EXACT = 1.6
"""How much more a whole term says than one that only begins so."""

INHERITED = 0.25
"""Share of the score that a table's own words give to its columns, for queries such as "gaia parallax"."""

_LAST_SCHEMA = "tap_schema"
"""Describes the archive itself: what is found there comes after the archive's data."""


@dataclass(frozen=True, slots=True)
class Document:
    """Something that can be found. path: its names from the schema down; parent: the place of what it is part of among
    the documents, -1 for none; prior: what speaks for it before any word is looked at."""

    kind: Kind
    path: tuple[str, ...]
    title: str = ""
    description: str = ""
    unit: str = ""
    ucd: str = ""
    parent: int = -1
    prior: float = 0.0

    @property
    def name(self) -> str:
        """Without the names of what it is part of."""
        return self.path[-1]

    @property
    def qualified(self) -> str:
        """`schema.table.column`, as far as it goes."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found. score: greater is better; comparable between searches with the same words."""

    score: float
    document: Document


def documents(catalogue: Catalogue) -> list[Document]:
    """Every schema, table and column of the catalogue, what contains something before what it contains."""
    found: list[Document] = []
    for schema, tables in catalogue.schemas():
        found.append(_schema(schema))
        of_schema = len(found) - 1
        for table in tables:
            found.append(_table(table, of_schema))
            of_table = len(found) - 1
            found += [_column(table, column, of_table) for column in table.columns]
    return found


class Index:
    """Documents, prepared for searches."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._parents = np.fromiter((d.parent for d in documents), np.int32, len(documents))
        self._priors = np.fromiter((d.prior for d in documents), np.float32, len(documents))
        postings = _Postings()
        for place, document in enumerate(documents):
            _note(postings, place, document)
        self._terms, self._starts, self._holders, self._weights = postings.sorted()

    def find(self, text: str, limit: int, seen: Callable[[Document], bool] = lambda _: True) -> list[Hit]:
        """The documents that have all words of the text, best first; those that have most of them when none has all.

        seen: whether whoever searches may know of a document.
        """
        wanted = _wanted(text)
        if not wanted or not self._documents:
            return []
        each = [self._scores(word) for word in wanted]
        own = np.flatnonzero(np.logical_or.reduce([scores > 0 for scores in each]))
        inherited = [(scores if len(wanted) == 1 else self._inherit(scores))[own] for scores in each]
        matched = np.sum([scores > 0 for scores in inherited], axis=0)
        total = np.sum(inherited, axis=0) + self._priors[own]
        for needed in range(len(wanted), 0, -1):
            chosen = matched == needed
            hits = list(self._best(own[chosen], total[chosen], limit, seen))
            if hits:
                return hits
        return []

    def _best(
        self, places: NDArray[np.int64], scores: Scores, limit: int, seen: Callable[[Document], bool]
    ) -> Iterator[Hit]:
        """The first by score, then by place. Most may be hidden from whoever searches, so portions are sorted."""
        taken, portion = 0, max(64, 4 * limit)
        while len(places) and taken < limit:
            least = np.partition(scores, -portion)[-portion] if len(places) > portion else -np.inf
            now = scores >= least
            for number in np.argsort(-scores[now], kind="stable"):
                document = self._documents[places[now][number]]
                if seen(document):
                    yield Hit(float(scores[now][number]), document)
                    taken += 1
                    if taken == limit:
                        return
            places, scores = places[~now], scores[~now]

    def _scores(self, word: str) -> Scores:
        """Of every document for one word of a query: as it is written, or else by the words that it consists of."""
        scores = self._beginning(word)
        if "." in word:
            np.maximum(scores, self._beginning(f".{word}"), out=scores)
        if scores.any():
            return scores
        parts = _WORD.findall(word)
        if len(parts) < 2:
            return scores
        each = [self._inherit(self._beginning(part)) for part in parts]
        together = sum(each, np.zeros_like(scores)) / len(parts)
        for of_part in each:
            together[of_part == 0] = 0
        result: Scores = together.astype(np.float32)
        return result

    def _beginning(self, word: str) -> Scores:
        """The best weight that each document has among the terms that begin with a word."""
        scores = np.zeros(len(self._documents), np.float32)
        first = bisect_left(self._terms, word)
        exact = first < len(self._terms) and self._terms[first] == word
        if exact:
            self._add(scores, first, first + 1, EXACT)
        # A single letter is a band or an axis; as a beginning it would mean a tenth of all words.
        if len(word) > 1 or not exact:
            self._add(scores, first, bisect_left(self._terms, word + "\U0010ffff"), 1.0)
        return scores

    def _add(self, scores: Scores, first: int, last: int, factor: float) -> None:
        start, stop = self._starts[first], self._starts[last]
        np.maximum.at(scores, self._holders[start:stop], self._weights[start:stop] * np.float32(factor))

    def _inherit(self, scores: Scores) -> Scores:
        """The scores with what columns have from their tables, and tables from their schemas."""
        inside = self._parents >= 0
        for _ in range(2):
            passed = np.where(inside, scores[self._parents] * np.float32(INHERITED), np.float32(0))
            scores = np.maximum(scores, passed)
        return scores


def _wanted(text: str) -> list[str]:
    words = _QUERY_WORD.findall(text[:MOST_CHARACTERS].lower())
    return list(dict.fromkeys(word.strip(".;:") for word in words if word.strip(".;:")))[:MOST_WORDS]


def _schema(schema: Schema) -> Document:
    prior = 2.0 if schema.name != _LAST_SCHEMA else -6.0
    return Document("schema", (schema.name,), schema.title, schema.description, prior=prior)


def _table(table: Table, parent: int) -> Document:
    prior = 3.0 + 0.2 * log10(1 + (table.nrows or 0)) if table.schema != _LAST_SCHEMA else -6.0
    path = (table.schema, table.name)
    return Document("table", path, table.title, table.description, parent=parent, prior=prior)


def _column(table: Table, column: Column, parent: int) -> Document:
    prior = 1.0 * column.principal + 0.3 * column.indexed + 0.1 * log10(1 + (table.nrows or 0))
    return Document(
        "column",
        (table.schema, table.name, column.name),
        description=column.description,
        unit=column.unit or "",
        ucd=column.ucd or "",
        parent=parent,
        prior=prior if table.schema != _LAST_SCHEMA else -6.0,
    )


class _Postings:
    """Which terms stand in which documents, as they are noted: a field's terms at a time."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._known: dict[tuple[Terms, str], tuple[int, ...]] = {}
        self._terms = array("I")
        self._fields = array("I")

    def note(self, place: int, text: str, terms: Terms, weight: int) -> None:
        """Let the document at this place have the terms of a text."""
        found = self._known.get((terms, text))
        if found is None:
            numbers = self._numbers
            found = tuple([numbers.setdefault(term, len(numbers)) for term in terms(text)])
            self._known[terms, text] = found
        self._terms.extend(found)
        self._fields.extend((place, weight, len(found)))

    def sorted(self) -> tuple[list[str], NDArray[np.int64], NDArray[np.uint32], Scores]:
        """The terms in order; where the postings of each begin, and the last end; of each posting the document and the
        weight."""
        terms = sorted(self._numbers)
        ranks = np.empty(len(terms), np.uint32)
        ranks[np.fromiter((self._numbers[term] for term in terms), np.int64, len(terms))] = np.arange(len(terms))
        places, weights, counts = np.array(self._fields, np.uint32).reshape(-1, 3).T
        ranked = ranks[np.array(self._terms, np.uint32)]
        order = np.argsort(ranked, kind="stable")
        starts = np.searchsorted(ranked[order], np.arange(len(terms) + 1))
        return terms, starts, np.repeat(places, counts)[order], np.repeat(weights, counts)[order].astype(np.float32)


def _note(postings: _Postings, place: int, document: Document) -> None:
    name = document.name.lower()
    if document.kind != "column":
        # Nobody types a column's full name before the table's, whose page has it.
        postings.note(place, f".{document.qualified.lower()}", _whole, _FULL_NAME)
    postings.note(place, name, _whole, _NAME)
    postings.note(place, name, _parts, _NAME_PART)
    postings.note(place, document.title, _words, _TITLE)
    postings.note(place, document.ucd.lower(), _ucd_terms, _UCD)
    postings.note(place, document.unit.lower(), _unit_terms, _UNIT)
    postings.note(place, document.description, _words, _DESCRIPTION)


def _whole(text: str) -> tuple[str, ...]:
    return (text,)


def _parts(name: str) -> tuple[str, ...]:
    """`phot_g_mean_mag` → its words; of `gaiadr3` also `gaiadr` and `3`."""
    words = _WORD.findall(name)
    return tuple(dict.fromkeys((*words, *(part for word in words for part in _PARTS.findall(word)))))


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_WORD.findall(text.lower()))) if text else ()


def _ucd_terms(ucd: str) -> tuple[str, ...]:
    """`phot.mag;em.opt.B` → itself, its words, and the atoms of these."""
    if not ucd:
        return ()
    words = ucd.split(";")
    return tuple(dict.fromkeys((ucd, *words, *(atom for word in words for atom in word.split(".")))))


def _unit_terms(unit: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((unit, *_WORD.findall(unit)))) if unit else ()
