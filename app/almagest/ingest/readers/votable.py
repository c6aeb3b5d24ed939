"""VOTables, through the decoder that uploads use too: the first table, in TABLEDATA, BINARY or BINARY2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from almagest.catalogue import Datatype
from almagest.formats.block import Block
from almagest.formats.decode import Bounds, DecodingError, votable
from almagest.ingest.errors import IngestError

BOUNDS = Bounds(bytes=1 << 50, rows=1 << 50, columns=1600, cell=64 << 20, row=256 << 20)
"""An operator's file may be long; what is held in memory, a value and a row, and PostgreSQL's columns have an end."""


class VotableSource:
    """A VOTable. declared: must agree with what the file says, which types all of its columns."""

    rows: int | None = None

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        try:
            with path.open("rb") as file:
                self.columns = votable.decode(file, BOUNDS).columns
        except DecodingError as error:
            raise self._unreadable(error) from error
        if not self.columns:
            raise IngestError("has no table", file=name)
        for column in self.columns:
            wanted = declared.get(column.name, column.datatype)
            if wanted != column.datatype:
                message = f"is {column.datatype} in the file and cannot be loaded as {wanted}"
                raise IngestError(message, file=name, column=column.name)

    def blocks(self) -> Iterator[Block]:
        """All rows, as they come."""
        try:
            with self.path.open("rb") as file:
                yield from votable.decode(file, BOUNDS).blocks
        except DecodingError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: DecodingError) -> IngestError:
        return IngestError(error.message, file=self.name, row=error.row, column=error.column)
