"""A small sky for tests of the translator and the formats: what is published, and the SQL that makes it."""

from __future__ import annotations

from almagest.catalogue import Catalogue, Column, Table

_STARS = (
    Column("source_id", "long", ucd="meta.id;meta.main"),
    Column("ra", "double", unit="deg", ucd="pos.eq.ra;meta.main", description="right ascension"),
    Column("dec", "double", unit="deg", ucd="pos.eq.dec;meta.main", minimum=-90.0, maximum=90.0),
    Column("g", "float", unit="mag", ucd="phot.mag;em.opt"),
    Column("n", "int"),
    Column("s", "short"),
    Column("name", "char", "*"),
    Column("label", "unicodeChar", "*"),
    Column("flag", "boolean"),
    Column("obs", "char", "*", "timestamp"),
    Column("Mixed", "double"),
    Column("pos", "double", "2", "point", unit="deg"),
    Column("flux", "float", "*", unit="Jy"),
)

_BRIGHT = (
    Column("hip", "int"),
    Column("ra", "double", unit="deg"),
    Column("dec", "double", unit="deg", minimum=-90.0, maximum=90.0),
    Column("source_id", "long"),
    Column("vmag", "float", unit="mag"),
)

SKY = Catalogue(
    [
        Table("sky", "stars", _STARS, position=("ra", "dec"), nrows=20_000),
        Table("sky", "bright", _BRIGHT, position=("ra", "dec"), nrows=2_000),
        Table("other", "stars", (Column("id", "int"), Column("Id", "int"))),
    ]
)

CREATE = r"""
CREATE SCHEMA sky;
CREATE TABLE sky.stars (
  source_id bigint, ra float8, "dec" float8, g real, n integer, s smallint, name text, label text, flag boolean,
  obs timestamp, "Mixed" float8, pos spoint, flux real[]
);
SELECT setseed(0.5);
INSERT INTO sky.stars
SELECT i, ra, "dec", 5 + 10 * random(), i % 7, i % 5,
  CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'abc' || i WHEN 2 THEN 'a ( b ) , _ c . d' ELSE 'it''s \ "x" & <y>' END,
  CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN 'β Ori' ELSE '𝔸é' END,
  CASE i % 3 WHEN 0 THEN NULL ELSE i % 2 = 0 END, timestamp '2020-01-01' + i * interval '1 hour', i / 3.0,
  spoint(radians(ra), radians("dec")), CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[1.5, NULL] END
FROM generate_series(1, 20000) AS i,
  LATERAL (SELECT 360 * random() + 0 * i AS ra, degrees(asin(2 * random() - 1)) + 0 * i AS "dec") AS p;
CREATE TABLE sky.bright (hip integer, ra float8, "dec" float8, source_id bigint, vmag real);
INSERT INTO sky.bright
SELECT source_id / 10, ra + 0.001, "dec", source_id, g + 1 FROM sky.stars WHERE source_id % 10 = 0;
CREATE INDEX ON sky.stars USING gist (spoint(radians(ra), radians("dec")));
CREATE INDEX ON sky.bright USING gist (spoint(radians(ra), radians("dec")));
ANALYZE sky.stars;
ANALYZE sky.bright;
"""
"""The tables of SKY in the schema `sky`, for a database with pgSphere."""


_TYPES = {
    "boolean": "bool",
    "short": "int2",
    "int": "int4",
    "long": "int8",
    "float": "float4",
    "double": "float8",
    "char": "text",
    "unicodeChar": "text",
}


def declared(column: Column) -> str:
    """PostgreSQL's type that stands behind a declared column (see `Translation`)."""
    if column.xtype == "timestamp":
        return "timestamp"
    array = column.arraysize is not None and column.datatype not in ("char", "unicodeChar")
    return ("_" if array else "") + _TYPES[column.datatype]
