"""PURE. ADQL 2.1 into SQL for PostgreSQL with pgSphere: parse, analyse, generate; see docs/app/adql.md."""

from almagest.adql.catalogue import Catalogue, Column, Table
from almagest.adql.errors import (
    AdqlError,
    AdqlSyntaxError,
    AmbiguousColumn,
    Forbidden,
    NotAllowed,
    TooComplex,
    UnknownColumn,
    UnknownFunction,
    UnknownTable,
    WrongType,
)
from almagest.adql.translate import translate
from almagest.adql.translation import ResultColumn, Translation

__all__ = [
    "AdqlError",
    "AdqlSyntaxError",
    "AmbiguousColumn",
    "Catalogue",
    "Column",
    "Forbidden",
    "NotAllowed",
    "ResultColumn",
    "Table",
    "TooComplex",
    "Translation",
    "UnknownColumn",
    "UnknownFunction",
    "UnknownTable",
    "WrongType",
    "translate",
]
