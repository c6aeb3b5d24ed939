"""The IVOA's catalogue of user-defined functions (EN-UDFList 1.2).

PostgreSQL and pgSphere do them inline, but for ivo_string_agg: it is an aggregate of our own in the data database
(`almagest.metadata.provision`), because PostgreSQL bounds what its own gathers only at a gigabyte. Not offered:
ivo_simbadpoint, because a query asks no other service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from almagest.adql import geometry
from almagest.adql.errors import NotAllowed, Position, WrongType
from almagest.adql.functions import as_number, check, check_numbers, double, typed
from almagest.adql.scope import Aggregate, Builder, Modifiers
from almagest.adql.values import Kind, Value, made

MAX_ORDER = 29
"""HEALPix orders that fit into 64 bits."""
MAX_BINS = 100
"""Bins of a histogram: each is a counter of its own in the SQL."""
MAX_GATHERED = 65_536
"""Bytes of text that a group gathers."""
GATHERING = frozenset(("IVO_STRING_AGG",))
"""Aggregates that sort what they are given."""

_GATHERED = 300
"""As how many texts that || joins a gathered one counts: three of it go together, with words around them."""

_DAYS = {"jd": "2440587.5", "mjd": "40587.0"}
"""1970-01-01 as a Julian date."""

_FROM_ICRS = {
    "ICRS": None,
    "FK5": "strans(2.7126959867408114, 1.0608671648778677e-07, -2.712695875085808)",
    "GALACTIC": "strans(-1.795236556146168, 1.097319001841602, -2.566822128862099)",
}
"""Rotations from ICRS, Euler angles about z, x, z: FK5 at J2000 by the frame bias, GALACTIC of the IAU (1958)."""


@dataclass(frozen=True, slots=True)
class Udf:
    """A user-defined function as TAPRegExt 1.0 §2.3 declares it: form is `name(arg TYPE, …) -> TYPE`.

    The library of TOPCAT and taplint takes names of arguments without underscores, and types without brackets.
    """

    form: str
    description: str


def _healpix_index(given: Sequence[Value], place: Position | None) -> Value:
    check("IVO_HEALPIX_INDEX", given, (2, 3), place)
    order = _order("IVO_HEALPIX_INDEX", given[0], place)
    where = given[1] if len(given) == 2 else geometry.point(given[1:], place)
    geometry.require("IVO_HEALPIX_INDEX", where, (Kind.POINT,), place)
    sql = f"healpix_nest({order}, {where.sql})"
    return made(sql, Kind.LONG, given[0], where, name="healpix", ucd="pos.healpix")


def _healpix_center(given: Sequence[Value], place: Position | None) -> Value:
    check("IVO_HEALPIX_CENTER", given, (2,), place)
    order = _order("IVO_HEALPIX_CENTER", given[0], place)
    if not given[1].kind.integral:
        raise WrongType("The index of IVO_HEALPIX_CENTER is a whole number.", place)
    sql = f"center_of_healpix_nest({order}, CAST({given[1].sql} AS bigint))"
    return made(sql, Kind.POINT, *given, name="center", unit="deg", ucd="pos.eq")


def _order(name: str, order: Value, place: Position | None) -> str:
    size = geometry.number(order)
    if not order.kind.integral or (size is not None and not 0 <= size <= MAX_ORDER):
        raise WrongType(f"The order of {name} is a whole number from 0 to {MAX_ORDER}.", place)
    return f"CAST({order.sql} AS integer)"


def _epoch_prop_pos(given: Sequence[Value], place: Position | None) -> Value:
    """Unknown motions count as none; an unknown position or time gives NULL, where pgSphere would fail."""
    check("IVO_EPOCH_PROP_POS", given, (6, 8), place)
    check_numbers("IVO_EPOCH_PROP_POS", given, place)
    where = geometry.point(given[:2], place)
    if len(given) == 8:
        parallax, right, up, velocity, begin, end = (double(value) for value in given[2:])
    else:
        right, up, begin, end = (double(value) for value in given[2:])
        parallax = velocity = "CAST(NULL AS double precision)"
    motion = ", ".join((parallax, *(f"radians({part} / 3600000)" for part in (right, up)), velocity))
    inner = f"SELECT {where.sql} AS p, {end} - {begin} AS t"
    sql = f"(SELECT CASE WHEN num_nulls(p, t) = 0 THEN epoch_prop_pos(p, {motion}, t) END FROM ({inner}) AS b)"
    return made(sql, Kind.POINT, *given, name="position", unit="deg", ucd="pos.eq", enclosed=True)


def _geom_transform(given: Sequence[Value], place: Position | None) -> Value:
    check("IVO_GEOM_TRANSFORM", given, (3,), place)
    names = [(value.literal or "").strip().upper() if value.kind is Kind.TEXT else "" for value in given[:2]]
    for name in names:
        if name not in _FROM_ICRS:
            hint = f"It knows {', '.join(sorted(_FROM_ICRS))}."
            raise NotAllowed("IVO_GEOM_TRANSFORM takes two names of frames that are written out.", place, hint)
    shape = given[2]
    geometry.require("IVO_GEOM_TRANSFORM", shape, (Kind.POINT, Kind.CIRCLE, Kind.POLYGON), place)
    sql = shape.sql
    before, after = (_FROM_ICRS[name] for name in names)
    if before != after:
        sql = f"({sql} - {before})" if before else sql
        sql = f"({sql} + {after})" if after else sql
    ucd = {"GALACTIC": "pos.galactic"}.get(names[1], "pos.eq") if shape.kind is Kind.POINT else None
    return made(sql, shape.kind, shape, name=shape.column.name, unit="deg", ucd=ucd)


def _julian(scale: str, given: Sequence[Value], place: Position | None) -> Value:
    name = f"IVO_TO_{scale.upper()}"
    check(name, given, (1,), place)
    if given[0].kind not in (Kind.TIMESTAMP, Kind.NULL):
        raise WrongType(f"{name} takes a timestamp, not {given[0].kind.one}.", place, "Use CAST(… AS TIMESTAMP).")
    sql = f"date_part('epoch', CAST({given[0].sql} AS timestamp)) / 86400.0 + {_DAYS[scale]}"
    return made(sql, Kind.DOUBLE, *given, name=scale, unit="d", ucd="time.epoch", atomic=False)


def _normal_random(given: Sequence[Value], place: Position | None) -> Value:
    check("IVO_NORMAL_RANDOM", given, (2,), place)
    check_numbers("IVO_NORMAL_RANDOM", given, place)
    sql = f"random_normal({double(given[0])}, {double(given[1])})"
    return replace(made(sql, Kind.DOUBLE, *given, name="random", unit=given[0].column.unit), loose=True)


def _sexagesimal(letters: str, given: Sequence[Value], place: Position | None) -> Value:
    """Hours or degrees, minutes and seconds, separated by colons, blanks or their letters; what is missing is 0."""
    name = f"IVO_{letters.upper()}_TO_DEGREES"
    check(name, given, (1,), place)
    _check_texts(name, given, place)
    whole, *rest = (f"nullif(split_part(s, ':', {i}), '')" for i in (1, 2, 3))
    minutes, seconds = (f"CAST(coalesce({part}, '0') AS double precision)" for part in rest)
    angle = f"abs(CAST({whole} AS double precision)) + {minutes} / 60 + {seconds} / 3600"
    turn = 15 if letters == "hms" else 1
    cleaned = f"translate(lower(btrim({typed(given[0])})), ' {letters[:2]}+{letters[2]}', ':::')"
    sql = f"(SELECT CASE WHEN s LIKE '-%' THEN -{turn} ELSE {turn} END * ({angle}) FROM (SELECT {cleaned} AS s) AS b)"
    return made(sql, Kind.DOUBLE, *given, name="degrees", unit="deg", enclosed=True)


def _interval_overlaps(given: Sequence[Value], place: Position | None) -> Value:
    check("IVO_INTERVAL_OVERLAPS", given, (4,), place)
    check_numbers("IVO_INTERVAL_OVERLAPS", given, place)
    low, high, other_low, other_high = (double(value) for value in given)
    pairs = ((low, other_high), (other_low, high), (low, high), (other_low, other_high))
    sql = " AND ".join(f"({first}) <= ({second})" for first, second in pairs)
    return made(sql, Kind.BOOLEAN, *given, name="overlaps", atomic=False)


def _text_test(name: str, form: str, given: Sequence[Value], place: Position | None) -> Value:
    """A condition on two texts."""
    check(name, given, (2,), place)
    _check_texts(name, given, place)
    sql = form.format(*(value.inner if typed(value) == value.sql else typed(value) for value in given))
    return made(sql, Kind.BOOLEAN, *given, name=name.lower(), atomic=False)


def _check_texts(name: str, given: Sequence[Value], place: Position | None) -> None:
    for value in given:
        if value.kind not in (Kind.TEXT, Kind.NULL):
            raise WrongType(f"{name} takes text, not {value.kind.one}.", place, "Use CAST(… AS VARCHAR).")


def _histogram(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
    """One counter for what lies below, for each bin, and for what lies above."""
    check("IVO_HISTOGRAM", given, (4,), place)
    check_numbers("IVO_HISTOGRAM", given, place)
    lower, upper, bins = (geometry.number(value) for value in given[1:])
    if lower is None or upper is None or bins is None or not given[3].kind.integral or not lower < upper:
        raise WrongType(
            "IVO_HISTOGRAM takes a value, then two limits and a number of bins that are written out.", place
        )
    if not 1 <= bins <= MAX_BINS:
        raise WrongType(f"IVO_HISTOGRAM counts in 1 to {MAX_BINS} bins here.", place)
    if modifiers.distinct or modifiers.tail:
        raise NotAllowed("IVO_HISTOGRAM takes no DISTINCT, FILTER or OVER.", place)
    what = double(given[0])
    edges = [_edge(lower + (upper - lower) * index / bins) for index in range(int(bins))] + [_edge(upper)]
    tests = [
        f"{what} < {edges[0]}",
        *(f"{what} >= {first} AND {what} < {second}" for first, second in pairwise(edges)),
        f"{what} >= {edges[-1]}",
    ]
    sql = ", ".join(f"CAST(count(*) FILTER (WHERE {test}) AS integer)" for test in tests)
    return made(f"ARRAY[{sql}]", Kind.INT, name="histogram", ucd="meta.number").listed(len(tests))


def _edge(size: float) -> str:
    return f"CAST({size!r} AS double precision)"


def _string_agg(given: Sequence[Value], place: Position | None, modifiers: Modifiers) -> Value:
    """Texts in the order of their bytes: for that PostgreSQL groups by sorting, and holds one gathered text at a time
    where hashed groups would hold all of them at once.

    The collation of the order is not that of the result, which LOWER and ILIKE go by.
    """
    check("IVO_STRING_AGG", given, (2,), place)
    _check_texts("IVO_STRING_AGG", given, place)
    if modifiers.over:
        raise NotAllowed("IVO_STRING_AGG takes no OVER: every row would hold a text of its group.", place)
    both = ", ".join(f'({typed(value)}) COLLATE "C"' for value in given)
    sql = f'public.ivo_string_agg({modifiers.word}{both} ORDER BY {both}){modifiers.tail} COLLATE "default"'
    unicode = any(value.unicode for value in given)
    return replace(made(sql, Kind.TEXT, name="string_agg", atomic=False, unicode=unicode), joined=_GATHERED)


TRUTHS: dict[str, Builder] = {
    "IVO_HASHLIST_HAS": partial(_text_test, "IVO_HASHLIST_HAS", "lower({1}) = ANY (string_to_array(lower({0}), '#'))"),
    "IVO_HASWORD": partial(_text_test, "IVO_HASWORD", "to_tsvector('english', {0}) @@ plainto_tsquery('english', {1})"),
    "IVO_INTERVAL_OVERLAPS": _interval_overlaps,
    "IVO_NOCASEMATCH": partial(_text_test, "IVO_NOCASEMATCH", "{0} ILIKE {1} ESCAPE ''"),
}
"""Functions that are 1 or 0, as conditions."""

FUNCTIONS: dict[str, Builder] = {
    "IVO_DMS_TO_DEGREES": partial(_sexagesimal, "dms"),
    "IVO_EPOCH_PROP_POS": _epoch_prop_pos,
    "IVO_GEOM_TRANSFORM": _geom_transform,
    "IVO_HEALPIX_CENTER": _healpix_center,
    "IVO_HEALPIX_INDEX": _healpix_index,
    "IVO_HMS_TO_DEGREES": partial(_sexagesimal, "hms"),
    "IVO_NORMAL_RANDOM": _normal_random,
    "IVO_TO_JD": partial(_julian, "jd"),
    "IVO_TO_MJD": partial(_julian, "mjd"),
    **{name: as_number(name, builder) for name, builder in TRUTHS.items()},
}

AGGREGATES: dict[str, Aggregate] = {"IVO_HISTOGRAM": _histogram, "IVO_STRING_AGG": _string_agg}

COPIES: Mapping[str, int] = {
    "IVO_EPOCH_PROP_POS": 2,
    "IVO_HEALPIX_INDEX": 2,
    "IVO_HISTOGRAM": 2 * MAX_BINS + 2,
    "IVO_INTERVAL_OVERLAPS": 2,
    "IVO_STRING_AGG": 2,
}
"""How often each of them writes an argument, where that is more than once."""

UDFS: tuple[Udf, ...] = (
    Udf(
        "ivo_healpix_index(hpxOrder INTEGER, lon DOUBLE, lat DOUBLE) -> BIGINT",
        "The HEALPix pixel (nested) that holds a position in degrees.",
    ),
    Udf(
        "ivo_healpix_index(hpxOrder INTEGER, p POINT) -> BIGINT",
        "The HEALPix pixel (nested) that holds a point.",
    ),
    Udf(
        "ivo_healpix_center(hpxOrder INTEGER, hpxIndex BIGINT) -> POINT",
        "The centre of a HEALPix pixel (nested).",
    ),
    Udf(
        "ivo_epoch_prop_pos(ra DOUBLE, dec DOUBLE, parallax DOUBLE, pmra DOUBLE, pmdec DOUBLE, radialVelocity DOUBLE, "
        "refEpoch DOUBLE, outEpoch DOUBLE) -> POINT",
        "The position at outEpoch: degrees, mas, mas/yr (pmra with cos(dec)), km/s, Julian years. "
        "Motions that are NULL count as none.",
    ),
    Udf(
        "ivo_epoch_prop_pos(ra DOUBLE, dec DOUBLE, pmra DOUBLE, pmdec DOUBLE, refEpoch DOUBLE, outEpoch DOUBLE)"
        " -> POINT",
        "The position at outEpoch, without parallax and radial velocity.",
    ),
    Udf(
        "ivo_geom_transform(fromSys TEXT, toSys TEXT, geo GEOMETRY) -> GEOMETRY",
        f"A point, circle or polygon in another frame: {', '.join(sorted(_FROM_ICRS))}.",
    ),
    Udf("ivo_to_jd(d TIMESTAMP) -> DOUBLE", "The Julian date of a timestamp, without changing the time scale."),
    Udf("ivo_to_mjd(d TIMESTAMP) -> DOUBLE", "The modified Julian date of a timestamp, in its own time scale."),
    Udf(
        "ivo_nocasematch(value TEXT, pattern TEXT) -> INTEGER", "1 if value is LIKE pattern in any letter case, else 0."
    ),
    Udf(
        "ivo_hasword(haystack TEXT, needle TEXT) -> INTEGER",
        "1 if every word of needle is in haystack, in English forms and any letter case, else 0.",
    ),
    Udf(
        "ivo_hashlist_has(hashlist TEXT, item TEXT) -> INTEGER",
        "1 if item is one of the words that hashlist joins by #, in any letter case, else 0.",
    ),
    Udf(
        "ivo_interval_overlaps(a1 NUMERIC, b1 NUMERIC, a2 NUMERIC, b2 NUMERIC) -> INTEGER",
        "1 if the intervals a1 to b1 and a2 to b2, ends included, share a number, else 0.",
    ),
    Udf(
        "ivo_histogram(val DOUBLE, lower DOUBLE, upper DOUBLE, nbins INTEGER) -> ARRAY",
        f"An aggregate: how many values lie below lower, in each of nbins (at most {MAX_BINS}), and from upper on.",
    ),
    Udf(
        "ivo_string_agg(expression TEXT, delimiter TEXT) -> TEXT",
        "An aggregate: the values of expression, sorted, with delimiter between them; NULL of none. "
        f"A group that has more than {MAX_GATHERED:,} bytes of them is an error.",
    ),
    Udf("ivo_normal_random(mu DOUBLE, sigma DOUBLE) -> DOUBLE", "A random number from a normal distribution."),
    Udf(
        "ivo_hms_to_degrees(hms TEXT) -> DOUBLE",
        "Degrees of an angle in hours, minutes and seconds, separated by blanks, colons or letters (12h34m56.7s).",
    ),
    Udf(
        "ivo_dms_to_degrees(dms TEXT) -> DOUBLE",
        "Degrees of an angle in degrees, minutes and seconds, separated by blanks, colons or letters (-12d34m56.7s).",
    ),
)
"""Every user-defined function that exists here, for a service's capabilities."""
