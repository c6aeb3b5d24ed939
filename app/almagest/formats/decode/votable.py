"""VOTable 1.0 to 1.5: the first TABLE of a document, in TABLEDATA, BINARY or BINARY2, read as it comes.

    with path.open("rb") as file:
        table = votable.decode(file, Bounds(bytes=…, rows=…, columns=…, cell=…, row=…))
        table.columns                   # names, units, UCDs, descriptions
        for block in table.blocks: …    # once; open the file again for another pass

The document is taken literally. A DOCTYPE that names a DTD elsewhere, as VOTable 1.0 wants it, is cut out and nothing
is fetched; one that declares something itself is refused, and with it every entity. Refused is also whatever would have
to be fetched (STREAM/@href) or is another format inside (FITS, PARQUET). `nrows` and widths are claims and not read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Protocol
from xml.parsers import expat

from almagest.formats.block import ROWS, Block
from almagest.formats.decode import cells
from almagest.formats.decode.binary import BinaryRows
from almagest.formats.decode.errors import DecodingError, TooMuchError
from almagest.formats.decode.field import DESCRIPTION_CHARACTERS, Draft, Field, fields
from almagest.formats.decode.stream import Base64, Gunzip
from almagest.formats.decode.table import BLOCK_BYTES, CHUNK, Bounds, Decoded

DEPTH = 32
"""Elements inside one another: RESOURCEs may be nested, but nobody nests them so deep."""

_ENCODINGS = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "US-ASCII"})
"""What the parser knows itself."""

_SINGLE_BYTE = re.compile(r"ascii|iso8859-\d{1,2}|cp125\d|koi8-[rtu]")
"""Python's names of those that it knows well enough to tell the parser every character."""

_CHARACTERS = {"ascii": 1, "utf-16-le": 2, "utf-16-be": 2}
"""Encodings of what a prologue is made of, with the bytes of a character."""

TOKEN_BYTES = 1 << 20
"""Length of one tag; the parser keeps a tag until it is complete."""


def decode(file: BinaryIO, bounds: Bounds) -> Decoded:
    """The first table of a VOTable. file: read from where it is, never sought.

    Raises DecodingError, TooMuchError among it, also while the blocks are taken.
    """
    document = _Document(bounds)
    while document.rows is None and not document.done:
        document.read(file)
    return Decoded(tuple(field.column for field in document.fields), _blocks(document, file), document.description)


def _blocks(document: _Document, file: BinaryIO) -> Iterator[Block]:
    if document.rows is None:
        return
    yield from document.rows.take()
    while not document.done:
        document.read(file)
        yield from document.rows.take()
    yield from document.rows.finish()


class _Rows(Protocol):
    """Where the parser puts what stands inside DATA until it is taken out as blocks."""

    def take(self) -> Iterator[Block]:
        """The blocks that are complete."""

    def finish(self) -> Iterator[Block]:
        """The rest. Raises DecodingError when something is missing."""


class _DoctypeEnd(Exception):
    """A DOCTYPE that declares nothing itself ends at this byte of the file."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


class _Document:
    """What the parser has seen. rows: of the first table, once they begin; done: nothing more is of interest."""

    def __init__(self, bounds: Bounds) -> None:
        self.fields: tuple[Field, ...] = ()
        self.description = ""
        self.rows: _Rows | None = None
        self.done = False
        self._bounds = bounds
        self._path: list[str] = []
        self._drafts: list[Draft] = []
        self._text: list[str] | None = None
        self._fed = 0
        self._cut = False
        self._begin()

    def read(self, file: BinaryIO) -> None:
        """Parse one chunk. Raises DecodingError also at the end of a file that should go on."""
        chunk = file.read(CHUNK)
        self._fed += len(chunk)
        self._bounds.check_bytes(self._fed)
        try:
            self._parse(chunk)
        except expat.ExpatError as error:
            raise DecodingError(f"the file is not well-formed XML: {error}") from error
        if not chunk and not self.done:
            raise DecodingError("the document has no TABLE")
        if self._fed - self._parser.CurrentByteIndex > TOKEN_BYTES:
            raise TooMuchError(f"a tag is longer than {TOKEN_BYTES:,} bytes")

    def _begin(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = CHUNK
        self._parser.XmlDeclHandler = _check_encoding
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._listen()

    def _doctype(self, _: str, __: str | None, ___: str | None, declares: int) -> None:
        if declares:
            raise DecodingError("the DOCTYPE declares something itself; entities are not read, so send it without")
        if self._fed > CHUNK or self._cut:
            raise DecodingError(f"the DOCTYPE is not the only one, or not in the first {CHUNK:,} bytes")
        raise _DoctypeEnd(self._parser.CurrentByteIndex)

    def _parse(self, chunk: bytes) -> None:
        """Parse a chunk, without a DOCTYPE: the parser would drop every entity that an unread DTD might declare."""
        try:
            self._parser.Parse(chunk, not chunk)
        except _DoctypeEnd as found:
            begin, end = _doctype_in(chunk[: found.place])
            self._cut = True
            self._begin()
            self._parser.Parse(chunk[:begin] + chunk[end:], False)

    def _listen(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def _start(self, written: str, attributes: Mapping[str, str]) -> None:
        name = written.rpartition(":")[2]
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if self.done:
            return
        if len(self._path) > DEPTH:
            raise TooMuchError(f"elements are nested more than {DEPTH} deep")
        begin = self._BEGIN.get((parent, name))
        if begin:
            begin(self, written, attributes)

    def _end(self, _: str) -> None:
        name = self._path.pop()
        if name == "TABLE" and not self.done:
            if self.rows is None:
                self._close()
            self.done = True
        elif name == "STREAM":
            self._parser.CharacterDataHandler = self._characters
        elif name == "DESCRIPTION" and self._text is not None:
            self._describe("".join(self._text))
            self._text = None

    def _characters(self, data: str) -> None:
        if self._text is not None and sum(map(len, self._text)) < DESCRIPTION_CHARACTERS:
            self._text.append(data[:DESCRIPTION_CHARACTERS])

    def _describe(self, text: str) -> None:
        if self._path[-1] == "FIELD":
            self._drafts[-1].description = text
        else:
            self.description = " ".join(text.split())[:DESCRIPTION_CHARACTERS]

    def _begin_field(self, _: str, attributes: Mapping[str, str]) -> None:
        self._bounds.check_columns(len(self._drafts) + 1)
        self._drafts.append(Draft(dict(attributes)))

    def _begin_values(self, _: str, attributes: Mapping[str, str]) -> None:
        self._drafts[-1].null = attributes.get("null", self._drafts[-1].null)

    def _begin_description(self, _: str, __: Mapping[str, str]) -> None:
        self._text = []

    def _begin_tabledata(self, written: str, _: Mapping[str, str]) -> None:
        self._close()
        prefix = written.removesuffix("TABLEDATA")
        rows = _CellRows(self.fields, self._bounds, prefix, self._leave)
        self.rows = rows
        self._parser.StartElementHandler = rows.start
        self._parser.EndElementHandler = rows.end
        self._parser.CharacterDataHandler = rows.text.append

    def _begin_stream(self, _: str, attributes: Mapping[str, str]) -> None:
        if "href" in attributes:
            raise DecodingError("the STREAM is elsewhere (href); send a file that has its data inside")
        encoding = attributes.get("encoding", "base64")
        if encoding not in ("base64", "gzip"):
            raise DecodingError(f"the STREAM's encoding is {encoding[:40]!r}; base64 and gzip can be read")
        self._close()
        masked = self._path[-2] == "BINARY2"
        decoder = BinaryRows(self.fields, self._bounds, masked=masked)
        rows = _StreamRows(decoder, Gunzip(self._bounds) if encoding == "gzip" else None)
        self.rows = rows
        self._parser.CharacterDataHandler = rows.text.append

    def _refuse(self, written: str, _: Mapping[str, str]) -> None:
        raise DecodingError(f"data in {written[:40]} are not read; send TABLEDATA, BINARY or BINARY2")

    def _leave(self) -> None:
        """TABLEDATA ends."""
        self._path.pop()
        self._listen()

    def _close(self) -> None:
        """The columns are complete."""
        if self.rows is not None:
            raise DecodingError("the table has its data twice")
        if not self._drafts:
            raise DecodingError("the table has no FIELD")
        self.fields = fields(self._drafts, self._bounds)

    _BEGIN: Mapping[tuple[str, str], Callable[[_Document, str, Mapping[str, str]], None]] = {
        ("TABLE", "FIELD"): _begin_field,
        ("FIELD", "VALUES"): _begin_values,
        ("FIELD", "DESCRIPTION"): _begin_description,
        ("TABLE", "DESCRIPTION"): _begin_description,
        ("DATA", "TABLEDATA"): _begin_tabledata,
        ("BINARY", "STREAM"): _begin_stream,
        ("BINARY2", "STREAM"): _begin_stream,
        ("DATA", "FITS"): _refuse,
        ("DATA", "PARQUET"): _refuse,
    }


class _CellRows:
    """The cells of TABLEDATA, which is where a parser spends its time: `text.append` is called for every piece of text,
    `start` and `end` for every tag."""

    def __init__(self, fields: tuple[Field, ...], bounds: Bounds, prefix: str, leave: Callable[[], None]) -> None:
        self.text: list[str] = []
        self._fields = fields
        self._bounds = bounds
        self._leave = leave
        self._cell, self._line, self._all = f"{prefix}TD", f"{prefix}TR", f"{prefix}TABLEDATA"
        self._inside = self._all
        self._cells: list[str] = []
        self._complete = 0
        self._row = 0
        self._chunks = 0

    def start(self, name: str, _: Mapping[str, str]) -> None:
        if name == self._cell and self._inside == self._line:
            self.text.clear()
        elif not (name == self._line and self._inside == self._all):
            raise DecodingError(f"{name[:40]} stands where it does not belong", row=self._number())
        self._inside = name

    def end(self, name: str) -> None:
        if name == self._cell:
            self._cells.append("".join(self.text))
            self._inside = self._line
        elif name == self._line:
            self._end_row()
            self._inside = self._all
        else:
            self._leave()

    def take(self) -> Iterator[Block]:
        self._chunks += 1
        self._check_begun()
        if self._complete >= ROWS * len(self._fields) or self._chunks * CHUNK >= BLOCK_BYTES:
            yield from self._blocks()

    def finish(self) -> Iterator[Block]:
        yield from self._blocks()

    def _blocks(self) -> Iterator[Block]:
        self._chunks = 0
        width = len(self._fields)
        while self._complete:
            size = min(self._complete, ROWS * width)
            part = self._cells[:size]
            del self._cells[:size]
            self._complete -= size
            first = self._row + 1
            self._row += size // width
            self._bounds.check_rows(self._row)
            columns = (cells.values(field, part[index::width], first) for index, field in enumerate(self._fields))
            yield Block(first, tuple(columns))

    def _check_begun(self) -> None:
        """Raise TooMuchError when the row that is still being read is larger than one may be."""
        value = sum(map(len, self.text))
        if value > self._bounds.cell:
            if self._inside == self._cell:
                raise TooMuchError(f"a value has more than {self._bounds.cell:,} characters", row=self._number())
            self.text.clear()
        row = self._cells[self._complete :]
        if len(row) > len(self._fields):
            raise self._uneven(len(row))
        self._bounds.check_row(value + sum(map(len, row)), self._number())

    def _end_row(self) -> None:
        found = len(self._cells) - self._complete
        if found != len(self._fields):
            raise self._uneven(found)
        self._complete = len(self._cells)

    def _uneven(self, found: int) -> DecodingError:
        message = f"has {found} cells where the table has {len(self._fields)} columns"
        return DecodingError(message, row=self._number())

    def _number(self) -> int:
        return self._row + self._complete // len(self._fields) + 1


class _StreamRows:
    """The text of a STREAM on its way through base64, perhaps gzip, into rows."""

    def __init__(self, rows: BinaryRows, gunzip: Gunzip | None) -> None:
        self.text: list[str] = []
        self._rows = rows
        self._base64 = Base64()
        self._gunzip = gunzip

    def take(self) -> Iterator[Block]:
        data = self._base64.decode("".join(self.text))
        self.text.clear()
        for piece in self._gunzip.decode(data) if self._gunzip else (data,):
            yield from self._rows.feed(piece)

    def finish(self) -> Iterator[Block]:
        self._base64.finish()
        for piece in self._gunzip.finish() if self._gunzip else ():
            yield from self._rows.feed(piece)
        yield from self._rows.finish()


def _check_encoding(_: str, encoding: str | None, __: int) -> None:
    """Raises DecodingError for what is no encoding of XML, or one whose characters have several bytes: the parser would
    ask Python for it, which knows a hundred, and read some of them wrongly."""
    if encoding is None or encoding.upper() in _ENCODINGS:
        return
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        name = ""
    if not _SINGLE_BYTE.fullmatch(name):
        raise DecodingError(f"the file's XML encoding {encoding[:40]!r} is not read; send it in UTF-8")


def _doctype_in(opening: bytes) -> tuple[int, int]:
    """Where a DOCTYPE begins and ends in a document. opening: the document up to the DOCTYPE's last character."""
    places = {opening.rfind("<!DOCTYPE".encode(name)): size for name, size in _CHARACTERS.items()}
    begin = max(places)
    return begin, len(opening) + places[begin]
