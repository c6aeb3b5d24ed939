"""CSV, TSV and ECSV files, also gzipped, through the decoder that uploads use too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from almagest.catalogue import Datatype
from almagest.formats.block import Block
from almagest.formats.decode import DecodingError, separated
from almagest.formats.decode.zipped import unzipped
from almagest.ingest.errors import IngestError
from almagest.ingest.readers.decoded import BOUNDS


class CsvSource:
    """A file of values with a header line. declared: VOTable types that its description asks for, by column."""

    tabs_only = False

    def __init__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> None:
        self.path = path
        self.name = name
        with self._opened() as file:
            self._table = separated.opened(file, BOUNDS, declared, tabs_only=self.tabs_only)
        self.columns = self._table.columns
        self.rows: int | None = self._table.rows
        self._check_names()

    def blocks(self) -> Iterator[Block]:
        """All rows, a few MB of the file at a time."""
        with self._opened() as file:
            yield from self._table.blocks(file)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with self.path.open("rb") as file:
                yield unzipped(file, BOUNDS)
        except DecodingError as error:
            raise IngestError.of(error, self.name) from error

    def _check_names(self) -> None:
        """Columns are described by their names, so that each needs one of its own."""
        names = self._table.names
        for number, column in enumerate(names, start=1):
            if not column:
                raise IngestError(f"the header names no column at place {number}", file=self.name)
            if names.count(column) > 1:
                raise IngestError("the header has this name twice", file=self.name, column=column)


class TsvSource(CsvSource):
    """IANA's text/tab-separated-values, which has no quotes."""

    tabs_only = True
