"""The languages that are understood: ADQL 2.1, and a part of PostgreSQL's SQL that goes the same way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from sqlglot import exp

from almagest.adql import arrays, conditions, expressions, functions, geometry, postgresql, udfs, windows
from almagest.adql.functions import as_number
from almagest.adql.parser import AdqlParser
from almagest.adql.postgresql_parser import PostgresqlParser
from almagest.adql.scope import Dialect

DialectName = Literal["adql", "postgresql"]

_TRUTHS = {**functions.TRUTHS, **udfs.TRUTHS}
_FUNCTIONS = {
    **functions.FUNCTIONS,
    **{name: as_number(name, builder) for name, builder in functions.TRUTHS.items()},
    **udfs.FUNCTIONS,
}

_COPIES = {**geometry.COPIES, **udfs.COPIES}

ADQL = Dialect(
    "ADQL",
    parser=AdqlParser,
    values=expressions.VALUES,
    conditions=conditions.CONDITIONS,
    functions=_FUNCTIONS,
    truths=_TRUTHS,
    aggregates={**functions.AGGREGATES, **udfs.AGGREGATES},
    types=expressions.TYPES,
    copies=_COPIES,
)

POSTGRESQL = Dialect(
    "PostgreSQL",
    parser=PostgresqlParser,
    values={
        **expressions.VALUES,
        exp.Array: arrays.array,
        exp.Bracket: arrays.element,
        exp.Filter: windows.filtered,
        exp.Mod: postgresql.remainder,
        exp.Pow: postgresql.power,
        exp.Window: windows.window,
    },
    conditions=conditions.CONDITIONS,
    functions={**_FUNCTIONS, **postgresql.FUNCTIONS},
    truths=_TRUTHS,
    aggregates={**functions.AGGREGATES, **udfs.AGGREGATES, **postgresql.AGGREGATES},
    types={**expressions.TYPES, **postgresql.TYPES},
    copies=_COPIES,
    conditions_are_values=True,
    inner_with=True,
)

DIALECTS: Mapping[DialectName, Dialect] = MappingProxyType({"adql": ADQL, "postgresql": POSTGRESQL})

FEATURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "features-adqlgeo": (
            "AREA", "BOX", "CENTROID", "CIRCLE", "CONTAINS", "COORD1", "COORD2", "COORDSYS", "DISTANCE", "INTERSECTS",
            "POINT", "POLYGON", "REGION",
        ),
        "features-adql-string": ("LOWER", "UPPER", "ILIKE"),
        "features-adql-common-table": ("WITH",),
        "features-adql-sets": ("UNION", "EXCEPT", "INTERSECT"),
        "features-adql-type": ("CAST",),
        "features-adql-conditional": ("COALESCE",),
        "features-adql-unit": ("IN_UNIT",),
        "features-adql-offset": ("OFFSET",),
    }
)  # fmt: skip
"""ADQL 2.1's optional features that exist here: forms by the fragment of TAPRegExt's identifier. Whoever declares them
chooses the identifier's letter case: clients compare it."""
