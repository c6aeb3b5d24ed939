"""Arrow's fields as columns, with the unit, ucd, utype and description that their metadata hold; and its texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from almagest.catalogue import Column, Datatype
from almagest.formats.block import Text

_TYPES: dict[pa.DataType, Datatype] = {
    pa.bool_(): "boolean",
    pa.int8(): "short",
    pa.uint8(): "short",
    pa.int16(): "short",
    pa.uint16(): "int",
    pa.int32(): "int",
    pa.uint32(): "long",
    pa.int64(): "long",
    pa.uint64(): "long",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
}


def column(field: pa.Field) -> Column | None:
    """The column that a field is; None for a type that no column can hold."""
    found = _type(field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
    if found is None:
        return None
    notes = {
        key.decode(errors="replace"): value.decode(errors="replace") for key, value in (field.metadata or {}).items()
    }
    return Column(
        field.name,
        *found,
        unit=notes.get("unit") or None,
        ucd=notes.get("ucd") or None,
        utype=notes.get("utype") or None,
        description=notes.get("description", ""),
    )


def _type(kind: pa.DataType) -> tuple[Datatype, str | None, str | None] | None:
    """(datatype, arraysize, xtype)."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "char", "*", None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "char", "*", "timestamp"
    if kind in _TYPES:
        return _TYPES[kind], None, None
    if pa.types.is_fixed_size_list(kind) and kind.value_type in _TYPES:
        return _TYPES[kind.value_type], str(kind.list_size), None
    if pa.types.is_list(kind) and kind.value_type in _TYPES:
        return _TYPES[kind.value_type], "*", None
    return None


def strings(array: pa.Array) -> Text:
    """Texts of an array. Raises pa.ArrowInvalid for one that is not UTF-8 or has a NUL character."""
    # An aligned copy: a slice of a batch would begin in the middle of its buffers.
    whole = pa.concat_arrays([array.cast(pa.large_string())])
    whole.validate(full=True)
    _, offsets, data = whole.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    octets = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    null = np.asarray(whole.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    found = Text(starts - starts[0], octets[starts[0] : starts[-1]], null)
    if (found.data == 0).any():
        raise pa.ArrowInvalid("a text has a NUL character")
    return found
