"""The way of a query: text → tokens → tree → types and names → SQL."""

from __future__ import annotations

from sqlglot import exp

from almagest.adql import queries
from almagest.adql.dialects import DIALECTS, DialectName
from almagest.adql.errors import Forbidden, TooComplex
from almagest.adql.parser import parse, position
from almagest.adql.scope import Context, Scope, Subquery
from almagest.adql.translation import Translation
from almagest.adql.udfs import GATHERING
from almagest.catalogue import Catalogue


def translate(
    text: str,
    catalogue: Catalogue,
    *,
    maxrec: int | None = None,
    forbidden: frozenset[str] = frozenset(),
    dialect: DialectName = "adql",
) -> Translation:
    """Translate a query into SQL for PostgreSQL 17 with pgSphere 1.5.

    catalogue: the tables that the query may read. maxrec: the most rows that will be sent; the SQL asks for one more,
    which tells an answer that is cut off from one that ends there. forbidden: upper-case names of functions that the
    query may not call. dialect: ADQL 2.1, or ADQL with a part of PostgreSQL's SQL, which goes the same way through
    larger allow-lists. Raises AdqlError, whatever the text.
    """
    language = DIALECTS[dialect]
    tree = parse(text, language.parser)
    _refuse(tree, forbidden)

    def subquery(node: exp.Query, scope: Scope | None) -> Subquery:
        return queries.subquery(node, context, scope)

    context = Context(catalogue, language, subquery)
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
        sum(map(_sorts, tree.walk())),
    )


def _refuse(tree: exp.Query, forbidden: frozenset[str]) -> None:
    """Raise Forbidden at the first call of one of these functions."""
    for call in tree.find_all(exp.Anonymous) if forbidden else ():
        if isinstance(call.this, str) and call.this.upper() in forbidden:
            raise Forbidden(call.this, position(call))


_SORTING = (exp.Join, exp.SetOperation, exp.Group, exp.Order, exp.Distinct, exp.Window, exp.Select)


def _sorts(node: exp.Expr) -> bool:
    """Whether PostgreSQL may sort, hash or keep for this: aggregates sort for themselves, inner queries are hashed."""
    gathers = isinstance(node, exp.Anonymous) and node.name.upper() in GATHERING
    return gathers or isinstance(node, _SORTING)
