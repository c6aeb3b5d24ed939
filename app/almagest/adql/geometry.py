"""ADQL 2.1 §4.2, the sphere, in pgSphere's terms.

Everything is ICRS; degrees outside, radians inside. pgSphere compares angles to 1e-9 rad (0.2 mas); so does everything
here. A point in a circle has two forms, both answered by a GiST index on `spoint(radians(ra), radians(dec))`:
`point <@ scircle(…)` around a place that is known, and `spoint_dwithin(…)` between columns, where the planner may take
the index of either side and estimates the rows of a join (measured: 12,183 for 13,878, where `<@` says 4).

pgSphere makes a point of any numbers: (10, 95) becomes (190, 85). Here a latitude beyond ±90° is no place (ADQL 2.1
§4.2.1 leaves the mechanism open): refused where it is written out, NULL where it comes from a column. Longitudes are
angles and may have any number of turns. A column that is known to stay in range needs no test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from almagest.adql.errors import NotAllowed, Position, WrongType
from almagest.adql.values import Kind, Value, made

_FRAMES = frozenset(("", "ICRS", "ICRS GEOCENTER", "ICRS BARYCENTER", "ICRS TOPOCENTER"))

_SHORT = 2_000
"""Characters of a condition that may be written twice; longer ones would double at every level of nesting."""

SQUARE_DEGREES = "3282.806350011744"
"""(180/π)²: square degrees in a steradian."""

Arguments = Sequence[Value]


def without_frame(name: str, given: Arguments, place: Position | None) -> Arguments:
    """The arguments without the deprecated coordinate system before them (ADQL 2.1 §4.2.5).

    Another frame than ICRS is refused: taken as ICRS it would give other stars without a word.
    """
    if not given or given[0].kind is not Kind.TEXT:
        return given
    frame = given[0].literal
    if frame is None:
        raise WrongType(f"The coordinate system of {name} must be written out.", place, "Leave it out: all is ICRS.")
    if " ".join(frame.upper().split()) not in _FRAMES:
        message = f"{name} takes ICRS coordinates here, not {frame[:40]!r}."
        raise NotAllowed(message, place, "Convert them, and leave the first argument out.")
    return given[1:]


def point(given: Arguments, place: Position | None) -> Value:
    """POINT(longitude, latitude)."""
    given = without_frame("POINT", given, place)
    _count("POINT", given, (2,), place)
    longitude, latitude = (_degrees("POINT", value, place) for value in given)
    _check_latitude(given[1], place)
    site = f"spoint({longitude}, {latitude})"
    guard = None if _is_latitude(given[1]) else f"{given[1].inner} BETWEEN -90 AND 90"
    sql = f"CASE WHEN {guard} THEN {site} END" if guard else site
    result = made(sql, Kind.POINT, *given, name="point", unit="deg", ucd="pos.eq")
    return replace(result, site=site, guard=guard)


def _is_latitude(value: Value) -> bool:
    """Whether a number is known to be from -90 to 90, or NULL."""
    low, high = value.column.minimum, value.column.maximum
    counted = low is not None and high is not None and low >= -90 and high <= 90
    return counted or number(value) is not None or value.kind is Kind.NULL


def circle(given: Arguments, place: Position | None) -> Value:
    """CIRCLE(longitude, latitude, radius) or CIRCLE(centre, radius); 0° ≤ radius ≤ 90°, as far as pgSphere goes."""
    given = without_frame("CIRCLE", given, place)
    centre, (radius,) = _centred("CIRCLE", given, 1, place)
    size = number(radius)
    if size is not None and not 0 <= size <= 90:
        raise WrongType(f"A circle of radius {radius.literal}° cannot be used; it must be 0 to 90.", place)
    angle = _degrees("CIRCLE", radius, place)
    shape = made(f"scircle({centre.sql}, {angle})", Kind.CIRCLE, centre, radius, name="circle", unit="deg")
    return replace(shape, centre=centre, radius=radius)


def polygon(given: Arguments, place: Position | None) -> Value:
    """POLYGON(longitude, latitude, …) or POLYGON(point, …), three corners or more; the smaller side is inside."""
    given = without_frame("POLYGON", given, place)
    corners = list(given)
    if not all(value.kind is Kind.POINT for value in given):
        if len(given) % 2:
            raise WrongType("POLYGON takes pairs of longitude and latitude, or points.", place)
        corners = [point(given[index : index + 2], place) for index in range(0, len(given), 2)]
    if len(corners) < 3:
        raise WrongType("A polygon has at least three corners.", place)
    return _spoly([corner.sql for corner in corners], given, constant=all(number(value) is not None for value in given))


def box(given: Arguments, place: Position | None) -> Value:
    """BOX(longitude, latitude, width, height) or BOX(centre, width, height).

    A cross through the centre, its arms on great circles along and across the meridian; the sides are the great
    circles at right angles to the arms' ends (ADQL 2.1 §4.2.9). In the tangent plane at the centre they are straight,
    at tan(width/2) and tan(height/2).
    """
    given = without_frame("BOX", given, place)
    centre, sizes = _centred("BOX", given, 2, place)
    for size in sizes:
        extent = number(size)
        if extent is not None and not 0 < extent < 180:
            raise WrongType(f"A box {size.literal}° wide or high cannot be used; it must be 0 to 180.", place)
    width, height = (f"tan({_degrees('BOX', size, place)} / 2)" for size in sizes)
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = ", ".join(_corner(east, north) for east, north in signs)
    inner = f"SELECT {centre.sql} AS p, {width} AS w, {height} AS h"
    middle = f"SELECT long(p) AS a, sin(lat(p)) AS s, cos(lat(p)) AS c, w, h FROM ({inner}) AS b"
    sql = f"(SELECT CASE WHEN num_nulls(a, w, h) = 0 THEN spoly(ARRAY[{corners}]) END FROM ({middle}) AS b)"
    return made(sql, Kind.POLYGON, centre, *sizes, name="box", unit="deg", enclosed=True)


def _corner(east: int, north: int) -> str:
    """The point at (east·w, north·h) in the tangent plane at right ascension a, with s, c = sin, cos of declination."""
    x, y = ("w" if east > 0 else "-w"), ("+ h" if north > 0 else "- h")
    across = f"(c {'-' if north > 0 else '+'} h * s)"
    return f"spoint(a + atan2({x}, {across}), atan2(s {y} * c, sqrt({across} ^ 2 + w ^ 2)))"


def contains(given: Arguments, place: Position | None) -> Value:
    """Whether the first shape lies in the second, as a condition (ADQL 2.1 §4.2.13)."""
    first, second = _two_shapes("CONTAINS", given, place)
    if second.kind is Kind.POINT:
        hint = "CONTAINS(what, where): the first lies in the second."
        raise WrongType("Nothing lies in a point.", place, hint)
    return _inside("contains", first, second)


def intersects(given: Arguments, place: Position | None) -> Value:
    """Whether two shapes share a point, as a condition (ADQL 2.1 §4.2.15)."""
    first, second = _two_shapes("INTERSECTS", given, place)
    if first.kind is Kind.POINT and second.kind is Kind.POINT:
        return _truth(f"{_site(first)} = {_site(second)}", "intersects", first, second)
    if second.kind is Kind.POINT:
        first, second = second, first
    if first.kind is Kind.POINT:
        return _inside("intersects", first, second)
    return _truth(f"{first.sql} && {second.sql}", "intersects", first, second)


def distance(given: Arguments, place: Position | None) -> Value:
    """DISTANCE(point, point) or DISTANCE(longitude, latitude, longitude, latitude), in degrees."""
    first, second = ends(given, place)
    sql = f"degrees({first.sql} <-> {second.sql})"
    return made(sql, Kind.DOUBLE, first, second, name="distance", unit="deg", ucd="pos.angDistance")


def ends(given: Arguments, place: Position | None) -> tuple[Value, Value]:
    """The two points of a DISTANCE."""
    _count("DISTANCE", given, (2, 4), place)
    if len(given) == 4:
        return point(given[:2], place), point(given[2:], place)
    first, second = given
    for value in given:
        require("DISTANCE", value, (Kind.POINT,), place)
    return first, second


def within(first: Value, second: Value, sign: str, radius: Value) -> Value:
    """DISTANCE(first, second) < or <= radius, as a condition that an index can answer.

    Where the radius is known to be a circle's, that circle decides; less and less-or-equal differ by less than
    pgSphere can tell. Where it is not, a circle finds the candidates and the comparison decides.
    """
    size = number(radius)
    if size is not None and 0 < size <= 90:
        return _truth(_near(first, second, f"radians({radius.sql})"), "distance", first, second)
    exact = f"degrees({_site(first)} <-> {_site(second)}) {sign} {radius.inner}"
    if size is not None or len(exact) > _SHORT:
        return _truth(exact, "distance", first, second, radius)
    # A negative radius finds nothing and must not fail; one above 90° fails, as it should before it finds too few.
    near = _near(first, second, f"radians(greatest({radius.sql}, 0))")
    return _truth(f"{near} AND {exact}", "distance", first, second, radius)


def area(given: Arguments, place: Position | None) -> Value:
    """AREA(circle or polygon) in square degrees."""
    _count("AREA", given, (1,), place)
    require("AREA", given[0], (Kind.CIRCLE, Kind.POLYGON), place)
    sql = f"{SQUARE_DEGREES} * area({given[0].sql})"
    return made(sql, Kind.DOUBLE, *given, name="area", unit="deg2", ucd="pos.angArea", atomic=False)


def coordinate(function: str, given: Arguments, place: Position | None) -> Value:
    """COORD1 (`long`, 0° to 360°) or COORD2 (`lat`) of a point."""
    name = {"long": "coord1", "lat": "coord2"}[function]
    _count(name.upper(), given, (1,), place)
    require(name.upper(), given[0], (Kind.POINT,), place)
    names = (
        ("pos.galactic.lon", "pos.galactic.lat")
        if given[0].column.ucd == "pos.galactic"
        else ("pos.eq.ra", "pos.eq.dec")
    )
    ucd = names[function == "lat"]
    return made(f"degrees({function}({given[0].sql}))", Kind.DOUBLE, *given, name=name, unit="deg", ucd=ucd)


def coordinate_system(given: Arguments, place: Position | None) -> Value:
    """COORDSYS(shape), deprecated: everything is ICRS."""
    _count("COORDSYS", given, (1,), place)
    require("COORDSYS", given[0], (Kind.POINT, Kind.CIRCLE, Kind.POLYGON), place)
    sql = f"CASE WHEN {given[0].inner} IS NOT NULL THEN CAST('ICRS' AS text) END"
    return made(sql, Kind.TEXT, *given, name="coordsys", ucd="pos.frame")


def centroid(given: Arguments, place: Position | None) -> Value:
    """The point in the middle of a shape's area (for a polygon: ½ Σ angle·normal over its sides, on its side)."""
    _count("CENTROID", given, (1,), place)
    shape = given[0]
    require("CENTROID", shape, (Kind.POINT, Kind.CIRCLE, Kind.POLYGON), place)
    if shape.kind is Kind.POINT:
        return shape
    sql = f"center({shape.sql})" if shape.kind is Kind.CIRCLE else _polygon_centroid(shape.sql)
    enclosed = shape.kind is Kind.POLYGON
    return made(sql, Kind.POINT, shape, name="centroid", unit="deg", ucd="pos.eq", enclosed=enclosed)


def _polygon_centroid(shape: str) -> str:
    corners = f"unnest(spoly_as_array({shape})) WITH ORDINALITY AS u (p, i)"
    after = "lead(p) OVER w, first_value(p) OVER w"
    sides = f"SELECT p, coalesce({after}) AS q FROM {corners} WINDOW w AS (ORDER BY i)"
    vectors = f"SELECT x(p) AS a, y(p) AS b, z(p) AS c, x(q) AS d, y(q) AS e, z(q) AS f FROM ({sides}) AS s"
    normals = (
        f"SELECT a, b, c, b*f - c*e AS x, c*d - a*f AS y, a*e - b*d AS z, a*d + b*e + c*f AS k FROM ({vectors}) AS v"
    )
    weights = (
        "SELECT a, b, c, x, y, z, atan2(sqrt(x*x + y*y + z*z), k) / nullif(sqrt(x*x + y*y + z*z), 0) AS t "
        f"FROM ({normals}) AS n"
    )
    sums = (
        "SELECT sum(x*t) AS x, sum(y*t) AS y, sum(z*t) AS z, sum(a) AS a, sum(b) AS b, sum(c) AS c "
        f"FROM ({weights}) AS t"
    )
    sided = (
        f"SELECT x*g AS x, y*g AS y, z*g AS z FROM (SELECT x, y, z, sign(x*a + y*b + z*c) AS g FROM ({sums}) AS m) AS o"
    )
    return f"(SELECT spoint(atan2(y, x), atan2(z, sqrt(x*x + y*y))) FROM ({sided}) AS r)"


def degrees_array(value: Value) -> str:
    """A shape as DALI 1.1 §3.3 writes it: float8[] of degrees."""
    if value.kind is Kind.POINT:
        return (
            f"(SELECT ARRAY[degrees(long(p)), degrees(lat(p))] FROM (SELECT {value.sql} AS p) AS s WHERE p IS NOT NULL)"
        )
    if value.kind is Kind.CIRCLE:
        parts = "degrees(long(center(p))), degrees(lat(center(p))), degrees(radius(p))"
        return f"(SELECT ARRAY[{parts}] FROM (SELECT {value.sql} AS p) AS s WHERE p IS NOT NULL)"
    corners = f"unnest(spoly_as_array({value.sql})) WITH ORDINALITY AS u (p, i)"
    flat = "LATERAL (VALUES (1, degrees(long(p))), (2, degrees(lat(p)))) AS v (j, d)"
    return f"(SELECT array_agg(d ORDER BY i, j) FROM {corners}, {flat})"


COPIES: Mapping[str, int] = dict.fromkeys(("POINT", "CIRCLE", "BOX", "POLYGON", "CONTAINS", "INTERSECTS"), 2) | {
    "DISTANCE": 3
}
"""How often they may write an argument: a latitude is also tested, and a distance searched and compared."""


def number(value: Value) -> float | None:
    """The number that a literal is, or None."""
    return float(value.literal) if value.literal is not None and value.kind.numeric else None


def _spoly(corners: Sequence[str], parts: Arguments, *, constant: bool) -> Value:
    array = f"ARRAY[{', '.join(corners)}]"
    # pgSphere takes no NULL among the corners, but a shape of unknown corners is unknown.
    sql = (
        f"spoly({array})"
        if constant
        else f"(SELECT CASE WHEN num_nulls(VARIADIC a) = 0 THEN spoly(a) END FROM (SELECT {array} AS a) AS b)"
    )
    return made(sql, Kind.POLYGON, *parts, name="polygon", unit="deg", enclosed=not constant)


def _inside(name: str, first: Value, second: Value) -> Value:
    """Whether the first shape lies in the second."""
    if first.kind is Kind.POINT and second.centre is not None and second.radius is not None:
        sql = _near(first, second.centre, f"radians({second.radius.sql})")
        return _truth(sql, name, first, second.centre, second.radius)
    return _truth(f"{_site(first)} <@ {second.sql}", name, first, second)


def _near(first: Value, second: Value, angle: str) -> str:
    """Whether two points are within `angle`, SQL of radians; see the module for the two forms."""
    if first.bare and second.bare:
        return f"spoint_dwithin({_site(first)}, {_site(second)}, {angle})"
    column, place = (second, first) if second.bare else (first, second)
    return f"{_site(column)} <@ scircle({_site(place)}, {angle})"


def _site(point: Value) -> str:
    """The SQL of a point that an index may answer; whoever uses it owes its guard."""
    return point.site or point.sql


def _truth(sql: str, name: str, *parts: Value) -> Value:
    """A condition on shapes; unknown where one of the points is no place."""
    guards = [part.guard for part in parts if part.guard]
    if not guards:
        return made(sql, Kind.BOOLEAN, *parts, name=name, atomic=False)
    exists = " AND ".join(guards)
    result = made(f"CASE WHEN {exists} THEN {sql} END", Kind.BOOLEAN, *parts, name=name)
    return replace(result, search=f"{sql} AND {exists}")


def _two_shapes(name: str, given: Arguments, place: Position | None) -> tuple[Value, Value]:
    _count(name, given, (2,), place)
    first, second = given
    for value in given:
        require(name, value, (Kind.POINT, Kind.CIRCLE, Kind.POLYGON), place)
    return first, second


def _centred(name: str, given: Arguments, sizes: int, place: Position | None) -> tuple[Value, Arguments]:
    _count(name, given, (1 + sizes, 2 + sizes), place)
    if len(given) == 2 + sizes:
        return point(given[:2], place), given[2:]
    require(name, given[0], (Kind.POINT,), place)
    return given[0], given[1:]


def _degrees(name: str, value: Value, place: Position | None) -> str:
    if not value.kind.numeric and value.kind is not Kind.NULL:
        raise WrongType(f"{name} takes numbers of degrees, not {value.kind.one}.", place)
    return f"radians({'CAST(NULL AS double precision)' if value.kind is Kind.NULL else value.sql})"


def _check_latitude(value: Value, place: Position | None) -> None:
    latitude = number(value)
    if latitude is not None and not -90 <= latitude <= 90:
        raise WrongType(f"A latitude of {value.literal}° does not exist.", place, "Longitude comes first.")


def require(name: str, value: Value, kinds: tuple[Kind, ...], place: Position | None) -> None:
    """Refuse a value of another kind."""
    if value.kind not in kinds:
        expected = " or ".join(str(kind) for kind in kinds)
        raise WrongType(f"{name} takes a {expected}, not {value.kind.one}.", place)


def _count(name: str, given: Arguments, expected: tuple[int, ...], place: Position | None) -> None:
    if len(given) not in expected:
        numbers = " or ".join(str(count) for count in expected)
        raise WrongType(f"{name} takes {numbers} arguments, not {len(given)}.", place)
