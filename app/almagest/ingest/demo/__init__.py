"""Real catalogues that come as Python packages, so that an archive can be tried without any file of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from almagest.catalogue import Column
from almagest.formats.block import ROWS, Array, Block, Fixed, Text, Values
from almagest.ingest.description import Description, read
from almagest.ingest.errors import IngestError

NAMES = ("gaia", "hipparcos", "openngc")

Columns = Sequence[tuple[Column, Values]]


class DemoSource:
    """A catalogue that fits in memory. path: the package's data file; read_columns: gives all of its columns."""

    def __init__(self, name: str, path: Path, read_columns: Callable[[Path], Columns]) -> None:
        self.name = name
        self.path = path
        self._data = read_columns(path)
        self.columns = tuple(column for column, _ in self._data)
        self.rows: int | None = len(self._data[0][1])

    def blocks(self) -> Iterator[Block]:
        """All rows, ROWS at a time."""
        for start in range(0, self.rows or 0, ROWS):
            yield Block(start + 1, tuple(_part(values, start, start + ROWS) for _, values in self._data))


def open_demo(name: str) -> tuple[DemoSource, Description]:
    """The demo catalogue `name` with its description. Raises IngestError when it or its package is not there."""
    if name not in NAMES:
        raise IngestError(f"there is no such demo catalogue; there are {', '.join(NAMES)}", file=f"demo:{name}")
    try:
        module = import_module(f"almagest.ingest.demo.{name}")
    except ModuleNotFoundError as error:
        raise IngestError(f"the package {error.name} is not installed", file=f"demo:{name}") from error
    source = DemoSource(f"demo:{name}", module.content(), module.columns)
    return source, read(Path(__file__).with_name(f"{name}.yaml"))


def _part(values: Values, start: int, stop: int) -> Fixed | Text:
    if isinstance(values, Array):
        raise TypeError("the demo catalogues have no arrays")
    if isinstance(values, Fixed):
        return Fixed(values.values[start:stop], values.null[start:stop])
    return values.part(start, stop)
