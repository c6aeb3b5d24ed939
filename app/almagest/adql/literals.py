"""ADQL 2.1 §2.1.1: what is written out in a query, checked and written anew."""

from __future__ import annotations

import math
from dataclasses import replace

from sqlglot import exp

from almagest.adql.errors import TooComplex
from almagest.adql.parser import position
from almagest.adql.values import Kind, Value, made, string


def literal(node: exp.Expr) -> Value:
    """A string or an unsigned number."""
    text = str(node.this)
    if node.args.get("is_string"):
        result = made(string(text), Kind.TEXT, name="text", unicode=not text.isascii())
        return replace(result, literal=text)
    return _number(text, node)


def null() -> Value:
    """NULL, of a type that PostgreSQL takes from what stands beside it."""
    return made("NULL", Kind.NULL, name="null")


def truth(node: exp.Expr) -> Value:
    """TRUE or FALSE."""
    return made("TRUE" if node.this else "FALSE", Kind.BOOLEAN, name="flag")


def _number(text: str, node: exp.Expr) -> Value:
    """Digits alone are of the smallest type that holds them, as in PostgreSQL; with an exponent, float8."""
    if text[:2] in ("0x", "0X"):
        text = str(int(text, 16))
    if not any(sign in text for sign in ".eE"):
        whole = int(text)
        kind = Kind.INT if whole < 2**31 else Kind.LONG if whole < 2**63 else Kind.NUMERIC
        return replace(made(text, kind, name="number"), literal=text)
    magnitude = float(text)
    if not math.isfinite(magnitude):
        raise TooComplex(f"The number {text} is too large.", position(node))
    if magnitude == 0 and text.lower().partition("e")[0].strip("0."):
        raise TooComplex(f"The number {text} is too small.", position(node))
    if "e" in text or "E" in text:
        return replace(made(f"CAST({text} AS double precision)", Kind.DOUBLE, name="number"), literal=text)
    return replace(made(text, Kind.NUMERIC, name="number"), literal=text)
