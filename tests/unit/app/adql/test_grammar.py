"""Queries by grammar, and their ruins: each is translated or refused with a sentence, in both dialects."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from almagest.adql import AdqlError, translate
from support.adql_grammar import mutations, queries
from support.stars import SKY

Name = Literal["adql", "postgresql"]
DIALECTS: list[Name] = ["adql", "postgresql"]
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def check(query: str, dialect: Name) -> None:
    """The query is translated, or refused by a sentence."""
    try:
        translation = translate(query, SKY, maxrec=10, dialect=dialect)
    except AdqlError as error:
        refusal = error
    else:
        assert len({column.name for column in translation.columns}) == len(translation.columns)
        assert translation.tables <= {("sky", "stars"), ("sky", "bright")}
        return
    assert refusal.message.endswith(".")
    assert refusal.position is None or min(refusal.position) >= 1


@pytest.mark.parametrize("dialect", DIALECTS)
@FUZZ
@given(data=st.data())
def test_queries_by_grammar_are_translated_or_refused(dialect: Name, data: st.DataObject) -> None:
    check(data.draw(queries(postgresql=dialect == "postgresql")), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@FUZZ
@given(data=st.data())
def test_ruined_queries_are_translated_or_refused(dialect: Name, data: st.DataObject) -> None:
    check(data.draw(mutations(postgresql=True)), dialect)


@FUZZ
@given(queries())
def test_what_is_adql_means_the_same_in_the_dialect(query: str) -> None:
    """All but LOG, which is PostgreSQL's there."""
    try:
        sql = translate(query, SKY).sql
    except AdqlError:
        return
    assert translate(query, SKY, dialect="postgresql").sql == sql
