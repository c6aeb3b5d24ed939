"""PURE. ADQL 2.1 into SQL for PostgreSQL with pgSphere: parse, analyse, generate; see docs/app/adql.md."""

from almagest.adql.catalogue import Catalogue, Column, Table
from almagest.adql.dialects import FEATURES
from almagest.adql.errors import (
    AdqlError,
    AdqlSyntaxError,
    AmbiguousColumn,
    NotAllowed,
    TooComplex,
    UnknownColumn,
    UnknownFunction,
    UnknownTable,
    WrongType,
)
from almagest.adql.translate import translate
from almagest.adql.translation import ResultColumn, Translation
from almagest.adql.udfs import UDFS, Udf

__all__ = [
    "FEATURES",
    "UDFS",
    "AdqlError",
    "AdqlSyntaxError",
    "AmbiguousColumn",
    "Catalogue",
    "Column",
    "NotAllowed",
    "ResultColumn",
    "Table",
    "TooComplex",
    "Translation",
    "Udf",
    "UnknownColumn",
    "UnknownFunction",
    "UnknownTable",
    "WrongType",
    "translate",
]
