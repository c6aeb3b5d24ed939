"""demo:openngc: the objects of the NGC and IC catalogues (OpenNGC), from the package pyongc."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from almagest.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, Values, fixed, strings
from almagest.ingest.demo import Columns

_FIELDS: tuple[tuple[str, str, Datatype], ...] = (
    ("name", "name", "char"),
    ("type", "type", "char"),
    ("ra", "ra", "double"),
    ("dec", "dec", "double"),
    ("constellation", "const", "char"),
    ("major_axis", "majax", "float"),
    ("minor_axis", "minax", "float"),
    ("position_angle", "pa", "short"),
    ("b_mag", "bmag", "float"),
    ("v_mag", "vmag", "float"),
    ("j_mag", "jmag", "float"),
    ("h_mag", "hmag", "float"),
    ("k_mag", "kmag", "float"),
    ("surface_brightness", "sbrightn", "float"),
    ("hubble_type", "hubble", "char"),
    ("parallax", "parallax", "float"),
    ("pmra", "pmra", "float"),
    ("pmdec", "pmdec", "float"),
    ("radial_velocity", "radvel", "int"),
    ("redshift", "redshift", "float"),
    ("central_star_u_mag", "cstarumag", "float"),
    ("central_star_b_mag", "cstarbmag", "float"),
    ("central_star_v_mag", "cstarvmag", "float"),
    ("messier", "messier", "char"),
    ("ngc", "ngc", "char"),
    ("ic", "ic", "char"),
    ("central_star_names", "cstarnames", "char"),
    ("identifiers", "identifiers", "char"),
    ("common_names", "commonnames", "char"),
    ("ned_notes", "nednotes", "char"),
    ("openngc_notes", "ongcnotes", "char"),
)
"""(our name, name in the package's SQLite table `objects`, type)."""


def content() -> Path:
    """The package's database, found without importing the package, which would import its command line."""
    spec = find_spec("pyongc")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("no module named pyongc", name="pyongc")
    return Path(spec.origin).with_name("ongc.db")


def columns(path: Path) -> Columns:
    """The columns above; positions are radians in the package, and degrees here. Empty texts are null."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM objects ORDER BY id").fetchall()
    return [
        (_column(name, datatype), _values(name, datatype, [row[theirs] for row in rows]))
        for name, theirs, datatype in _FIELDS
    ]


def _column(name: str, datatype: Datatype) -> Column:
    return Column(name, datatype, "*" if datatype == "char" else None)


def _values(name: str, datatype: Datatype, values: Sequence[Any]) -> Values:
    if datatype == "char":
        return strings(values)
    null = np.array([value is None for value in values])
    numbers = np.array([0 if value is None else value for value in values], dtype=DTYPES[datatype])
    return fixed(np.degrees(numbers) if name in ("ra", "dec") else numbers, null)
