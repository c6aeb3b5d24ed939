"""Nothing that was written is left out in silence: whoever changes a word of a query changes its SQL or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sqlglot import Token, TokenType

from almagest.adql import AdqlError, AdqlSyntaxError, NotAllowed, translate
from almagest.adql.dialects import DIALECTS, DialectName
from almagest.adql.lexer import tokens
from support.adql_grammar import queries
from support.stars import SKY

BOTH: list[DialectName] = ["adql", "postgresql"]
FUZZ = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # The message names the changed query: nothing to shrink.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
CHANGES = 30
"""Changes to one query."""

LINE_ENDS = ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"]
NOISE = frozenset(("AS", "ASC", "INNER", "OUTER", "ALL", "+"))
"""What may be left out or put in, because it is what is meant without it."""
OPERATIONS = ("UNION", "EXCEPT", "INTERSECT")
"""What DISTINCT may follow without a change."""
FOREIGN = (
    "ROWS", "ROW", "INDEXED", "ONLY", "RECURSIVE", "SYMMETRIC", "TOTALS", "MATERIALIZED", "UNKNOWN", "IGNORE",
    "RESPECT", "FIRST", "NEXT", "TIES", "PERCENT", "STRAIGHT", "DIRECTED", "GLOBAL", "CORRESPONDING", "START",
    "CONNECT", "VALUE", "STRUCT", "ANY", "SOME", "ESCAPED", "CUBE", "ROLLUP", "PIVOT", "ORDINALITY",
)  # fmt: skip
"""Words that mean something in some SQL and nothing in ours, and are no column's name here."""

GIVING = (TokenType.ALIAS, TokenType.VAR, TokenType.IDENTIFIER, TokenType.R_PAREN, TokenType.WITH)
"""What stands before a name that is given there."""
PLACES = (
    "{}",
    "SELECT * FROM ({}) AS x",
    "SELECT hip FROM sky.bright WHERE EXISTS ({})",
    "WITH w AS ({}) SELECT * FROM w",
)
"""Where a query stands."""

Outcome = tuple[object, ...] | None


def outcome(query: str, dialect: DialectName) -> Outcome:
    """What the query becomes; None when it is refused."""
    try:
        translation = translate(query, SKY, maxrec=10, dialect=dialect)
    except AdqlError:
        return None
    return translation.sql, translation.columns, translation.top, translation.limit


def words(query: str, dialect: DialectName) -> list[Token]:
    return tokens(query, DIALECTS[dialect].parser.vocabulary)


def exchanged(query: str, token: Token, other: str) -> str:
    return f"{query[: token.start]}{other}{query[token.end + 1 :]}"


def names_what_nobody_reads(found: list[Token], index: int) -> bool:
    """Whether a token is a name that is only given here, or the seed of RAND, which says nothing (docs/app/adql.md)."""
    token, before = found[index], found[index - 1]
    if token.token_type in (TokenType.VAR, TokenType.IDENTIFIER):
        return before.token_type in GIVING
    return index > 1 and found[index - 2].text.upper() == "RAND"


def gives_null(found: list[Token]) -> bool:
    """Whether NULL is written as a value: what gives nothing but it is not calculated."""
    return any(
        token.token_type == TokenType.NULL and before.token_type not in (TokenType.IS, TokenType.NOT)
        for before, token in pairwise(found)
    )


def changes(found: list[Token], index: int) -> Iterator[str]:
    """Other words in the place of one, or none."""
    token = found[index]
    if token.token_type == TokenType.NUMBER:
        yield from ("8", "0.25")
    elif token.token_type == TokenType.STRING:
        yield "'zz'"
    elif token.token_type in (TokenType.VAR, TokenType.IDENTIFIER):
        yield "zz"
    if token.text.upper() not in NOISE and before_distinct(found, index):
        yield ""


def before_distinct(found: list[Token], index: int) -> bool:
    """UNION DISTINCT is UNION."""
    operations = (TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT)
    return found[index].token_type != TokenType.DISTINCT or found[index - 1].token_type not in operations


@pytest.mark.parametrize("dialect", BOTH)
@FUZZ
@given(data=st.data())
def test_no_word_can_be_changed_or_taken_out_unnoticed(dialect: DialectName, data: st.DataObject) -> None:
    query = data.draw(queries(postgresql=dialect == "postgresql"))
    before, found = outcome(query, dialect), words(query, dialect)
    assume(before is not None and not gives_null(found))
    changed = [
        exchanged(query, token, other)
        for index, token in enumerate(found)
        for other in changes(found, index)
        if other != token.text and not names_what_nobody_reads(found, index)
    ]
    for other in data.draw(st.lists(st.sampled_from(changed), min_size=CHANGES, max_size=CHANGES)):
        assert outcome(other, dialect) != before, other


@pytest.mark.parametrize("dialect", BOTH)
@FUZZ
@given(data=st.data())
def test_no_word_can_be_put_in_unnoticed(dialect: DialectName, data: st.DataObject) -> None:
    """A word of the language changes the query or is refused; one of another language is any word."""
    query = data.draw(queries(postgresql=dialect == "postgresql"))
    before = outcome(query, dialect)
    assume(before is not None)
    vocabulary = DIALECTS[dialect].parser.vocabulary
    known = [*vocabulary.keywords, *vocabulary.operators, "()", "7", "'t'", "GROUP BY", "ORDER BY", "PARTITION BY"]
    places = [*(token.start for token in words(query, dialect)), len(query)]
    for _ in range(CHANGES):
        place, word = data.draw(st.sampled_from(places)), data.draw(st.sampled_from([*known, *FOREIGN]))
        changed = f"{query[:place]} {word} {query[place:]}"
        if word in FOREIGN:
            plain = f"{query[:place]} zz {query[place:]}"
            assert (outcome(changed, dialect) is None) or outcome(plain, dialect) is not None, changed
        elif word not in NOISE and not (word == "DISTINCT" and query[:place].rstrip().endswith(OPERATIONS)):
            assert outcome(changed, dialect) != before, changed


@pytest.mark.parametrize("dialect", BOTH)
@FUZZ
@given(data=st.data(), end=st.sampled_from(LINE_ENDS))
def test_a_comment_is_a_blank_whatever_ends_its_line(dialect: DialectName, data: st.DataObject, end: str) -> None:
    query = data.draw(queries(postgresql=dialect == "postgresql"))
    found = words(query, dialect)
    commented = "".join(f"{query[token.start : token.end + 1]} -- it's \" a ; comment{end}" for token in found)
    assert outcome(commented, dialect) == outcome(query, dialect)


@pytest.mark.parametrize("dialect", BOTH)
@FUZZ
@given(data=st.data())
def test_parentheses_around_a_query_mean_nothing(dialect: DialectName, data: st.DataObject) -> None:
    query = data.draw(queries(postgresql=dialect == "postgresql"))
    for place in (
        "{}",
        "SELECT * FROM ({}) AS x",
        "SELECT hip FROM sky.bright WHERE EXISTS ({})",
        "WITH w AS ({}) SELECT * FROM w",
    ):
        plain, *wrapped = (outcome(place.format(form), dialect) for form in (query, f"({query})", f"(({query}))"))
        assert [*wrapped] == [plain, plain]


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize(
    "clause", ["WHERE n < 3", "GROUP BY n", "HAVING COUNT(*) > 1", "JOIN sky.bright ON 1 = 1", "AS x"]
)
@pytest.mark.parametrize(
    "query", ["(SELECT n FROM sky.stars)", "SELECT n FROM sky.stars UNION (SELECT hip FROM sky.bright)"]
)
def test_what_belongs_into_the_query_cannot_stand_behind_it(dialect: DialectName, query: str, clause: str) -> None:
    with pytest.raises(AdqlSyntaxError) as error:
        translate(f"{query} {clause}", SKY, dialect=dialect)
    assert error.value.position == (1, len(query) + 2)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n FROM sky.stars ORDER BY n WHERE n = 1",
        "SELECT n FROM sky.stars HAVING COUNT(*) > 1 GROUP BY n",
        "SELECT n FROM sky.stars OFFSET 1 ORDER BY n",
        "SELECT n FROM sky.stars WHERE n = 1 WHERE n = 2",
        "(SELECT n FROM sky.stars) OFFSET 1 OFFSET 2",
    ],
)
def test_clauses_stand_once_and_in_their_order(query: str) -> None:
    with pytest.raises(AdqlSyntaxError, match="stands"):
        translate(query, SKY)


@pytest.mark.parametrize(
    "join",
    [
        "NATURAL JOIN sky.bright b ON a.n = 2",
        "NATURAL LEFT JOIN sky.bright b USING (ra)",
        "NATURAL JOIN sky.bright b USING ()",
        "CROSS JOIN sky.bright b ON a.n = 2",
    ],
)
def test_joins_take_no_condition_that_they_would_not_use(join: str) -> None:
    with pytest.raises(AdqlSyntaxError) as error:
        translate(f"SELECT a.n FROM sky.stars a {join}", SKY)
    assert error.value.position is not None


@pytest.mark.parametrize(
    "query",
    [
        "WITH w () AS (SELECT n FROM sky.stars) SELECT n FROM w",
        "SELECT n FROM sky.stars JOIN sky.bright USING ()",
        "SELECT n FROM sky.stars GROUP BY",
        "SELECT n FROM sky.stars GROUP BY ()",
        "SELECT n FROM sky.stars WHERE n IN ()",
        "SELECT RANK() OVER (ORDER BY) FROM sky.stars",
        "SELECT RANK() OVER (PARTITION BY) FROM sky.stars",
    ],
)
@pytest.mark.parametrize("dialect", BOTH)
def test_what_must_name_something_names_it(dialect: DialectName, query: str) -> None:
    assert outcome(query, dialect) is None


def test_clauses_behind_parentheses_come_after_those_inside() -> None:
    """PostgreSQL itself would make one LIMIT 5 OFFSET 3 of it."""
    sql = translate("(SELECT TOP 5 n FROM sky.stars ORDER BY n) ORDER BY n DESC OFFSET 3", SKY).sql
    assert sql == (
        'SELECT t2.c1 AS "n" FROM (SELECT t1."n" AS c1 FROM "sky"."stars" AS t1 ORDER BY 1 LIMIT 5) AS t2'
        " ORDER BY 1 DESC OFFSET 3"
    )


def test_only_blanks_follow_the_last_semicolon() -> None:
    assert outcome("SELECT n FROM sky.stars; -- all\n ;", "adql") == outcome("SELECT n FROM sky.stars", "adql")
    with pytest.raises(NotAllowed, match="one query"):
        translate("SELECT n FROM sky.stars; -- all\n x", SKY)
