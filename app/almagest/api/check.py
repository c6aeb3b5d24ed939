"""`/api/v1/check`: whether a query is one, and what is to be expected of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from almagest.api.authentication import asker
from almagest.api.columns import Column, column
from almagest.api.face import Fix, Position, Route, Sent, Told, body, operation
from almagest.dali.problem import where
from almagest.query import limits
from almagest.query.answers.check import Checked
from almagest.query.answers.check import check as checked
from almagest.query.errors import QueryError


class Query(Sent):
    """A query to look at."""

    query: Annotated[str, Field(max_length=limits.QUERY_CHARACTERS)]
    language: Annotated[str, Field(max_length=20)] = "ADQL"
    maxrec: Annotated[int | None, Field(ge=0)] = None


class QueryProblem(Told):
    """Why a query is not answered: a sentence; the place, and what was likely meant, where they are known."""

    detail: str
    position: Position | None = None
    fix: Fix | None = None


class Plan(Told):
    """What the database expects. rows: of the result; cost: in PostgreSQL's unit; indexed: whether no large table is
    read whole; seconds: a rough guess; queue: in which a job would surely end; sentence: this in words; advice: how to
    make it cheaper."""

    rows: int
    cost: float
    indexed: bool
    seconds: float
    queue: str
    sentence: str
    advice: list[str]


class Check(Told):
    """What is known of a query. tables: that it reads; plan: null without one, and where nobody could make it now."""

    valid: bool
    problem: QueryProblem | None
    columns: list[Column]
    tables: list[str]
    plan: Plan | None


class CheckRoute(Route):
    """`/check`."""

    @operation("check", sent=Query, answers={200: Check}, tag="queries")
    def post(self, request: Request) -> Response:
        """Check and plan a query without running it. A query that is wrong is an answer, not an error."""
        asked = body(request, Query)
        if not asked.query.strip():
            return Response(_none("the query is empty; begin with SELECT"))
        named = {"LANG": asked.language, "QUERY": asked.query}
        if asked.maxrec is not None:
            named["MAXREC"] = str(asked.maxrec)
        return Response(_check(checked(asker(request), named)))


def _none(detail: str) -> Check:
    return Check(valid=False, problem=QueryProblem(detail=detail), columns=[], tables=[], plan=None)


def _check(known: Checked) -> Check:
    plan = known.plan
    return Check(
        valid=known.error is None,
        problem=None if known.error is None else _problem(known.error),
        columns=list(map(column, known.columns)),
        tables=list(known.tables),
        plan=plan
        and Plan(
            rows=plan.rows,
            cost=plan.cost,
            indexed=plan.indexed,
            seconds=plan.seconds,
            queue=plan.queue,
            sentence=plan.sentence,
            advice=list(plan.advice),
        ),
    )


def _problem(error: QueryError) -> QueryProblem:
    return QueryProblem(**{"detail": str(error), **where(error)})
