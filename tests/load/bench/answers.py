"""Whether an answer is whole: the number of its rows, counted in the bytes without a library's help."""

from __future__ import annotations

import base64
import io
import re
import struct

import pyarrow.parquet as pq

from load.bench.client import Answer, BenchError

SIZES = {b"short": 2, b"int": 4, b"long": 8, b"float": 4, b"double": 8}


def rows(answer: Answer, form: str) -> int:
    """How many rows are in it. Raises BenchError for an answer that is cut, failed, or of another format."""
    counted = COUNTS[form](answer)
    if form.startswith("votable") and re.search(rb'value="(?:ERROR|OVERFLOW)"', answer.body[-2000:]):
        raise BenchError(f"{form} ends as {answer.body[-200:]!r}")
    return counted


def _lines(answer: Answer) -> int:
    return sum(chunk.count(b"\n") for chunk in answer.chunks) - 1


def _elements(answer: Answer) -> int:
    return answer.body.count(b"<TR>")


def _binary(answer: Answer) -> int:
    """Rows of fixed width in a BINARY2 stream: as many as fill its bytes, with nothing left."""
    body = answer.body
    opening = re.search(rb"<BINARY2>\s*<STREAM[^>]*>", body)
    if opening is None:
        raise BenchError(f"no BINARY2 in {body[:300]!r}")
    fields = re.findall(rb'<FIELD[^>]* datatype="(\w+)"', body[: opening.start()])
    width = sum(SIZES[datatype] for datatype in fields) + (len(fields) + 7) // 8
    data = base64.b64decode(body[opening.end() : body.index(b"</STREAM>", opening.end())])
    if len(data) % width:
        raise BenchError(f"{len(data)} bytes are not made of rows of {width}")
    return len(data) // width


def _fits(answer: Answer) -> int:
    """NAXIS2 of the table, if the file is as long as that says."""
    body = answer.body
    found = {
        name: int(value) for name, value in re.findall(rb"(NAXIS1|NAXIS2) *= *(\d+)", body[2880 : 2880 + 80 * 360])
    }
    header = body.index(b"END" + b" " * 77, 2880)
    start = header + 80 + (-(header + 80)) % 2880
    if len(body) != start + -(-found[b"NAXIS1"] * found[b"NAXIS2"] // 2880) * 2880:
        raise BenchError(f"a FITS file of {len(body)} bytes for {found}")
    return found[b"NAXIS2"]


def _parquet(answer: Answer) -> int:
    body = answer.body
    if body[:4] != b"PAR1" or body[-4:] != b"PAR1" or struct.unpack("<I", body[-8:-4])[0] > len(body):
        raise BenchError("not a whole Parquet file")
    counted: int = pq.ParquetFile(io.BytesIO(body)).metadata.num_rows
    return counted


COUNTS = {
    "csv": _lines,
    "votable/td": _elements,
    "votable/b2": _binary,
    "fits": _fits,
    "parquet": _parquet,
}
