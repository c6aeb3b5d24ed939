"""Queries over the tables of SKY by grammar, for hypothesis: most are answered, some break a rule of types."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

_STARS = ("source_id", "ra", "dec", "g", "n", "s", '"Mixed"')
_BRIGHT = ("hip", "ra", "dec", "source_id", "vmag")
_LITERALS = ("0", "1", "2", "7", "0.5", "1e-3", "0x1F", "2.", "90", "12345678901", "NULL")
_FUNCTIONS = ("ABS", "CEILING", "FLOOR", "ROUND", "TRUNCATE", "SQRT", "LOG10", "COS", "ASIN", "DEGREES", "-")
_AGGREGATES = ("COUNT", "MIN", "MAX", "SUM", "AVG", "COUNT(DISTINCT", "SUM(DISTINCT")
_TEXTS = ("'abc'", "'it''s'", r"'a\b'", "'β'", "'%'", "''")
_WINDOWS = ("row_number()", "rank()", "dense_rank()", "percent_rank()", "ntile(3)", "count(*)")
_FRAMES = (
    "",
    " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    " ROWS UNBOUNDED PRECEDING",
    " RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    " ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
)
_TYPES = ("INTEGER", "BIGINT", "SMALLINT", "REAL", "DOUBLE PRECISION")


class Grammar:
    """Draws the parts of one query. postgresql: whether that dialect's own forms come in."""

    def __init__(self, draw: st.DrawFn, *, postgresql: bool) -> None:
        self.draw = draw
        self.postgresql = postgresql
        self.left = 60

    def one(self, *choices: str | Callable[[], str]) -> str:
        """One of the choices; those that go deeper only while some of the query's size is left."""
        self.left -= 1
        plain = [choice for choice in choices if isinstance(choice, str)]
        drawn = self.draw(st.sampled_from(plain if self.left < 0 and plain else choices))
        return drawn if isinstance(drawn, str) else drawn()

    def often(self, part: Callable[[], str], times: int = 2) -> str:
        """The part, or as often nothing."""
        return part() if self.left > 0 and self.draw(st.integers(0, times)) == 0 else ""

    def number(self) -> str:
        columns = tuple(f"a.{column}" for column in _STARS)
        return self.one(
            *columns, *columns, *_LITERALS, self.calculation, self.calculation, self.function, self.case,
            self.on_the_sphere, self.catalogued, self.scalar,
            *((self.dialect_number, self.window) if self.postgresql else ()),
        )  # fmt: skip

    def calculation(self) -> str:
        sign = self.one("+", "-", "*", "/", *(("%", "^") if self.postgresql else ()))
        first, second = self.number(), self.number()
        return self.one(f"{first} {sign} {second}", f"({first} {sign} {second})", f"- {second}")

    def function(self) -> str:
        return self.one(
            lambda: f"{self.one(*_FUNCTIONS)}({self.number()})",
            lambda: f"POWER({self.number()}, 2)",
            lambda: f"MOD({self.number()}, {self.number()})",
            lambda: f"ROUND({self.number()}, 2)",
            lambda: f"ATAN2({self.number()}, {self.number()})",
            lambda: f"COALESCE({self.number()}, {self.number()})",
            lambda: f"CAST({self.number()} AS {self.one(*_TYPES)})",
            lambda: f"CAST({self.text()} AS INTEGER)",
            "IN_UNIT(a.ra, 'arcsec')",
            "IN_UNIT(a.g, 'mmag')",
            "PI()",
            "RAND()",
            "RAND(42)",
        )

    def case(self) -> str:
        return self.one(
            lambda: f"CASE WHEN {self.condition()} THEN {self.number()} ELSE {self.number()} END",
            lambda: f"CASE {self.number()} WHEN {self.number()} THEN {self.number()} END",
        )

    def on_the_sphere(self) -> str:
        return self.one(
            lambda: f"DISTANCE({self.point()}, {self.point()})",
            lambda: f"DISTANCE(a.ra, a.dec, {self.number()}, 12)",
            lambda: f"AREA({self.region()})",
            lambda: f"COORD1({self.point()})",
            lambda: f"COORD2({self.point()})",
            lambda: f"CONTAINS({self.point()}, {self.region()})",
            lambda: f"INTERSECTS({self.region()}, {self.region()})",
        )

    def catalogued(self) -> str:
        return self.one(
            lambda: f"ivo_healpix_index(5, {self.point()})",
            lambda: f"ivo_healpix_index(a.s, {self.number()}, {self.number()})",
            "ivo_to_jd(a.obs)",
            "ivo_to_mjd(a.obs)",
            lambda: f"ivo_interval_overlaps({self.number()}, {self.number()}, 1, 2)",
            lambda: f"ivo_hashlist_has({self.text()}, {self.text()})",
            lambda: f"ivo_hasword({self.text()}, {self.text()})",
            lambda: f"ivo_nocasematch({self.text()}, {self.text()})",
            lambda: f"ivo_normal_random({self.number()}, 1)",
            lambda: f"ivo_dms_to_degrees({self.text()})",
        )

    def dialect_number(self) -> str:
        return self.one(
            lambda: f"({self.number()})::{self.one('int', 'float8', 'bigint', 'real')}",
            lambda: f"a.flux[{self.number()}]",
            lambda: f"ARRAY[{self.number()}, {self.number()}][1]",
            lambda: f"greatest({self.number()}, {self.number()})",
            lambda: f"nullif({self.number()}, {self.number()})",
            lambda: f"length({self.text()})",
            "date_part('year', a.obs)",
            lambda: f"cbrt({self.number()})",
            "cardinality(a.flux)",
            lambda: f"width_bucket({self.number()}, 1, 10, 5)",
        )

    def window(self) -> str:
        call = self.one(
            *_WINDOWS, lambda: f"lag({self.number()})", lambda: f"lead({self.text()}, 2)",
            lambda: f"avg({self.number()})",
            lambda: f"sum({self.number()}) FILTER (WHERE {self.condition()})", lambda: f"first_value({self.number()})",
        )  # fmt: skip
        partition = self.often(lambda: f"PARTITION BY {self.number()} ")
        direction, frame = self.one("", " DESC NULLS LAST"), self.one(*_FRAMES)
        return f"{call} OVER ({partition}ORDER BY {self.number()}{direction}{frame})"

    def text(self) -> str:
        return self.one(
            "a.name", "a.label", *_TEXTS, lambda: f"{self.text()} || {self.text()}", lambda: f"LOWER({self.text()})",
            lambda: f"UPPER({self.text()})", lambda: f"CAST({self.number()} AS VARCHAR(10))", lambda: "COORDSYS(a.pos)",
            *((lambda: f"left({self.text()}, 3)", lambda: f"({self.number()})::text") if self.postgresql else ()),
        )  # fmt: skip

    def point(self) -> str:
        return self.one(
            "a.pos", "POINT(a.ra, a.dec)", "POINT('ICRS', 10, 20)", lambda: f"POINT({self.number()}, {self.number()})",
            lambda: f"CENTROID({self.region()})", lambda: "ivo_healpix_center(3, a.n)",
            lambda: f"ivo_epoch_prop_pos(a.ra, a.dec, {self.number()}, 2, 2000, 2010)",
            lambda: f"ivo_geom_transform('ICRS', 'GALACTIC', {self.point()})",
        )  # fmt: skip

    def region(self) -> str:
        return self.one(
            "CIRCLE(10, 20, 1)", "BOX(10, 20, 1, 2)", "POLYGON(1, 2, 3, 2, 3, 5)", "REGION('CIRCLE 10 20 1')",
            "CAST('1 2 3' AS CIRCLE)", lambda: f"CIRCLE({self.point()}, {self.number()})",
            lambda: f"BOX({self.point()}, 1, {self.number()})",
            lambda: f"POLYGON({self.point()}, {self.point()}, {self.point()})",
        )  # fmt: skip

    def condition(self) -> str:
        return self.one(
            "a.n > 3", "a.name IS NOT NULL", "a.flag = 1",
            lambda: f"{self.number()} {self.one('=', '<', '>=', '<>', '!=')} {self.number()}",
            lambda: f"{self.text()} {self.one('=', '<', 'LIKE', 'NOT LIKE', 'ILIKE')} {self.text()}",
            lambda: f"{self.number()} BETWEEN {self.number()} AND {self.number()}",
            lambda: f"{self.number()} IN ({self.number()}, {self.number()})",
            lambda: f"a.n IN ({self.query()})",
            lambda: f"EXISTS ({self.parenthesised(self.query())})",
            lambda: f"EXISTS (SELECT 1 FROM sky.bright AS b WHERE b.hip = {self.number()})",
            lambda: f"{self.text()} IS NULL",
            lambda: f"NOT ({self.condition()})",
            lambda: f"({self.condition()} OR {self.condition()})",
            lambda: f"{self.condition()} AND {self.condition()}",
            lambda: f"1 = CONTAINS({self.point()}, {self.region()})",
            lambda: f"DISTANCE({self.point()}, {self.point()}) < {self.number()}",
        )  # fmt: skip

    def scalar(self) -> str:
        return self.one(
            "(SELECT MAX(vmag) FROM sky.bright)",
            lambda: f"(SELECT COUNT(*) FROM sky.bright AS b WHERE b.vmag < {self.number()})",
            lambda: f"(SELECT TOP 1 b.{self.one(*_BRIGHT)} FROM sky.bright AS b ORDER BY 1)",
        )

    def aggregate(self) -> str:
        name = self.one(*_AGGREGATES)
        return f"{name} {self.number()})" if "(" in name else f"{name}({self.number()})"

    def gathered(self) -> str:
        """An aggregate of texts."""
        tail = self.often(lambda: f" FILTER (WHERE {self.condition()})") if self.postgresql else ""
        what, delimiter = f"{self.one('', 'DISTINCT ')}{self.text()}", self.one("', '", self.text)
        return f"ivo_string_agg({what}, {delimiter}){tail}"

    def source(self) -> str:
        join = self.one("JOIN", "LEFT JOIN", "RIGHT OUTER JOIN")
        return self.one(
            "sky.stars AS a",
            "sky.stars AS a",
            "sky.stars AS a, sky.bright AS z",
            f"sky.stars AS a {join} sky.bright AS z ON a.source_id = z.source_id",
            f"sky.stars AS a {join} sky.bright AS z ON DISTANCE(a.ra, a.dec, z.ra, z.dec) < z.vmag",
            f"sky.stars AS a {join} sky.bright AS z ON DISTANCE(a.ra, a.dec, z.ra, z.dec) < 0.1",
            f"sky.bright AS z {join} sky.stars AS a ON 1 = CONTAINS(a.pos, CIRCLE(z.ra, z.dec, 0.01))",
            "sky.stars AS a JOIN sky.bright AS z USING (source_id)",
            lambda: f"sky.stars AS a FULL JOIN sky.bright AS z ON {self.number()} = z.hip AND {self.condition()}",
            "sky.bright AS z NATURAL FULL JOIN sky.stars AS a",
            self.any_join,
            lambda: f"(SELECT * FROM sky.stars AS a WHERE {self.condition()}) AS a",
            lambda: f"({self.parenthesised('SELECT * FROM sky.stars AS a')}) AS a",
        )

    def any_join(self) -> str:
        """A join whose words stand together as they come, whether or not they may."""
        method, kind = self.one("", "NATURAL "), self.one("", "INNER ", "LEFT ", "RIGHT OUTER ", "FULL ", "CROSS ")
        tail = self.one("", " USING (source_id)", " ON a.n = z.hip", lambda: f" ON a.n = z.hip AND {self.condition()}")
        return f"sky.stars AS a {method}{kind}JOIN sky.bright AS z{tail}"

    def parenthesised(self, query: str) -> str:
        """The query in parentheses with clauses after it, also those that may not stand there."""
        tails = (
            "", " ORDER BY 1", " ORDER BY 1 DESC OFFSET 3", " OFFSET 3", " WHERE a.n = 3", " GROUP BY 1",
            " HAVING 1 = 1", " UNION ALL (SELECT * FROM sky.stars)",
            *((" LIMIT 3", " LIMIT 3 OFFSET 2") if self.postgresql else ()),
        )  # fmt: skip
        return f"({query}){self.one(*tails)}"

    def query(self) -> str:
        """A SELECT with one column, a number."""
        return f"SELECT {self.number()} FROM sky.stars AS a{self.where()}"

    def where(self) -> str:
        return self.often(lambda: f" WHERE {self.condition()}")

    def select(self) -> str:
        if self.draw(st.integers(0, 3)) == 0:
            group = self.one(self.number, self.number, self.text)
            having = self.often(
                lambda: self.one(
                    lambda: f" HAVING {self.aggregate()} > 1", lambda: f" HAVING {self.gathered()} LIKE '%a%'"
                )
            )
            shape = self.one(
                "", f", POINT({group}, COUNT(*))", f", AREA(BOX({group}, AVG(a.dec), 1, 1))", ", POINT(RAND(), 1)"
            )
            items = f"{group}, {self.one(self.aggregate, self.gathered)}, COUNT(*){shape}"
            return f"SELECT {items} FROM {self.source()}{self.where()} GROUP BY {group}{having}"
        items = self.one(
            "*", self.number, lambda: f"{self.number()}, {self.text()} AS t", lambda: f"a.*, {self.number()} AS x",
            lambda: f"{self.point()}, {self.region()}", lambda: f"{self.number()} AS x, {self.number()} AS x",
            self.aggregate, "ivo_histogram(a.g, 5, 15, 3)", lambda: f"{self.gathered()} || {self.text()}",
            *((lambda: f"{self.condition()} AS c", lambda: f"ARRAY[{self.number()}, 2.5]", self.window)
              if self.postgresql else ()),
        )  # fmt: skip
        top, order = self.one("", " TOP 5"), self.often(lambda: f" ORDER BY {self.number()}")
        tail = self.one("", " OFFSET 2", *((" LIMIT 3",) if self.postgresql and not top else ()))
        return f"SELECT{self.one('', '', ' DISTINCT')}{top} {items} FROM {self.source()}{self.where()}{order}{tail}"

    def whole(self) -> str:
        operation = self.one("UNION", "UNION ALL", "EXCEPT", "INTERSECT")
        return self.one(
            self.select, self.select, lambda: f"{self.query()} {operation} {self.query()} ORDER BY 1",
            lambda: self.parenthesised(self.select()), lambda: self.parenthesised(self.parenthesised(self.query())),
            lambda: f"{self.parenthesised(self.query())} {operation} ({self.parenthesised(self.query())})",
            lambda: f"WITH w AS ({self.select()}) SELECT * FROM w",
            lambda: f"SELECT {self.point()} FROM sky.stars AS a {operation} SELECT a.pos FROM sky.stars AS a",
            lambda: f"SELECT {self.text()} FROM sky.stars AS a {operation} SELECT NULL FROM sky.stars AS a",
            lambda: f"WITH w AS ({self.query()}) SELECT a.n FROM sky.stars AS a WHERE {self.condition()}",
            *((lambda: f"SELECT * FROM (WITH w AS ({self.select()}) SELECT * FROM w LIMIT 2) AS q",)
              if self.postgresql else ()),
        )  # fmt: skip


@st.composite
def queries(draw: st.DrawFn, *, postgresql: bool = False) -> str:
    """A query in ADQL, or in the PostgreSQL dialect."""
    return Grammar(draw, postgresql=postgresql).whole()


@st.composite
def mutations(draw: st.DrawFn, *, postgresql: bool = False) -> str:
    """A query with some of its characters or words gone, doubled, or exchanged."""
    text = draw(queries(postgresql=postgresql))
    for _ in range(draw(st.integers(1, 4))):
        if not text:
            break
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start, min(len(text), start + 12)))
        put = draw(
            st.sampled_from(("", text[start:end] * 2, "(", ")", ",", "'", '"', " FROM ", " SELECT ", "::", "[1]", "."))
        )
        text = text[:start] + put + text[end:]
    return text
