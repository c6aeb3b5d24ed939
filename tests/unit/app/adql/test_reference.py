"""What editors are told of the functions is told of those that there are, and of all of them."""

from __future__ import annotations

import re

import pytest

from almagest import adql
from almagest.adql.dialects import ADQL, POSTGRESQL
from almagest.adql.windows import FUNCTIONS as WINDOWS


@pytest.mark.parametrize("dialect", ["adql", "postgresql"])
def test_every_function_is_described_and_no_other(dialect: str) -> None:
    described = {function.name.upper() for function in adql.REFERENCE if function.dialect == dialect}
    known = {*ADQL.functions, *ADQL.aggregates}
    if dialect == "postgresql":
        known = {*POSTGRESQL.functions, *POSTGRESQL.aggregates, *WINDOWS} - known
    assert described == known


@pytest.mark.parametrize("function", adql.REFERENCE, ids=lambda function: function.form)
def test_a_form_has_arguments_and_a_type_and_a_sentence(function: adql.Function) -> None:
    assert re.fullmatch(r"\w+\(.*\) -> [A-Z]+", function.form)
    assert re.fullmatch(r"[A-Z0-9-].*\.", function.description, re.DOTALL)
