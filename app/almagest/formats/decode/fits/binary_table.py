"""Binary tables (FITS 4.0 §7.3): rows of one width, and a heap of what has none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from almagest.catalogue import Column, Datatype
from almagest.formats import complexes
from almagest.formats.block import DTYPES, ROWS, Array, Block, Fixed, Values, fixed, spans
from almagest.formats.decode.errors import DecodingError
from almagest.formats.decode.field import typed
from almagest.formats.decode.fits import strings
from almagest.formats.decode.fits.header import Found, Header
from almagest.formats.decode.fits.heap import Heap, Pointers
from almagest.formats.decode.fits.scaling import RowOf, Scaling, scaling, undefined
from almagest.formats.decode.gathering import Bytes, Places
from almagest.formats.decode.table import BLOCK_BYTES, Bounds, Decoded, described


@dataclass(frozen=True, slots=True)
class _Type:
    """A letter of TFORM (FITS 4.0 Table 18). bits: of an element; stored: numpy's type of a number, of which a complex
    one has two."""

    bits: int
    stored: str
    datatype: Datatype
    parts: int = 1


_TYPES: dict[str, _Type] = {
    "L": _Type(8, "u1", "boolean"),
    "X": _Type(1, "u1", "boolean"),
    "B": _Type(8, "u1", "short"),
    "I": _Type(16, ">i2", "short"),
    "J": _Type(32, ">i4", "int"),
    "K": _Type(64, ">i8", "long"),
    "A": _Type(8, "u1", "char"),
    "E": _Type(32, ">f4", "float"),
    "D": _Type(64, ">f8", "double"),
    "C": _Type(64, ">f4", "float", 2),
    "M": _Type(128, ">f8", "double", 2),
}
_POINTERS = {"P": np.dtype((">u4", 2)), "Q": np.dtype((">i8", 2))}
"""Letter → how many elements an array has, and where they are."""

_FORM = re.compile(r"([0-9]{0,9})(?:([PQ])(?=[A-Z]))?([A-Z])")
_FLAGS = np.isin(np.arange(256), list(b"TF"))


@dataclass(frozen=True, slots=True)
class _Field:
    """A column's place in a row. repeat: of its elements; pointer: P or Q, where they are in the heap, else empty;
    offset: bytes before it."""

    column: Column
    type: _Type
    repeat: int
    pointer: str
    offset: int
    scaling: Scaling

    @property
    def raw(self) -> np.dtype[Any]:
        """numpy's type of what is in a row."""
        if not self.repeat:
            return np.dtype("V0")
        if self.pointer:
            return _POINTERS[self.pointer]
        if self.type.datatype == "char":
            return np.dtype(("S", self.repeat))
        if self.type.datatype == "boolean":
            return np.dtype(("u1", (-(-self.repeat * self.type.bits // 8),)))
        return np.dtype((self.type.stored, (self.repeat * self.type.parts,)))

    @property
    def claimed(self) -> int:
        """Bytes of a row in memory, where a bit takes a whole one."""
        return max(self.raw.itemsize, 0 if self.pointer else self.repeat)

    def even(self, raw: NDArray[Any], first: int) -> Values:
        """Values that stand in the rows. raw: of shape (rows, elements), or strings; first: number of the first row."""
        if not self.repeat:
            return _nothing(self.column, len(raw))
        if self.type.datatype == "char":
            return strings.even(self.column, raw, first)
        if self.type.bits == 1:
            elements = _bits(np.unpackbits(raw, axis=1, count=self.repeat))
        else:
            width = raw.shape[1]
            elements = self._elements(raw.reshape(-1), lambda index: first + index // width)
        if self.column.arraysize is None:
            return fixed(elements.values, elements.null)
        offsets = np.arange(len(raw) + 1, dtype=np.int64) * (len(elements) // max(1, len(raw)))
        return Array(offsets, elements, np.zeros(len(raw), dtype=bool))

    def ragged(self, octets: Bytes, pointers: Pointers, first: int) -> Values:
        """Values from the heap, end to end."""
        if self.type.datatype == "char":
            return strings.ragged(self.column, octets, pointers.counts, first)
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(pointers.counts * self.type.parts)])
        if self.type.bits == 1:
            elements = _ragged_bits(octets, pointers)
        elif self.type.datatype == "boolean":
            elements = self._elements(octets, lambda index: index)
        else:
            stored = np.frombuffer(octets.tobytes(), self.type.stored)
            elements = self._elements(
                stored, lambda index: first + int(np.searchsorted(offsets, index, side="right")) - 1
            )
        return Array(offsets, elements, pointers.counts == 0)

    def _elements(self, stored: NDArray[Any], row_of: RowOf) -> Fixed:
        if self.type.datatype == "boolean":
            return Fixed(stored == ord("T"), ~_FLAGS[stored])
        return Fixed(*self.scaling.values(stored, row_of))


def decode(file: BinaryIO, found: Found, bounds: Bounds) -> Decoded:
    """The table that begins here. Raises DecodingError, also while the blocks are taken."""
    header = found.header
    fields = _fields(header, bounds)
    rows, width = header.whole("NAXIS2"), header.whole("NAXIS1")
    bounds.check_rows(rows)
    needed = sum(field.raw.itemsize for field in fields)
    if width != needed:
        raise DecodingError(f"NAXIS1 is {width}, but the columns take {needed} bytes")
    claimed = sum(field.claimed for field in fields)
    bounds.check_row(claimed)
    columns = described([field.column for field in fields])
    fields = [replace(field, column=column) for field, column in zip(fields, columns, strict=True)]
    heap = Heap(file, *found.heap)
    blocks = _Rows(file, found.start, fields, rows, claimed, heap, bounds).blocks()
    return Decoded(columns, blocks, rows=rows)


class _Rows:
    """The rows of a table, a few MB at a time. claimed: bytes of one in memory, without its arrays in the heap."""

    def __init__(
        self,
        file: BinaryIO,
        start: int,
        fields: Sequence[_Field],
        rows: int,
        claimed: int,
        heap: Heap,
        bounds: Bounds,
    ) -> None:
        self._file = file
        self._start = start
        self._fields = fields
        self._rows = rows
        self._claimed = claimed
        self._heap = heap
        self._bounds = bounds
        self._pointing = [number for number, field in enumerate(fields) if field.pointer and field.repeat]
        self._raw = np.dtype(
            {
                "names": [f"f{number}" for number in range(len(fields))],
                "formats": [field.raw for field in fields],
                "offsets": [field.offset for field in fields],
                "itemsize": sum(field.raw.itemsize for field in fields),
            }
        )
        self._followed = 0

    def blocks(self) -> Iterator[Block]:
        """All rows in order."""
        most = max(1, min(ROWS, BLOCK_BYTES // max(1, self._claimed)))
        for done in range(0, self._rows, most):
            raw = self._read(done, min(most, self._rows - done))
            pointers = [self._pointers(number, raw, done + 1) for number in self._pointing]
            if not pointers:
                yield self._block(raw, [], done + 1)
                continue
            for start, stop in spans(self._sizes(pointers, done + 1), BLOCK_BYTES):
                parts = [each.part(start, stop) for each in pointers]
                yield self._block(raw[start:stop], parts, done + start + 1)

    def _read(self, done: int, wanted: int) -> NDArray[Any]:
        if self._pointing:
            self._file.seek(self._start + done * self._raw.itemsize)
        data = self._file.read(wanted * self._raw.itemsize)
        found = len(data) // max(1, self._raw.itemsize)
        if found < wanted and self._raw.itemsize:
            message = f"the file ends here, though its header says {self._rows:,} rows"
            raise DecodingError(message, row=done + found + 1)
        return np.frombuffer(data, self._raw) if self._raw.itemsize else np.zeros(wanted, self._raw)

    def _pointers(self, number: int, raw: NDArray[Any], first: int) -> Pointers:
        field = self._fields[number]
        counts, places = raw[f"f{number}"].astype(np.int64).T
        return self._heap.pointers(field.column.name, counts, places, field.type.bits, self._bounds, first)

    def _sizes(self, pointers: Sequence[Pointers], first: int) -> Places:
        """Bytes of each row with its arrays. Raises TooMuchError when one, or all rows up to here, have too many."""
        followed = np.zeros(len(pointers[0].sizes), dtype=np.int64)
        for each in pointers:
            followed += np.maximum(each.sizes, each.counts)
        sizes: Places = followed + self._claimed
        self._bounds.check_row(int(sizes.max(initial=0)), first + int(sizes.argmax()))
        self._followed += int(np.sum(followed))
        self._bounds.check_bytes(self._followed)
        return sizes

    def _block(self, raw: NDArray[Any], pointers: Sequence[Pointers], first: int) -> Block:
        octets = dict(zip(self._pointing, zip(self._heap.read(pointers, first), pointers, strict=True), strict=True))
        columns: list[Values] = []
        for number, field in enumerate(self._fields):
            if number in octets:
                columns.append(field.ragged(*octets[number], first))
            else:
                columns.append(field.even(raw[f"f{number}"], first))
        return Block(first, tuple(columns))


def _fields(header: Header, bounds: Bounds) -> list[_Field]:
    fields: list[_Field] = []
    offset = 0
    for index in range(1, header.whole("TFIELDS") + 1):
        fields.append(_field(header, index, offset, bounds))
        offset += fields[-1].raw.itemsize
    return fields


def _field(header: Header, index: int, offset: int, bounds: Bounds) -> _Field:
    shown = header.shown(index)
    written = header.text(f"TFORM{index}")
    form = _FORM.match(written)
    kind = _TYPES.get(form[3]) if form else None
    if form is None or kind is None:
        message = f"has TFORM {written[:20]!r}; {', '.join(_TYPES)} can be read, and P and Q of them"
        raise DecodingError(message, column=shown)
    repeat, pointer = int(form[1] or 1), form[2] or ""
    if pointer and repeat > 1:
        raise DecodingError(f"has TFORM {written[:20]!r}; of {pointer} there is one, or none", column=shown)
    bounds.check_cell(repeat * max(1, kind.bits // 8), shown)
    if kind.datatype in ("char", "boolean") or kind.parts > 1:
        scale = Scaling(shown, kind.datatype)
    else:
        limits = np.iinfo(kind.stored) if np.dtype(kind.stored).kind in "iu" else None
        stored = (limits.min, limits.max) if limits else None
        scale = scaling(header, index, kind.datatype, stored, undefined(header, index) if stored else None)
    size = "*" if pointer or not repeat or kind.datatype == "char" else None if repeat == 1 else str(repeat)
    column = header.column(index, scale.datatype, size)
    if kind.parts > 1:
        column = replace(column, arraysize=complexes.paired(size), xtype=complexes.XTYPE)
    else:
        column = typed(column, header.text(f"TXTYP{index}"), None if size == "*" else repeat)
    return _Field(column, kind, repeat, pointer, offset, replace(scale, datatype=column.datatype))


def _nothing(column: Column, rows: int) -> Values:
    """Arrays and texts of no element, which are null."""
    if column.datatype in ("char", "unicodeChar"):
        return strings.nothing(rows)
    elements = np.empty(0, DTYPES[column.datatype])
    return Array(np.zeros(rows + 1, np.int64), Fixed(elements, np.empty(0, bool)), np.ones(rows, bool))


def _bits(unpacked: NDArray[np.uint8]) -> Fixed:
    flags = unpacked.reshape(-1).view(bool)
    return Fixed(flags, np.zeros(len(flags), dtype=bool))


def _ragged_bits(octets: Bytes, pointers: Pointers) -> Fixed:
    """Bits from the left of each array's bytes, of which the last is filled up."""
    ends = np.cumsum(pointers.sizes).tolist()
    parts = zip([0, *ends], ends, pointers.counts.tolist(), strict=False)
    unpacked = [np.unpackbits(octets[start:end], count=count) for start, end, count in parts]
    return _bits(np.concatenate(unpacked) if unpacked else np.empty(0, np.uint8))
