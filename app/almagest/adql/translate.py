"""The way of a query: text → tokens → tree → types and names → SQL."""

from __future__ import annotations

from sqlglot import exp

from almagest.adql import queries
from almagest.adql.catalogue import Catalogue
from almagest.adql.errors import TooComplex
from almagest.adql.parser import parse
from almagest.adql.scope import Context, Scope, Subquery
from almagest.adql.translation import Translation


def translate(text: str, catalogue: Catalogue, *, maxrec: int | None = None) -> Translation:
    """Translate an ADQL 2.1 query into SQL for PostgreSQL 17 with pgSphere 1.5.

    catalogue: the tables that the query may read. maxrec: the most rows that will be sent; the SQL asks for one more,
    which tells an answer that is cut off from one that ends there. Raises AdqlError, whatever the text.
    """
    tree = parse(text)

    def subquery(node: exp.Query, scope: Scope | None) -> Subquery:
        return queries.subquery(node, context, scope)

    context = Context(catalogue, subquery)
    try:
        final = queries.final(tree, context, maxrec)
    except RecursionError:
        raise TooComplex("The query is nested too deep.", hint="Take parts of it out with WITH.") from None
    return Translation(
        final.sql,
        tuple(value.column for value in final.columns),
        frozenset(context.tables),
        final.top,
        final.limit,
    )
