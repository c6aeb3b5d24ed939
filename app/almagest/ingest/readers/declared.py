"""The datatypes that a description declares for the numbers of a file that has types of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column, Datatype
from almagest.formats.block import DTYPES, Array, Fixed, Mask, Text, Values
from almagest.ingest.errors import IngestError


def declare(column: Column, wanted: Datatype | None, file: str) -> Column:
    """The column with the datatype that was declared. Raises IngestError where its values cannot be of that."""
    if wanted is None or wanted == column.datatype or {wanted, column.datatype} == {"char", "unicodeChar"}:
        return column
    if not _is_number(wanted) or not _is_number(column.datatype):
        message = f"is {column.datatype} in the file and cannot be loaded as {wanted}"
        raise IngestError(message, file=file, column=column.name)
    return replace(column, datatype=wanted)


def convert(values: Values, column: Column, file: str, first: int) -> Values:
    """The values as the column has them. first: number of the first row. Raises IngestError with the row of one that
    is not the same number as the column's type; only digits that a float has not are left out."""
    if isinstance(values, Text) or column.xtype == "timestamp":
        return values
    elements = values.elements if isinstance(values, Array) else values
    dtype = DTYPES[column.datatype]
    if elements.values.dtype.newbyteorder("=") == dtype:
        return values
    wrong = ~elements.null & _changed(elements.values, dtype)
    if wrong.any():
        index = int(np.argmax(wrong))
        row = int(np.searchsorted(values.offsets, index, side="right")) - 1 if isinstance(values, Array) else index
        message = f"{elements.values[index]} is no {column.datatype}"
        raise IngestError(message, file=file, row=first + row, column=column.name)
    with np.errstate(invalid="ignore"):
        converted = Fixed(np.where(elements.null, 0, elements.values).astype(dtype), elements.null)
    return Array(values.offsets, converted, values.null) if isinstance(values, Array) else converted


def _is_number(datatype: Datatype) -> bool:
    return datatype in DTYPES and DTYPES[datatype].kind in "if"


def _changed(numbers: NDArray[Any], dtype: np.dtype[Any]) -> Mask:
    """Which numbers are others in this type."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            changed: Mask = np.isinf(numbers.astype(dtype)) & ~np.isinf(numbers)
        return changed
    limits = np.iinfo(dtype)
    # The greatest long is no double, but one more is.
    beyond = (numbers < limits.min) | (numbers >= limits.max + 1)
    return beyond | (numbers != np.trunc(numbers)) if numbers.dtype.kind == "f" else beyond
