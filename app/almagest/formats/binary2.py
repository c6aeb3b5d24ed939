"""Rows of VOTable's BINARY2 serialisation, written by PostgreSQL (VOTable 1.4 §5.4).

A row is one bit a column that says NULL, from the left, filled up to bytes, and the values in network byte order,
which is how PostgreSQL's `…send` functions write them. Floating-point NULLs are NaN and need no bit.
"""

from __future__ import annotations

from collections.abc import Sequence

from almagest.adql.catalogue import Column
from almagest.formats.sql import elements, fixed_size, is_text, is_timestamp, text

_SEND = {
    "short": ("int2send", r"'\x0000'::bytea"),
    "int": ("int4send", r"'\x00000000'::bytea"),
    "long": ("int8send", r"'\x0000000000000000'::bytea"),
    "float": ("float4send", r"'\x7fc00000'::bytea"),
    "double": ("float8send", r"'\x7ff8000000000000'::bytea"),
}
"""Datatype → function of a value, bytes of a NULL."""

_EMPTY = r"'\x00000000'::bytea"
"""The length of an array without elements."""

_UNROLLED = 8
"""Fixed arrays up to this length are written element by element, without a subquery."""


def row_expression(columns: Sequence[Column]) -> str:
    """The bytes of a row over c1 … cn."""
    values = (_value(column, f"c{index}") for index, column in enumerate(columns, 1))
    return " || ".join([*_mask(columns), *values])


def _mask(columns: Sequence[Column]) -> list[str]:
    """SQL of each byte of the mask. The bits are only put together in rows that have a NULL: that is the dear part."""
    masks = []
    for start in range(0, len(columns), 8):
        bits = [
            (7 - offset, f"c{start + offset + 1}")
            for offset, column in enumerate(columns[start : start + 8])
            if _masked(column)
        ]
        if not bits:
            masks.append(r"'\x00'::bytea")
            continue
        added = " + ".join(f"(({name} IS NULL)::int << {bit})" for bit, name in bits)
        names = ", ".join(name for _, name in bits)
        masks.append(
            rf"CASE WHEN num_nulls({names}) = 0 THEN '\x00'::bytea ELSE substring(int4send({added}) FROM 4 FOR 1) END"
        )
    return masks


def _masked(column: Column) -> bool:
    return not (column.datatype in ("float", "double") and column.arraysize is None)


def _value(column: Column, name: str) -> str:
    if is_text(column):
        return _text(column, text(column, name))
    if column.arraysize is not None:
        return _array(column, name)
    return _scalar(column, name)


def _scalar(column: Column, name: str) -> str:
    if column.datatype == "boolean":
        return rf"CASE WHEN {name} THEN '\x54'::bytea WHEN NOT {name} THEN '\x46'::bytea ELSE '\x3f'::bytea END"
    send, missing = _SEND[column.datatype]
    return f"coalesce({send}({name}), {missing})"


def _array(column: Column, name: str) -> str:
    size = fixed_size(column)
    if size is None:
        joined = f"SELECT string_agg({_scalar(column, 'e')}, ''::bytea ORDER BY i) FROM {elements(name)}"
        return f"coalesce(int4send(cardinality({name})) || coalesce(({joined}), ''::bytea), {_EMPTY})"
    # A fixed array has its length whatever is stored, or every row after it would be read wrong.
    if size <= _UNROLLED:
        return " || ".join(_scalar(column, f"{name}[{index}]") for index in range(1, size + 1))
    element = _scalar(column, f"{name}[i]")
    return f"(SELECT string_agg({element}, ''::bytea ORDER BY i) FROM generate_series(1, {size}) AS i)"


def _text(column: Column, string: str) -> str:
    size = fixed_size(column)
    if column.datatype == "unicodeChar":
        return _unicode(string, size)
    # A timestamp is made of ASCII; any other text might not be.
    string = string if is_timestamp(column) else _ascii(string)
    if size is None:
        return f"coalesce(int4send(octet_length({string})) || textsend({string}), {_EMPTY})"
    return _padded(f"textsend({string})", size)


def _unicode(string: str, size: int | None) -> str:
    """UTF-16BE, as unicodeChar is read everywhere; PostgreSQL has no such encoding. ASCII gets its zeros in one go."""
    ascii_only = f"octet_length({string}) = length({string})"
    zeros = rf"decode(regexp_replace(encode(textsend({string}), 'hex'), '(..)', '00\1', 'g'), 'hex')"
    pair = "int4send(((55296 + ((u - 65536) >> 10)) << 16) | (56320 + ((u - 65536) & 1023)))"
    unit = f"CASE WHEN u < 65536 THEN substring(int4send(u) FROM 3) ELSE {pair} END"
    units = f"string_agg({unit}, ''::bytea ORDER BY i)"
    codes = f"(SELECT ascii(e) AS u, i FROM string_to_table({string}, NULL) WITH ORDINALITY AS t (e, i)) AS s"
    if size is not None:
        return _padded(f"CASE WHEN {ascii_only} THEN {zeros} ELSE (SELECT {units} FROM {codes}) END", 2 * size)
    # The aggregate stands twice and is made once; anything else would be made twice.
    counted = f"SELECT int4send(octet_length({units}) / 2) || {units} FROM {codes}"
    return (
        f"CASE WHEN {string} IS NULL THEN {_EMPTY} "
        f"WHEN {ascii_only} THEN int4send(length({string})) || {zeros} ELSE ({counted}) END"
    )


def _padded(encoded: str, width: int) -> str:
    """Exactly `width` bytes: an array of fixed size, cut or filled up with NUL (VOTable 1.4 §6)."""
    padding = rf"decode(repeat('00', {width}), 'hex')"
    return f"substring(coalesce({encoded}, ''::bytea) || {padding} FROM 1 FOR {width})"


def _ascii(string: str) -> str:
    """`char` is ASCII and readers stop at anything else. Text that is not must be declared unicodeChar; where it was
    not, one character that cannot be shown must not cost the table."""
    return (
        f"CASE WHEN octet_length({string}) = length({string}) THEN {string} "
        rf"ELSE regexp_replace({string}, '[^\x01-\x7f]', '?', 'g') END"
    )
