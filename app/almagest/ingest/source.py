"""From the word on the command line to a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from almagest.catalogue import Column, Datatype
from almagest.ingest import demo
from almagest.ingest.description import Description, read
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import Source
from almagest.ingest.readers.csv import CsvSource, TsvSource
from almagest.ingest.readers.decoded import FitsSource, ParquetSource, VotableSource
from almagest.ingest.readers.hdf5 import Hdf5Source


class _Reader(Protocol):
    def __call__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> Source: ...


READERS: dict[str, _Reader] = {
    "fits": FitsSource,
    "votable": VotableSource,
    "parquet": ParquetSource,
    "hdf5": Hdf5Source,
    "csv": CsvSource,
    "tsv": TsvSource,
}

NUMBERS: tuple[Datatype, ...] = ("short", "int", "long", "float", "double")
"""From narrow to wide."""

ENDINGS = {
    ".fits": "fits",
    ".fit": "fits",
    ".fts": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".hdf": "hdf5",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".ecsv": "csv",
    ".tsv": "tsv",
    ".txt": "csv",
}


@dataclass(frozen=True)
class Files:
    """All that goes into one table: files whose columns have the same names and types, in the order of loading."""

    name: str
    parts: tuple[Source, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of every file, with what the first says of them."""
        return self.parts[0].columns

    @property
    def rows(self) -> int | None:
        """Number of rows when every file knows its own."""
        counts = [part.rows for part in self.parts]
        return None if None in counts else sum(count for count in counts if count is not None)


def open_source(word: str, format_name: str | None, metadata: Path | None, files: Path) -> tuple[Files, Description]:
    """The readers and the description that a SOURCE means.

    word: `demo:NAME`, `file:PATH` below `files`, or a path; the last name of a path may have `*`, `?` and `[…]` for
    several files, which are taken in the order of their names. The description is `metadata`, else the file beside it
    that is called the same with `.yaml` at its end (of several files: `table.yaml`), else empty. Raises IngestError.
    """
    scheme, _, rest = word.partition(":")
    if scheme == "demo":
        if metadata or format_name:
            raise IngestError("a demo catalogue brings its own format and metadata", file=word)
        source, description = demo.open_demo(rest)
        return Files(word, (source,)), description
    pattern = files / rest if scheme == "file" else Path(word)
    paths = _matching(pattern, word)
    if scheme == "file":
        _require_below(files, paths, word)
    beside = pattern.with_name("table.yaml" if paths != [pattern] else f"{pattern.name}.yaml")
    written = metadata or (beside if beside.exists() else None)
    description = read(written) if written else Description()
    names = [word.removesuffix(pattern.name) + path.name for path in paths]
    return Files(word, _open(paths, names, format_name, description.declared())), description


def _matching(pattern: Path, word: str) -> list[Path]:
    """The files that a path or pattern names, sorted."""
    if pattern.is_file():
        return [pattern]
    if not any(character in pattern.name for character in "*?["):
        raise IngestError(f"no such file{f' ({pattern})' if str(pattern) != word else ''}", file=word)
    paths = sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())
    if not paths:
        raise IngestError("no file has such a name", file=word)
    return paths


def _open(
    paths: Sequence[Path], names: Sequence[str], format_name: str | None, declared: Mapping[str, Datatype]
) -> tuple[Source, ...]:
    """The files' readers. Types that were guessed, or differ from file to file, become the narrowest that hold all."""
    reader = READERS[format_name or _format(paths[0], names[0])]
    sources = [reader(path, name, declared) for path, name in zip(paths, names, strict=True)]
    for source in sources:
        _require_alike(sources[0], source)
    common = {ours[0].name: _common(ours) for ours in zip(*(source.columns for source in sources), strict=True)}
    for number, source in enumerate(sources):
        if any(column.datatype != common[column.name] for column in source.columns):
            sources[number] = reader(paths[number], names[number], {**common, **declared})
            _require_types(sources[number], common)
    return tuple(sources)


def _require_alike(first: Source, source: Source) -> None:
    theirs, ours = ([column.name for column in one.columns] for one in (first, source))
    if theirs != ours:
        different = next((pair for pair in zip(theirs, ours, strict=False) if len(set(pair)) > 1), None)
        said = (
            f"{different[1]!r} where that has {different[0]!r}" if different else f"{len(ours)} and not {len(theirs)}"
        )
        raise IngestError(f"has other columns than {first.name}: {said}", file=source.name)


def _require_types(source: Source, common: Mapping[str, Datatype]) -> None:
    for column in source.columns:
        if column.datatype != common[column.name]:
            message = f"is {column.datatype} here, and with the other files it would be {common[column.name]}"
            raise IngestError(f"{message}; declare its datatype", file=source.name, column=column.name)


def _common(columns: Sequence[Column]) -> Datatype:
    """The narrowest type that holds the values of all."""
    kinds = {column.datatype for column in columns}
    if len(kinds) == 1:
        return columns[0].datatype
    if not kinds <= set(NUMBERS):
        return "char"
    widest = max(kinds, key=NUMBERS.index)
    return "double" if widest == "float" and kinds - {"float", "short"} else widest


def _require_below(files: Path, paths: Sequence[Path], word: str) -> None:
    if not all(path.resolve().is_relative_to(files.resolve()) for path in paths):
        raise IngestError(f"leads out of the files volume {files}", file=word)


def _format(path: Path, word: str) -> str:
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending not in ENDINGS:
        raise IngestError(f"its name does not tell the format; say --format {' or '.join(READERS)}", file=word)
    return ENDINGS[ending]
