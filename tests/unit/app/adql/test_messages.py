"""What a person reads when a query is refused: a sentence of the language, without the inside of the program."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from almagest.adql import AdqlError, TooComplex, translate
from almagest.adql.dialects import DialectName
from support.adql_grammar import mutations, queries
from support.stars import SKY

INSIDE = re.compile(
    r"<|sqlglot|\bexp\.|\bNone\b|\bTokenType\b|\w_\b(?!\w)|Anonymous|Expr\b|Kind\b|\\x|\\u"
    r"|\b[Aa] (?:array|NULL|[aeio][a-z])|\bis no \w+s\b|no such thing|There is no \w+s here"
)
"""What belongs to the program, or to no sentence."""
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def refusal(query: str, dialect: DialectName) -> AdqlError | None:
    try:
        translate(query, SKY, dialect=dialect)
    except AdqlError as error:
        return error
    return None


def check(query: str, dialect: DialectName) -> None:
    error = refusal(query, dialect)
    if error is None:
        return
    for sentence in (error.message, error.hint or "Nothing."):
        plain = QUOTED.sub("x", sentence)
        assert sentence.endswith((".", "…", "?")), sentence
        assert sentence[0].isupper() or not sentence[0].isalpha() or sentence.split()[0] in query, sentence
        assert not INSIDE.search(plain), sentence
        assert len(sentence) < 400, sentence
    assert error.position is not None or isinstance(error, TooComplex), str(error)


@pytest.mark.parametrize("dialect", ["adql", "postgresql"])
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_refusals_are_sentences(dialect: DialectName, data: st.DataObject) -> None:
    check(data.draw(queries(postgresql=True)), dialect)
    check(data.draw(mutations(postgresql=True)), dialect)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT n FROM sky.stars TABLESAMPLE SYSTEM (1)", "There is no TABLESAMPLE here."),
        ("SELECT n FROM sky.stars TABLESAMPLE (1)", "There is no TABLESAMPLE here."),
        ("SELECT n FROM sky.stars LIMIT 5", "ADQL has no LIMIT."),
        ("SELECT n FROM sky.stars FETCH FIRST 5 ROWS ONLY", "There is no FETCH here."),
        ("SELECT n FROM sky.stars FOR UPDATE", "Rows cannot be locked here."),
        ("SELECT COUNT(*) OVER () FROM sky.stars", "ADQL has no functions over windows."),
        ("SELECT COUNT(*) FILTER (WHERE n = 1) FROM sky.stars", "ADQL has no FILTER."),
        ("SELECT /* all */ n FROM sky.stars", "There are no comments by /* */ here."),
        ("SELECT\u00a0n FROM sky.stars", "The sign no-break space means nothing here."),
        ("SELECT (ra, dec) FROM sky.stars", "Values in parentheses cannot stand here together."),
        ("SELECT SQRT(*) FROM sky.stars", "* stands right after SELECT, and in COUNT(*)."),
        ("SELECT SQRT(DISTINCT n) FROM sky.stars", "DISTINCT and ALL stand in aggregates and after SELECT alone."),
        ("SELECT n FROM (SELECT n FROM sky.stars) AS x (a)", "The name of a table has no list of columns behind it."),
        ("SELECT flux + 1 FROM sky.stars", "One cannot calculate with an array."),
        ("SELECT ROUND(ra, 1.5) FROM sky.stars", "ROUND takes a whole number here, not one with decimals."),
    ],
)
def test_what_is_missing_is_called_by_its_name(query: str, message: str) -> None:
    error = refusal(query, "adql")
    assert error is not None
    assert error.message == message
    assert error.position is not None
