"""What every function is for, in a sentence, for editors and pages; a test holds it to the functions that there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from almagest.adql.dialects import DialectName
from almagest.adql.udfs import UDFS


@dataclass(frozen=True, slots=True)
class Function:
    """A function, or one of its forms. form: `name(argument TYPE, …) -> TYPE`; group: what it has to do with; dialect:
    the smallest that has it: what ADQL has, PostgreSQL's has too."""

    form: str
    description: str
    group: str
    dialect: DialectName = "adql"

    @property
    def name(self) -> str:
        """As queries call it."""
        return self.form.partition("(")[0]


_ADQL = {
    "Geometry": """
        POINT(lon DOUBLE, lat DOUBLE) -> POINT: A position in degrees.
        CIRCLE(lon DOUBLE, lat DOUBLE, radius DOUBLE) -> CIRCLE: A circle around a position; all in degrees.
        CIRCLE(centre POINT, radius DOUBLE) -> CIRCLE: A circle around a point; radius in degrees.
        BOX(lon DOUBLE, lat DOUBLE, width DOUBLE, height DOUBLE) -> POLYGON: A box around a position; all in degrees.
        POLYGON(lon1 DOUBLE, lat1 DOUBLE, …) -> POLYGON: A polygon of at least three corners in degrees.
        REGION(stc TEXT) -> GEOMETRY: A shape written as STC-S, e.g. 'Circle ICRS 56.75 24.12 1'.
        CONTAINS(what GEOMETRY, where GEOMETRY) -> INTEGER: 1 if the first lies in the second, else 0.
        INTERSECTS(a GEOMETRY, b GEOMETRY) -> INTEGER: 1 if the two have a place in common, else 0.
        DISTANCE(a POINT, b POINT) -> DOUBLE: The angle between two points in degrees.
        DISTANCE(lon1 DOUBLE, lat1 DOUBLE, lon2 DOUBLE, lat2 DOUBLE) -> DOUBLE: The angle between two positions.
        AREA(shape GEOMETRY) -> DOUBLE: The area of a shape in square degrees.
        CENTROID(shape GEOMETRY) -> POINT: The centre of a shape.
        COORD1(p POINT) -> DOUBLE: The longitude, e.g. right ascension, of a point in degrees.
        COORD2(p POINT) -> DOUBLE: The latitude, e.g. declination, of a point in degrees.
        COORDSYS(shape GEOMETRY) -> TEXT: The frame of a shape.
    """,
    "Mathematics": """
        ABS(x NUMERIC) -> NUMERIC: The value without its sign.
        CEILING(x NUMERIC) -> NUMERIC: The smallest whole number that is not less.
        FLOOR(x NUMERIC) -> NUMERIC: The largest whole number that is not more.
        ROUND(x NUMERIC, digits INTEGER) -> NUMERIC: The value rounded to so many decimal digits, or to none.
        TRUNCATE(x NUMERIC, digits INTEGER) -> NUMERIC: The value cut after so many decimal digits, or all of them.
        MOD(x NUMERIC, y NUMERIC) -> NUMERIC: The remainder of x / y.
        POWER(x NUMERIC, y NUMERIC) -> DOUBLE: The first to the power of the second.
        SQRT(x NUMERIC) -> DOUBLE: The square root.
        EXP(x NUMERIC) -> DOUBLE: The exponential function.
        LOG(x NUMERIC) -> DOUBLE: The natural logarithm.
        LOG10(x NUMERIC) -> DOUBLE: The logarithm to base 10.
        PI() -> DOUBLE: The number π.
        RAND(seed INTEGER) -> DOUBLE: A random number from 0 to 1; the seed may be left out.
        DEGREES(x DOUBLE) -> DOUBLE: Radians as degrees.
        RADIANS(x DOUBLE) -> DOUBLE: Degrees as radians.
        SIN(x DOUBLE) -> DOUBLE: The sine of an angle in radians.
        COS(x DOUBLE) -> DOUBLE: The cosine of an angle in radians.
        TAN(x DOUBLE) -> DOUBLE: The tangent of an angle in radians.
        COT(x DOUBLE) -> DOUBLE: The cotangent of an angle in radians.
        ASIN(x DOUBLE) -> DOUBLE: The angle, in radians, of a sine.
        ACOS(x DOUBLE) -> DOUBLE: The angle, in radians, of a cosine.
        ATAN(x DOUBLE) -> DOUBLE: The angle, in radians, of a tangent.
        ATAN2(y DOUBLE, x DOUBLE) -> DOUBLE: The angle, in radians, of the point x, y.
    """,
    "Text": """
        LOWER(s TEXT) -> TEXT: The text in small letters.
        UPPER(s TEXT) -> TEXT: The text in capital letters.
    """,
    "Conditional": """
        COALESCE(a ANY, b ANY, …) -> ANY: The first of the values that is not NULL.
    """,
    "Units": """
        IN_UNIT(x NUMERIC, unit TEXT) -> DOUBLE: A column's value in another unit, e.g. IN_UNIT(parallax, 'arcsec').
    """,
    "Aggregates": """
        COUNT(x ANY) -> BIGINT: How many values are not NULL; COUNT(*) counts rows.
        SUM(x NUMERIC) -> NUMERIC: The sum of the values.
        AVG(x NUMERIC) -> DOUBLE: The mean of the values.
        MIN(x ANY) -> ANY: The smallest value.
        MAX(x ANY) -> ANY: The largest value.
    """,
}
_POSTGRESQL = {
    "Mathematics": """
        ACOSD(x DOUBLE) -> DOUBLE: The angle, in degrees, of a cosine.
        ASIND(x DOUBLE) -> DOUBLE: The angle, in degrees, of a sine.
        ATAND(x DOUBLE) -> DOUBLE: The angle, in degrees, of a tangent.
        CBRT(x NUMERIC) -> DOUBLE: The cube root.
        CEIL(x NUMERIC) -> NUMERIC: The smallest whole number that is not less.
        COSD(x DOUBLE) -> DOUBLE: The cosine of an angle in degrees.
        COSH(x DOUBLE) -> DOUBLE: The hyperbolic cosine.
        COTD(x DOUBLE) -> DOUBLE: The cotangent of an angle in degrees.
        ERF(x DOUBLE) -> DOUBLE: The error function.
        LN(x NUMERIC) -> DOUBLE: The natural logarithm.
        POW(x NUMERIC, y NUMERIC) -> DOUBLE: The first to the power of the second.
        RANDOM() -> DOUBLE: A random number from 0 to 1.
        SIGN(x NUMERIC) -> NUMERIC: -1, 0 or 1.
        SIND(x DOUBLE) -> DOUBLE: The sine of an angle in degrees.
        SINH(x DOUBLE) -> DOUBLE: The hyperbolic sine.
        TAND(x DOUBLE) -> DOUBLE: The tangent of an angle in degrees.
        TANH(x DOUBLE) -> DOUBLE: The hyperbolic tangent.
        TRUNC(x NUMERIC, digits INTEGER) -> NUMERIC: The value cut after so many decimal digits, or all of them.
        WIDTH_BUCKET(x DOUBLE, low DOUBLE, high DOUBLE, count INTEGER) -> INTEGER: The bin that x is in, from 1.
    """,
    "Text": """
        BTRIM(s TEXT, characters TEXT) -> TEXT: The text without these characters, or blanks, at both ends.
        CHAR_LENGTH(s TEXT) -> INTEGER: How many characters the text has.
        INITCAP(s TEXT) -> TEXT: The text with each word's first letter a capital.
        LEFT(s TEXT, count INTEGER) -> TEXT: The first characters.
        LENGTH(s TEXT) -> INTEGER: How many characters the text has.
        LTRIM(s TEXT, characters TEXT) -> TEXT: The text without these characters, or blanks, at its beginning.
        REVERSE(s TEXT) -> TEXT: The text backwards.
        RIGHT(s TEXT, count INTEGER) -> TEXT: The last characters.
        RTRIM(s TEXT, characters TEXT) -> TEXT: The text without these characters, or blanks, at its end.
        SPLIT_PART(s TEXT, separator TEXT, number INTEGER) -> TEXT: One of the pieces of a text, counted from 1.
        STARTS_WITH(s TEXT, beginning TEXT) -> BOOLEAN: Whether the text begins so.
        STRPOS(s TEXT, part TEXT) -> INTEGER: Where the part begins in the text, from 1; 0 where it is not.
        SUBSTR(s TEXT, start INTEGER, count INTEGER) -> TEXT: A piece of a text, from a character on.
        SUBSTRING(s TEXT, start INTEGER, count INTEGER) -> TEXT: A piece of a text, from a character on.
        TRIM(s TEXT) -> TEXT: The text without blanks at both ends.
    """,
    "Conditional": """
        GREATEST(a ANY, b ANY, …) -> ANY: The largest of the values.
        LEAST(a ANY, b ANY, …) -> ANY: The smallest of the values.
        NULLIF(a ANY, b ANY) -> ANY: NULL where both are equal, else the first.
    """,
    "Time": """
        DATE_PART(field TEXT, t TIMESTAMP) -> DOUBLE: A part of a time, e.g. 'year'.
        DATE_TRUNC(field TEXT, t TIMESTAMP) -> TIMESTAMP: A time cut after a part, e.g. 'day'.
    """,
    "Arrays": """
        CARDINALITY(a ARRAY) -> INTEGER: How many elements an array has.
    """,
    "Aggregates": """
        BOOL_AND(condition BOOLEAN) -> BOOLEAN: Whether it holds for all.
        BOOL_OR(condition BOOLEAN) -> BOOLEAN: Whether it holds for any.
        CORR(y DOUBLE, x DOUBLE) -> DOUBLE: The correlation coefficient.
        COVAR_POP(y DOUBLE, x DOUBLE) -> DOUBLE: The covariance of the population.
        COVAR_SAMP(y DOUBLE, x DOUBLE) -> DOUBLE: The covariance of the sample.
        REGR_INTERCEPT(y DOUBLE, x DOUBLE) -> DOUBLE: The intercept of the line fitted to the points.
        REGR_SLOPE(y DOUBLE, x DOUBLE) -> DOUBLE: The slope of the line fitted to the points.
        STDDEV(x NUMERIC) -> DOUBLE: The standard deviation of the sample.
        STDDEV_POP(x NUMERIC) -> DOUBLE: The standard deviation of the population.
        STDDEV_SAMP(x NUMERIC) -> DOUBLE: The standard deviation of the sample.
        VARIANCE(x NUMERIC) -> DOUBLE: The variance of the sample.
        VAR_POP(x NUMERIC) -> DOUBLE: The variance of the population.
        VAR_SAMP(x NUMERIC) -> DOUBLE: The variance of the sample.
    """,
    "Windows": """
        ROW_NUMBER() -> BIGINT: The number of the row in its window, from 1.
        RANK() -> BIGINT: The rank of the row, with gaps after equals.
        DENSE_RANK() -> BIGINT: The rank of the row, without gaps.
        PERCENT_RANK() -> DOUBLE: The rank as a fraction from 0 to 1.
        CUME_DIST() -> DOUBLE: The fraction of rows that are not after this one.
        NTILE(count INTEGER) -> INTEGER: Which of so many equal groups the row is in.
        LAG(x ANY, rows INTEGER, otherwise ANY) -> ANY: The value some rows before.
        LEAD(x ANY, rows INTEGER, otherwise ANY) -> ANY: The value some rows after.
        FIRST_VALUE(x ANY) -> ANY: The value of the window's first row.
        LAST_VALUE(x ANY) -> ANY: The value of the window's last row.
        NTH_VALUE(x ANY, number INTEGER) -> ANY: The value of one of the window's rows, counted from 1.
    """,
}


def _read() -> Iterator[Function]:
    dialects: tuple[tuple[DialectName, dict[str, str]], ...] = (("adql", _ADQL), ("postgresql", _POSTGRESQL))
    for dialect, groups in dialects:
        for group, lines in groups.items():
            for line in lines.strip().splitlines():
                form, _, description = line.strip().partition(": ")
                yield Function(form, description, group, dialect)
        if dialect == "adql":
            yield from (Function(udf.form, udf.description, "Astronomy") for udf in UDFS)


REFERENCE = tuple(_read())
"""Every function, by group."""
