"""Parquet files, a batch of rows at a time; unit, ucd, utype and description from the fields' metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from almagest.catalogue import Column, Datatype
from almagest.formats.block import ROWS, Block
from almagest.formats.decode.arrow import column as described
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import arrow


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
    found = described(field)
    if found is None or (found.arraysize is not None and found.datatype != "char"):
        raise IngestError(
            f"has the Parquet type {field.type}, which no VOTable column can hold", file=file, column=field.name
        )
    return replace(found, datatype=declared) if declared and found.arraysize is None else found
