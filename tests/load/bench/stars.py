"""The benchmark's catalogue: synthetic stars, uniform on the sphere, the same ones every time on every machine.

Columns, in this order:

    source_id        int64    ascending, most of them above 2**53, so that whoever goes through a float is found out
    ra, dec          float64  deg, ICRS
    parallax         float32  mas, NULL in a fiftieth of the rows
    pmra, pmdec      float32  mas/yr, NULL where parallax is
    phot_g_mean_mag  float32  mag
    bp_rp            float32  mag, NULL in a fiftieth of the rows
    random_index     int32    a permutation of 0 … n - 1
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

TABLE = "stars.main"
ROWS = 1_000_000
SEED = 20261120
NULLS = 0.02
COLUMNS = ("source_id", "ra", "dec", "parallax", "pmra", "pmdec", "phot_g_mean_mag", "bp_rp", "random_index")

Array = NDArray[Any]

DESCRIPTION = """\
schema:
  title: Synthetic stars
  description: Stars that exist only to be counted, uniform on the sphere.
  creators: [Almagest]
  licence: CC0 1.0
table:
  title: Synthetic stars
  description: One million synthetic stars with the columns of a survey.
  primary_key: source_id
  position: [ra, dec]
columns:
  source_id: {ucd: meta.id;meta.main, description: Identifier, principal: true}
  ra: {unit: deg, ucd: pos.eq.ra;meta.main, description: Right ascension (ICRS), principal: true}
  dec: {unit: deg, ucd: pos.eq.dec;meta.main, description: Declination (ICRS), principal: true}
  parallax: {unit: mas, ucd: pos.parallax.trig, description: Parallax}
  pmra: {unit: mas.yr-1, ucd: pos.pm;pos.eq.ra, description: Proper motion in right ascension}
  pmdec: {unit: mas.yr-1, ucd: pos.pm;pos.eq.dec, description: Proper motion in declination}
  phot_g_mean_mag: {unit: mag, ucd: phot.mag;em.opt, description: Magnitude, principal: true}
  bp_rp: {unit: mag, ucd: phot.color, description: Colour}
  random_index: {ucd: meta.code, description: "A permutation of 0 … n - 1"}
"""


def make(rows: int = ROWS) -> pa.Table:
    """The catalogue. Values are rounded to the decimals of a survey, so that every serialisation can hold them."""
    # The generator is named, not default_rng: only its stream is promised to stay the same over numpy's versions.
    chance = np.random.Generator(np.random.PCG64(SEED))
    step = 4_000_000_000_000_000_000 // rows
    columns: dict[str, Array] = {
        "source_id": np.arange(rows, dtype=np.int64) * step + chance.integers(1, step, rows, dtype=np.int64)
    }
    ra = np.round(chance.random(rows) * 360.0, 10)
    ra[ra >= 360.0] = 0.0
    columns["ra"] = ra
    columns["dec"] = np.round(_arcsine(chance.random(rows) * 2 - 1), 10)
    distance = 0.05 + chance.gamma(2.0, 0.6, rows)
    columns["parallax"] = np.round(1 / distance + chance.normal(0, 0.1, rows), 4).astype(np.float32)
    for name in ("pmra", "pmdec"):
        columns[name] = np.round(chance.normal(0, 30.0, rows) / (4.74 * distance), 3).astype(np.float32)
    magnitude = 21.0 - np.clip(chance.exponential(2.0, rows), 0, 18)
    columns["phot_g_mean_mag"] = np.round(magnitude, 4).astype(np.float32)
    columns["bp_rp"] = np.round(chance.normal(1.2, 0.5, rows), 4).astype(np.float32)
    columns["random_index"] = chance.permutation(rows).astype(np.int32)
    astrometry = chance.random(rows) < NULLS
    masks = {"parallax": astrometry, "pmra": astrometry, "pmdec": astrometry, "bp_rp": chance.random(rows) < NULLS}
    return pa.table([pa.array(columns[name], mask=masks.get(name)) for name in COLUMNS], names=list(COLUMNS))


def write(directory: Path) -> Path:
    """`stars.parquet`, made once, with its description beside it."""
    path = directory / "stars.parquet"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        pq.write_table(make(), unfinished)
        unfinished.rename(path)
    path.with_name(f"{path.name}.yaml").write_text(DESCRIPTION)
    return path


def _arcsine(z: Array) -> Array:
    """Degrees, from + - * / and sqrt alone: those are exact to the last bit everywhere, np.arcsin is not."""
    tangent: Array = z / (1 + np.sqrt((1 - z) * (1 + z)))  # asin z = 2 atan t
    for _ in range(2):  # atan t = 2 atan t'
        tangent = tangent / (1 + np.sqrt(1 + tangent * tangent))
    square, total = tangent * tangent, np.zeros_like(tangent)
    for k in range(27, 0, -2):
        total = total * square + (1 if k % 4 == 1 else -1) / k
    degrees: Array = 8 * tangent * total * (180 / np.pi)
    return degrees
