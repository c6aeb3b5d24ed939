"""Parquet and Arrow's stream: columns of PostgreSQL's bytes, wrapped without looking at a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from almagest.adql.catalogue import Column
from almagest.formats.about import About
from almagest.formats.format import Copy, Rows, Streamed
from almagest.formats.layout import Layout


class _Columnar(Streamed):
    def copy(self, columns: Sequence[Column]) -> Copy:
        """Values."""
        return Copy(Layout(columns, columnar=True).expressions())


@dataclass(frozen=True)
class Arrow(_Columnar):
    """Arrow's IPC stream (Arrow columnar format 1.5): a schema with the columns' metadata, and record batches."""

    media_type: str = "application/vnd.apache.arrow.stream"
    extension: str = "arrows"

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """See `arrow.stream`."""
        from almagest.formats import arrow  # noqa: PLC0415 - pyarrow takes 40 MB, of those only who write with it

        return arrow.stream(columns, about, rows)


@dataclass(frozen=True)
class Parquet(_Columnar):
    """Parquet, snappy inside, with the VOTable's header as "VOParquet" 1.0 keeps it. It has an end only if whole."""

    media_type: str = "application/vnd.apache.parquet"
    extension: str = "parquet"

    def document(self, columns: Sequence[Column], about: About, rows: Rows) -> Iterator[bytes]:
        """See `arrow.parquet`."""
        from almagest.formats import arrow  # noqa: PLC0415 - pyarrow takes 40 MB, of those only who write with it

        return arrow.parquet(columns, about, rows)
