"""Parquet files, a batch of rows at a time; unit, ucd, utype and description from the fields' metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from almagest.adql.catalogue import Column, Datatype
from almagest.formats.block import ROWS, Block
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import arrow

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


class ParquetSource:
    """A Parquet file. declared: VOTable types that its description asks for, by column."""

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        try:
            with pq.ParquetFile(path) as file:
                self.rows: int | None = file.metadata.num_rows
                schema = file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise IngestError(f"is not a readable Parquet file: {error}", file=name) from error
        self.columns = tuple(_column(field, declared.get(field.name), name) for field in schema)

    def digest(self) -> str:
        """SHA-256 of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def blocks(self) -> Iterator[Block]:
        """All rows, one row group in memory at most."""
        first = 1
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=ROWS):
                    yield self._block(batch, first)
                    first += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise IngestError(f"cannot be read on: {error}", file=self.name, row=first) from error

    def _block(self, batch: pa.RecordBatch, first: int) -> Block:
        pairs = zip(batch.columns, self.columns, strict=True)
        return Block(first, tuple(arrow.values(array, column, file=self.name, first=first) for array, column in pairs))


def _column(field: pa.Field, declared: Datatype | None, file: str) -> Column:
    notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    datatype, arraysize, xtype = _type(field, file)
    if declared and arraysize is None and xtype is None:
        datatype = declared
    return Column(
        field.name,
        datatype,
        arraysize,
        xtype,
        unit=notes.get("unit") or None,
        ucd=notes.get("ucd") or None,
        utype=notes.get("utype") or None,
        description=notes.get("description", ""),
    )


def _type(field: pa.Field, file: str) -> tuple[Datatype, str | None, str | None]:
    """(datatype, arraysize, xtype) of an Arrow field."""
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "char", "*", None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "char", "*", "timestamp"
    if kind in _TYPES:
        return _TYPES[kind], None, None
    raise IngestError(
        f"has the Parquet type {field.type}, which no VOTable column can hold", file=file, column=field.name
    )
