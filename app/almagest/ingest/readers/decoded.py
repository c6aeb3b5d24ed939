"""FITS tables, Parquet files and VOTables, through the decoders that uploads use too.

What belongs to ingest alone is here: larger bounds, the file's name in errors, and the types that a description
declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa

from almagest.catalogue import Column, Datatype
from almagest.formats.block import Block, Text, Values
from almagest.formats.decode import Bounds, Decoded, DecodingError, fits, parquet, votable
from almagest.formats.decode.zipped import Unzipped, unzipped
from almagest.ingest.errors import IngestError
from almagest.ingest.readers.declared import convert, declare
from almagest.ingest.readers.units import vounit

BOUNDS = Bounds(bytes=1 << 50, rows=1 << 50, columns=1600, cell=64 << 20, row=256 << 20)
"""An operator's file may be long; what is held in memory, a value and a row, and PostgreSQL's columns have an end."""


class DecodedSource:
    """A file of one of the formats. declared: datatypes that its description asks for, by column."""

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        with self._decoded() as decoded:
            found = decoded.columns
            self.rows: int | None = decoded.rows
        if not found:
            raise IngestError("has no table", file=name)
        self.columns = tuple(declare(self._column(column), declared.get(column.name), name) for column in found)

    def blocks(self) -> Iterator[Block]:
        """All rows in order, a few MB at a time."""
        with self._decoded() as decoded:
            for block in decoded.blocks:
                pairs = zip(block.columns, self.columns, strict=True)
                yield Block(block.first, tuple(self._values(values, column, block.first) for values, column in pairs))

    @contextmanager
    def _decoded(self) -> Iterator[Decoded]:
        try:
            with self.path.open("rb") as file:
                yield self._decode(unzipped(file, BOUNDS))
        except DecodingError as error:
            raise IngestError.of(error, self.name) from error
        except OSError as error:
            raise IngestError(f"cannot be read: {error}", file=self.name) from error

    def _decode(self, file: BinaryIO) -> Decoded:
        raise NotImplementedError

    def _column(self, column: Column) -> Column:
        """What is said of a column, as the archive says it."""
        return column

    def _values(self, values: Values, column: Column, first: int) -> Values:
        return convert(values, column, self.name, first)


class FitsSource(DecodedSource):
    """The first table of a FITS file. Its units are rewritten as VOUnits; its texts have to be ASCII."""

    def _decode(self, file: BinaryIO) -> Decoded:
        return fits.decode(file, BOUNDS)

    def _column(self, column: Column) -> Column:
        return replace(column, unit=vounit(column.unit))

    def _values(self, values: Values, column: Column, first: int) -> Values:
        if isinstance(values, Text):
            foreign = np.flatnonzero((values.data > 126) | (values.data < 32))
            if len(foreign):
                row = first + values.row_of(int(foreign[0]))
                message = "has a byte outside printable ASCII, which FITS does not allow"
                raise IngestError(message, file=self.name, row=row, column=column.name)
        return super()._values(values, column, first)


class ParquetSource(DecodedSource):
    """A Parquet file."""

    def _decode(self, file: BinaryIO) -> Decoded:
        if isinstance(file, Unzipped):
            return parquet.decode(file, BOUNDS)
        # The library reads a file of its own without asking Python for each piece.
        return parquet.decode(cast("BinaryIO", pa.OSFile(str(self.path))), BOUNDS, trusted=True)


class VotableSource(DecodedSource):
    """The first table of a VOTable, in TABLEDATA, BINARY or BINARY2."""

    def _decode(self, file: BinaryIO) -> Decoded:
        return votable.decode(file, BOUNDS)
