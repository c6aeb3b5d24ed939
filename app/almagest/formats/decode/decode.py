"""Which decoder a file needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from almagest.formats.decode import fits, parquet, separated, shapes, votable
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.table import Bounds, Decoded
from almagest.formats.decode.zipped import unzipped

Decoder = Callable[[BinaryIO, Bounds], Decoded]

_BY_TYPE: dict[str, Decoder] = {
    "application/x-votable+xml": votable.decode,
    "application/fits": fits.decode,
    "image/fits": fits.decode,
    "application/vnd.apache.parquet": parquet.decode,
    "application/x-parquet": parquet.decode,
    "text/csv": separated.decode,
    "text/tab-separated-values": separated.decode_tabs,
    "application/x-ecsv": separated.decode,
    "text/x-ecsv": separated.decode,
}
_BY_MAGIC: tuple[tuple[bytes, Decoder], ...] = (
    (b"SIMPLE  =", fits.decode),
    (b"PAR1", parquet.decode),
    (b"\xef\xbb\xbf<", votable.decode),
    (b"\xff\xfe<\x00", votable.decode),
    (b"\xfe\xff\x00<", votable.decode),
    (b"<", votable.decode),
)


def decode(file: BinaryIO, media_type: str, bounds: Bounds) -> Decoded:
    """The table of a file: a VOTable, FITS, Parquet, CSV, TSV or ECSV, also gzipped.

    file: seekable, read from its beginning; media_type: what its sender calls it, which counts only where it is one of
    a table, because clients also send nothing, `None` and `application/octet-stream`. Raises DecodingError.
    """
    known = _BY_TYPE.get(media_type.partition(";")[0].strip().lower())
    file = unzipped(file, bounds)
    opening = file.read(512)
    file.seek(0)
    decoder = known or _recognised(opening)
    return shapes.checked(decoder(file, bounds))


def _recognised(opening: bytes) -> Decoder:
    if not opening:
        raise DecodingError("the file is empty")
    found = next((decoder for magic, decoder in _BY_MAGIC if opening.lstrip(b" \t\r\n").startswith(magic)), None)
    if found is None and b"\0" in opening:
        raise DecodingError("the file is none of VOTable, FITS, Parquet and CSV")
    return found or separated.decode
