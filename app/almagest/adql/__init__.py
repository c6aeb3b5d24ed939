"""PURE. ADQL 2.1 into SQL for PostgreSQL with pgSphere: parse, analyse, generate; see docs/app/adql.md."""

from almagest.adql.dialects import FEATURES, DialectName
from almagest.adql.errors import (
    AdqlError,
    AdqlSyntaxError,
    AmbiguousColumn,
    Forbidden,
    NotAllowed,
    Position,
    TooComplex,
    UnknownColumn,
    UnknownFunction,
    UnknownTable,
    WrongType,
)
from almagest.adql.lexer import MAX_BYTES, rest_of_line
from almagest.adql.reference import REFERENCE, Function
from almagest.adql.translate import translate
from almagest.adql.translation import ResultColumn, Translation
from almagest.adql.udfs import UDFS, Udf

__all__ = [
    "FEATURES",
    "MAX_BYTES",
    "REFERENCE",
    "UDFS",
    "AdqlError",
    "AdqlSyntaxError",
    "AmbiguousColumn",
    "DialectName",
    "Forbidden",
    "Function",
    "NotAllowed",
    "Position",
    "ResultColumn",
    "TooComplex",
    "Translation",
    "Udf",
    "UnknownColumn",
    "UnknownFunction",
    "UnknownTable",
    "WrongType",
    "rest_of_line",
    "translate",
]
