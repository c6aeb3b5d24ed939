"""What a document tells about itself is all in it, whatever the format, also where a name has several values."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import Table

from almagest.catalogue import Column
from almagest.formats import FORMATS, About, Origin
from support.answers import document

Told = dict[str, list[str]]

SEVERAL = ('Ágnes "A." <B>, C.; D.', "[not] a list", "E: 'quoted'\\n, and quite long " + "x" * 100)
ORIGIN = Origin(**{field.name: SEVERAL if field.type.startswith("tuple") else "ö: <x>" for field in fields(Origin)})  # type: ignore[arg-type] # by type
ABOUT = About({"QUERY": "SELECT 'é' < 1"}, ORIGIN)
REPEATED = {"ivoid", "creator", "citation", "reference_url", "rights", "rights_uri", "acknowledgement"}
COLUMNS = (Column("n", "int"),)


def gathered(pairs: Iterable[tuple[str, str]]) -> Told:
    told: Told = {}
    for name, value in pairs:
        told.setdefault(name, []).append(value)
    return told


def votable(whole: bytes) -> Told:
    infos = parse(io.BytesIO(whole)).resources[0].infos
    return gathered((info.name, info.value) for info in infos if info.name != "QUERY_STATUS")


def one_or_more(told: dict[str, str | list[str]]) -> Told:
    return {name: value if isinstance(value, list) else [value] for name, value in told.items()}


def in_json(whole: bytes) -> Told:
    return one_or_more(json.loads(whole)["info"])


def ecsv(whole: bytes) -> Told:
    return one_or_more(Table.read(whole.decode(), format="ascii.ecsv").meta)


def metadata(schema: pa.Schema) -> Told:
    texts = {name.decode(): value.decode() for name, value in schema.metadata.items()}
    return one_or_more({name: json.loads(text) if name in REPEATED else text for name, text in texts.items()})


def arrow(whole: bytes) -> Told:
    return metadata(pa.ipc.open_stream(io.BytesIO(whole)).schema)


def parquet(whole: bytes) -> Told:
    told = metadata(pq.read_schema(io.BytesIO(whole)))
    (header,) = told.pop("IVOA.VOTable-Parquet.content")
    del told["IVOA.VOTable-Parquet.version"]
    assert votable(header.encode()) == told
    return told


def fits_comments(whole: bytes) -> Told:
    """Lines of up to 72 characters; one that is full goes on in the next."""
    with fits.open(io.BytesIO(whole)) as opened:
        cards = [str(card.value) for card in opened[1].header.cards if card.keyword == "COMMENT"]
    texts: list[str] = []
    full = False
    for card in cards:
        if full:
            texts[-1] += card
        else:
            texts.append(card)
        full = len(card) == 72
    return gathered((name, value) for name, _, value in (text.partition(": ") for text in texts))


class Definitions(HTMLParser):
    """The terms of a page's list, and what is said of each."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []
        self.tag = ""

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tag = tag

    def handle_data(self, data: str) -> None:
        if self.tag == "dt" and data.strip():
            self.said.append((data, ""))
        elif self.tag == "dd" and data.strip():
            self.said[-1] = (self.said[-1][0], data)


def page(whole: bytes) -> Told:
    reader = Definitions()
    reader.feed(whole.decode())
    return gathered(reader.said)


READERS: dict[str, Callable[[bytes], Told]] = {
    "votable": votable,
    "votable/b2": votable,
    "votable/b": votable,
    "votable/td": votable,
    "json": in_json,
    "ecsv": ecsv,
    "arrow": arrow,
    "parquet": parquet,
    "fits": fits_comments,
    "html": page,
}
NO_PLACE = {"csv", "tsv", "text"}


def test_every_format_is_read_here_or_has_no_place_for_it() -> None:
    assert READERS.keys() | NO_PLACE == FORMATS.keys()


@pytest.mark.parametrize("name", READERS)
def test_all_values_of_every_name_are_told(name: str) -> None:
    wanted = gathered(ABOUT.items())
    assert {key for key, values in wanted.items() if len(values) > 1} == REPEATED
    if name == "fits":
        ascii_only = str.maketrans("Áéö", "???")
        wanted = {key: [value.translate(ascii_only) for value in values] for key, values in wanted.items()}
    assert READERS[name](document(FORMATS[name], COLUMNS, about=ABOUT)) == wanted


@pytest.mark.parametrize("name", ["json", "ecsv"])
def test_what_has_one_value_is_no_list(name: str) -> None:
    whole = document(FORMATS[name], COLUMNS, about=About(origin=Origin(creators=("A.",))))
    told = json.loads(whole)["info"] if name == "json" else dict(Table.read(whole.decode(), format="ascii.ecsv").meta)
    assert told == {"creator": "A."}
