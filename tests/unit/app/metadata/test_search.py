"""What is found by which words, and in which order."""

from __future__ import annotations

import random
import time

import pytest

from almagest.catalogue import Catalogue, Column, Schema, Table
from almagest.metadata.search import Document, Index, documents

GAIA = Table(
    "gaiadr3",
    "bright",
    (
        Column("source_id", "long", ucd="meta.id;meta.main", description="Identifier of Gaia", principal=True),
        Column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main", description="Right ascension", principal=True),
        Column("parallax", "double", unit="mas", ucd="pos.parallax.trig", description="Parallax at the epoch"),
        Column("phot_g_mean_mag", "float", unit="mag", ucd="phot.mag;em.opt", description="Mean magnitude, G band"),
    ),
    description="Sources brighter than 10 mag",
    title="Bright sources",
    nrows=482_176,
)
HIPPARCOS = Table(
    "hipparcos",
    "main",
    (
        Column("hip", "int", ucd="meta.id;meta.main"),
        Column("plx", "double", unit="mas", ucd="pos.parallax.trig", description="Trigonometric parallax"),
        Column("pm_ra", "double", unit="mas/yr", ucd="pos.pm;pos.eq.ra", description="Proper motion"),
    ),
    title="The new reduction",
    nrows=117_955,
)
OWN = Table("tap_schema", "columns", (Column("ucd", "char", "*", description="Meaning of the values"),))
SKY = Catalogue(
    [GAIA, HIPPARCOS, OWN],
    [
        Schema("gaiadr3", "Gaia Data Release 3", "Sources of Gaia"),
        Schema("hipparcos", "Hipparcos"),
        Schema("tap_schema"),
    ],
)
INDEX = Index(documents(SKY))


def found(text: str, limit: int = 20) -> list[str]:
    return [hit.document.qualified for hit in INDEX.find(text, limit)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("gaiadr3.bright", "gaiadr3.bright"),
        ("GAIADR3", "gaiadr3"),
        ("bright", "gaiadr3.bright"),
        ("gaia", "gaiadr3"),
        ("ra", "gaiadr3.bright.ra"),
        ("parallax", "gaiadr3.bright.parallax"),
        ("hipparcos parallax", "hipparcos.main.plx"),
        ("hipparcos.main.plx", "hipparcos.main.plx"),
        ("phot.mag", "gaiadr3.bright.phot_g_mean_mag"),
        ("phot.mag;em.opt", "gaiadr3.bright.phot_g_mean_mag"),
        ("mas/yr", "hipparcos.main.pm_ra"),
        ("proper mot", "hipparcos.main.pm_ra"),
        ("mean_mag", "gaiadr3.bright.phot_g_mean_mag"),
        ('"right ascension"', "gaiadr3.bright.ra"),
        ("new reduction", "hipparcos.main"),
        ("ucd", "tap_schema.columns.ucd"),
    ],
)
def test_the_best_comes_first(text: str, first: str) -> None:
    assert found(text)[0] == first


def test_all_words_count_and_only_what_has_one_of_its_own_is_found() -> None:
    assert found("gaia parallax") == ["gaiadr3.bright.parallax"]
    assert "gaiadr3.bright.ra" not in found("bright")


def test_most_words_count_where_nothing_has_all() -> None:
    assert found("parallax unheard")[0] == "gaiadr3.bright.parallax"


def test_the_archives_own_description_comes_last() -> None:
    assert found("columns ucd meaning")
    hits = found("meta")
    assert hits[:1] != ["tap_schema"]


@pytest.mark.parametrize(
    "text", ["", "   ", "\0", "(", '"', "'", ".", "%", "..;", "\ud800", "x" * 100_000, "a " * 5_000, "🔭"]
)
def test_any_text_is_a_query(text: str) -> None:
    INDEX.find(text, 5)


def test_an_archive_without_tables_has_nothing() -> None:
    assert Index([]).find("ra", 5) == []
    assert Index([Document("schema", ("",))]).find("ra", 5) == []


def test_no_more_than_asked_for_and_nothing_that_is_hidden() -> None:
    assert len(found("mas", 1)) == 1
    seen = [hit.document.qualified for hit in INDEX.find("parallax", 20, lambda d: d.qualified.startswith("hipparcos"))]
    assert seen == ["hipparcos.main.plx"]


def test_a_search_takes_milliseconds() -> None:
    """Its time grows with the number of columns: 50 ms for 2,000 tables of 150 are 5 ms for 200."""
    words = random.Random(4).choices([f"word{n}" for n in range(300)], k=400)
    tables = [
        Table(
            f"survey{t % 40}",
            f"catalogue_{t}",
            tuple(
                Column(
                    f"{words[(t + c) % 400]}_{c}",
                    "double",
                    unit="mag",
                    ucd="phot.mag;em.opt.B",
                    description=f"The {words[(7 * t + c) % 400]} of {words[(t + 11 * c) % 400]} in pixel {c}",
                )
                for c in range(150)
            ),
        )
        for t in range(200)
    ]
    index = Index(documents(Catalogue(tables)))
    best = []
    for text in ("word1", "ma", "phot.mag word17", "catalogue_17 word", "w", "the word12 of word3"):
        took = []
        for _ in range(5):
            began = time.thread_time()
            assert index.find(text, 20)
            took.append(time.thread_time() - began)
        best.append(min(took))
    assert max(best) <= 0.01, best
