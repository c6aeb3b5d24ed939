"""From the word on the command line to a reader."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from almagest.adql.catalogue import Datatype
from almagest.ingest import demo
from almagest.ingest.description import Description, read
from almagest.ingest.errors import IngestError
from almagest.ingest.readers import Source
from almagest.ingest.readers.csv import CsvSource
from almagest.ingest.readers.fits import FitsSource
from almagest.ingest.readers.parquet import ParquetSource


class _Reader(Protocol):
    def __call__(self, path: Path, name: str, declared: Mapping[str, Datatype]) -> Source: ...


READERS: dict[str, _Reader] = {"fits": FitsSource, "parquet": ParquetSource, "csv": CsvSource}

ENDINGS = {
    ".fits": "fits",
    ".fit": "fits",
    ".fts": "fits",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
}


def open_source(word: str, format_name: str | None, metadata: Path | None, files: Path) -> tuple[Source, Description]:
    """The reader and the description that a SOURCE means.

    word: `demo:NAME`, `file:PATH` below `files`, or a path. A file's description is `metadata`, else the file beside
    it that is called the same with `.yaml` at its end, else empty. Raises IngestError.
    """
    scheme, _, rest = word.partition(":")
    if scheme == "demo":
        if metadata or format_name:
            raise IngestError("a demo catalogue brings its own format and metadata", file=word)
        return demo.open_demo(rest)
    path = _below(files, rest, word) if scheme == "file" else Path(word)
    if not path.is_file():
        raise IngestError(f"no such file{f' ({path})' if str(path) != word else ''}", file=word)
    beside = path.with_name(f"{path.name}.yaml")
    written = metadata or (beside if beside.exists() else None)
    description = read(written) if written else Description()
    reader = READERS[format_name or _format(path, word)]
    return reader(path, word, description.declared()), description


def _below(files: Path, name: str, word: str) -> Path:
    path = (files / name).resolve()
    if not path.is_relative_to(files.resolve()):
        raise IngestError(f"leads out of the files volume {files}", file=word)
    return path


def _format(path: Path, word: str) -> str:
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending not in ENDINGS:
        raise IngestError(f"its name does not tell the format; say --format {' or '.join(READERS)}", file=word)
    return ENDINGS[ending]
