"""Functions of the IVOA's catalogue, units, and the PostgreSQL dialect on the real PostgreSQL with pgSphere; and that
it takes whatever the translator writes."""

from __future__ import annotations

from typing import Any, Literal

import astropy.units as u
import numpy as np
import psycopg
import pytest
from astropy.coordinates import FK5, Galactic, SkyCoord
from astropy.time import Time
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from almagest.adql import AdqlError, translate
from almagest.catalogue import Column
from support.adql_grammar import mutations, queries
from support.stars import SKY, declared

pytestmark = pytest.mark.integration

Connection = psycopg.Connection[tuple[Any, ...]]
Name = Literal["adql", "postgresql"]


def first(database: Connection, expression: str, dialect: Name = "adql") -> Any:
    sql = translate(f"SELECT TOP 1 {expression} FROM sky.bright", SKY, dialect=dialect).sql
    return database.execute(sql).fetchall()[0][0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ivo_hasword('shown that a primordial', 'shown primordial')", 1),
        ("ivo_hasword('Miller and Urey have', 'miller')", 1),
        ("ivo_hasword('shown that a primordial', 'shown soup')", 0),
        ("ivo_hashlist_has('Red#green#blue', 'red')", 1),
        ("ivo_hashlist_has('red#green#blue', 're')", 0),
        ("ivo_hashlist_has('red#green#blue', 'red#green')", 0),
        ("ivo_nocasematch('ABcabc', 'ab__bc')", 1),
        ("ivo_nocasematch('abcabc', 'abcab')", 0),
        ("ivo_interval_overlaps(-2, -3, 2, 3)", 0),
        ("ivo_interval_overlaps(-2, 55.3, 2, 3)", 1),
        ("ivo_interval_overlaps(-2, 55.3, 3, 2)", 0),
        ("ivo_interval_overlaps(-2, 2, 2, 3)", 1),
        ("ivo_hms_to_degrees('12h34m56.7s')", 188.73625),
        ("ivo_hms_to_degrees('12 34 56.7')", 188.73625),
        ("ivo_dms_to_degrees('-00:30:00')", -0.5),
        ("ivo_dms_to_degrees(CAST(NULL AS VARCHAR))", None),
        ("ivo_to_mjd(CAST('2000-01-01T12:00:00' AS TIMESTAMP))", 51544.5),
        ("ivo_to_jd(CAST('1987-01-27T00:00:00' AS TIMESTAMP))", 2446822.5),
        ("ivo_healpix_index(6, NULL, 2)", None),
        ("ivo_epoch_prop_pos(NULL, 2, 3, 4, 2000, 2010)", None),
        ("COORDSYS(POINT(1, 2))", "ICRS"),
        ("IN_UNIT(vmag, 'mmag') / vmag", 1000.0),
    ],
)
def test_functions_give_what_their_catalogue_says(database: Connection, expression: str, expected: object) -> None:
    found = first(database, expression)
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


def test_julian_dates_are_those_of_astropy(database: Connection) -> None:
    sql = translate("SELECT TOP 50 obs, ivo_to_jd(obs), ivo_to_mjd(obs) FROM sky.stars WHERE obs IS NOT NULL", SKY).sql
    for stamp, jd, mjd in database.execute(sql):
        time = Time(stamp, scale="tai")
        assert (jd, mjd) == (pytest.approx(time.jd, abs=1e-8), pytest.approx(time.mjd, abs=1e-8))


@pytest.mark.parametrize(("name", "frame"), [("GALACTIC", Galactic()), ("FK5", FK5(equinox="J2000"))])
def test_frames_are_those_of_astropy(database: Connection, name: str, frame: Any) -> None:
    turned, back = f"ivo_geom_transform('ICRS', '{name}', pos)", f"ivo_geom_transform('{name}', 'ICRS', pos)"
    query = f"SELECT TOP 200 ra, dec, {turned}, {back} FROM sky.stars ORDER BY source_id"
    rows = database.execute(translate(query, SKY).sql).fetchall()
    ra, dec = (np.array([row[index] for row in rows]) for index in (0, 1))
    for index, here, there in ((2, "icrs", frame), (3, frame, "icrs")):
        expected = SkyCoord(ra, dec, unit="deg", frame=here).transform_to(there)
        found = SkyCoord([row[index][0] for row in rows], [row[index][1] for row in rows], unit="deg", frame=there)
        assert found.separation(expected).max() < 1e-3 * u.arcsec


def test_stars_move_in_straight_lines(database: Connection) -> None:
    """Barnard's star over a century, where the approach changes its proper motion by arcseconds."""
    ra, dec, parallax, pm_ra, pm_dec, velocity = (
        269.4520769586187,
        4.6933649665767,
        546.97594,
        -801.551,
        10362.394,
        -110.468,
    )
    call = f"ivo_epoch_prop_pos({ra}, {dec}, {parallax}, {pm_ra}, {pm_dec}, {velocity}, 2016, 2116)"
    found = SkyCoord(*first(database, call), unit="deg")
    begin = SkyCoord(ra, dec, distance=1000 / parallax, unit=("deg", "deg", "pc"))
    a, d = np.radians([ra, dec])
    east = np.array([-np.sin(a), np.cos(a), 0])
    north = np.array([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)])
    outward = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    across = (pm_ra * east + pm_dec * north) * (u.mas / u.yr) * begin.distance
    motion = across.to(u.pc / u.yr, u.dimensionless_angles()) + velocity * outward * (u.km / u.s)
    end = begin.cartesian.xyz + motion * 100 * u.yr
    expected = SkyCoord(*end, representation_type="cartesian")
    assert found.separation(SkyCoord(expected.spherical.lon, expected.spherical.lat)) < 1 * u.mas


def test_healpix_pixels_hold_their_centres_and_stars(database: Connection) -> None:
    query = (
        "SELECT COUNT(*) FROM sky.stars WHERE ivo_healpix_index(4, ra, dec) = ivo_healpix_index(4, pos)"
        " AND ivo_healpix_index(4, ivo_healpix_center(4, ivo_healpix_index(4, pos))) = ivo_healpix_index(4, ra, dec)"
        " AND DISTANCE(pos, ivo_healpix_center(4, ivo_healpix_index(4, pos))) < 5"
    )
    assert database.execute(translate(query, SKY).sql).fetchall() == [(20_000,)]


def test_histograms_count_everything_once(database: Connection) -> None:
    sql = translate("SELECT ivo_histogram(g, 6, 14, 4), COUNT(g) FROM sky.stars", SKY).sql
    ((counts, total),) = database.execute(sql).fetchall()
    values: np.ndarray[Any, Any] = np.array(database.execute("SELECT g FROM sky.stars").fetchall())[:, 0]
    assert counts[1:-1] == np.histogram(values, bins=[6, 8, 10, 12, 14])[0].tolist()
    assert sum(counts) == total


DIALECT = [
    "SELECT ra::integer x, '1.5'::double precision, name::varchar(3), flag::int FROM sky.stars LIMIT 3 OFFSET 2",
    "SELECT '2020-01-01'::timestamp, 't'::boolean, n::text, ra::real, ra % 2, n % 3, 2 ^ 3, -2 ^ 2 FROM sky.stars",
    "SELECT flux[1], flux[n], ARRAY[1, 2.5, n], ARRAY[1, 2][1], cardinality(flux), ARRAY[flag, true] FROM sky.stars",
    "SELECT row_number() OVER (ORDER BY ra), rank() OVER (PARTITION BY n ORDER BY g DESC NULLS LAST) FROM sky.stars",
    "SELECT lag(g) OVER (ORDER BY ra), lead(name, 2) OVER (ORDER BY ra), ntile(3) OVER (ORDER BY ra) FROM sky.stars",
    "SELECT avg(g) OVER (ORDER BY ra ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING), sum(source_id) OVER () FROM sky.stars",
    "SELECT first_value(pos) OVER (ORDER BY ra), nth_value(flux, 2) OVER (ORDER BY ra) FROM sky.stars",
    "SELECT cume_dist() OVER (ORDER BY ra), percent_rank() OVER (ORDER BY ra), max(g) OVER () FROM sky.stars",
    "SELECT n, sum(count(*)) OVER (ORDER BY n), rank() OVER (ORDER BY avg(g)) FROM sky.stars GROUP BY n",
    "SELECT n, ivo_string_agg(name, ',') FILTER (WHERE flag AND source_id < 99) || '.' AS x FROM sky.stars GROUP BY n",
    "SELECT count(*) FILTER (WHERE g > 10), avg(g) FILTER (WHERE flag) FROM sky.stars",
    "SELECT * FROM (WITH a AS (SELECT n FROM sky.stars), b AS (SELECT n FROM a LIMIT 2) SELECT * FROM b) AS q",
    "SELECT g > 10 AS bright, (g > 10 AND flag) FROM sky.stars ORDER BY ra DESC NULLS FIRST LIMIT 5",
    "SELECT ln(2.5), log(100), ceil(g), trunc(ra, 2), cbrt(8), sign(-2), erf(1), sind(30), pow(2, 3) FROM sky.stars",
    "SELECT greatest(n, s, 2.5), least(name, label), nullif(n, 3), width_bucket(g, 5, 15, 10) FROM sky.stars",
    "SELECT length(name), left(name, 2), right(name, 2), substring(name, 2, 3), substr(label, 2) FROM sky.stars",
    "SELECT strpos(name, 'b'), split_part(name, 'b', 1), reverse(name), starts_with(name, 'a') FROM sky.stars",
    "SELECT initcap(name), btrim(name), ltrim(name), rtrim(name), trim(name), random() FROM sky.stars",
    "SELECT char_length(name), date_part('isoyear', obs), date_trunc('day', obs) FROM sky.stars",
    "SELECT stddev(g), variance(g), corr(ra, g), bool_and(flag), regr_slope(g, ra), var_pop(ra) FROM sky.stars",
    "SELECT ra FROM sky.stars UNION ALL SELECT ra FROM sky.bright ORDER BY 1 LIMIT 3",
]


@pytest.mark.parametrize("query", DIALECT)
def test_answers_of_the_dialect_have_the_declared_types(database: Connection, query: str) -> None:
    translation = translate(query, SKY, maxrec=20, dialect="postgresql")
    description = database.execute(translation.sql).description or ()
    names: dict[int, str] = dict(database.execute("SELECT oid::int8, typname FROM pg_type").fetchall())
    assert [column.name for column in description] == [column.name for column in translation.columns]
    assert [names[column.type_code] for column in description] == [declared(column) for column in translation.columns]


FUZZ = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


def accepted(database: Connection, query: str, dialect: Name) -> None:
    """PostgreSQL plans what was translated; only the values of the query's own literals may be wrong: class 22, which
    pgSphere does not use."""
    try:
        translation = translate(query, SKY, maxrec=10, dialect=dialect)
    except AdqlError:
        return
    try:
        database.execute(f"EXPLAIN {translation.sql}")
    except psycopg.DataError:
        return
    except psycopg.errors.InternalError_ as error:
        if not str(error).startswith("spherepoly_"):
            raise


@pytest.mark.parametrize("dialect", ["adql", "postgresql"])
@FUZZ
@given(data=st.data())
def test_postgresql_takes_every_translation(database: Connection, dialect: Name, data: st.DataObject) -> None:
    accepted(database, data.draw(queries(postgresql=dialect == "postgresql")), dialect)
    accepted(database, data.draw(mutations(postgresql=dialect == "postgresql")), dialect)


def test_metadata_of_a_column_survive_a_window() -> None:
    query = "SELECT lag(g) OVER (ORDER BY ra) AS before FROM sky.stars"
    (column,) = translate(query, SKY, dialect="postgresql").columns
    assert column == Column("before", "float", unit="mag", ucd="phot.mag;em.opt")
