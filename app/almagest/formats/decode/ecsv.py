"""The header of ECSV 1.0 (APE 6): YAML in comments that says every column's type, unit and description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from almagest.catalogue import Column, Datatype
from almagest.formats import complexes
from almagest.formats.block import HOLDERS
from almagest.formats.decode.errors import DecodingError, TooMuchError

MARK = "# %ECSV "

DEPTH = 16
"""Collections of YAML inside one another; what a column says of itself has three."""

_TYPES: dict[str, Datatype] = {**HOLDERS, "float128": "double", "string": "char"}
_COMPLEX: dict[str, Datatype] = {"complex64": "float", "complex128": "double", "complex256": "double"}
_XTYPES: dict[str, tuple[tuple[Datatype, str], ...]] = {
    "timestamp": (("char", "*"),),
    "point": (("double", "2"),),
    "circle": (("double", "3"),),
    "polygon": (("double", "*"),),
}
"""DALI's xtypes that mean something here, and what columns may have them."""

_SUBTYPE = re.compile(r"([a-z]+[0-9]*)\[((?:\d{1,9}|null)(?:, *(?:\d{1,9}|null))*)\]")


class Header:
    """What the header says. delimiter: between fields; columns: in order, with their types."""

    def __init__(self, lines: list[str]) -> None:
        """lines: of the header without `# `. Raises DecodingError."""
        said = _yaml("".join(lines))
        described = said.get("datatype") if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(described, list):
            raise DecodingError("the ECSV header has no list `datatype`")
        self.delimiter = said.get("delimiter", " ")
        if self.delimiter not in (" ", ","):
            raise DecodingError("the ECSV header's delimiter is neither a blank nor a comma")
        self.columns = tuple(_column(number, one) for number, one in enumerate(described, 1))


def _column(number: int, said: Any) -> Column:
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise DecodingError(f"the ECSV header says no name for column {number}")
    name = said["name"]
    meta = said["meta"] if isinstance(said.get("meta"), dict) else {}
    datatype, arraysize = _type(name, _text(said, "datatype") or "", _text(said, "subtype"))
    xtype = complexes.XTYPE if _text(said, "datatype") in _COMPLEX else _text(meta, "xtype")
    if xtype == complexes.XTYPE and datatype in ("float", "double"):
        arraysize = _in_pairs(arraysize)
    elif (datatype, arraysize) not in _XTYPES.get(xtype or "", ()):
        xtype = None
    return Column(
        name,
        datatype,
        arraysize,
        xtype,
        unit=_text(said, "unit"),
        ucd=_text(meta, "ucd"),
        utype=_text(meta, "utype"),
        description=_text(said, "description") or "",
    )


def _in_pairs(arraysize: str | None) -> str | None:
    """The arraysize of complex numbers, of which an array is written with its parts one after the other."""
    if arraysize == "*":
        return "2x*"
    return f"2x{int(arraysize) // 2}" if arraysize and arraysize != "2" and arraysize.isdecimal() else arraysize


def _type(name: str, datatype: str, subtype: str | None) -> tuple[Datatype, str | None]:
    """(datatype, arraysize). Arrays are of the type string, in JSON, with what they are as their subtype."""
    if datatype in _COMPLEX:
        return _COMPLEX[datatype], complexes.paired(None)
    if datatype not in _TYPES:
        message = f"has the ECSV type {datatype[:40]!r}; possible are {', '.join((*_TYPES, *_COMPLEX))}"
        raise DecodingError(message, column=name)
    found = _SUBTYPE.fullmatch(subtype or "")
    if datatype != "string" or not found or _TYPES.get(found[1], "char") == "char":
        # Anything else in JSON stays the text that it is.
        return _TYPES[datatype], "*" if datatype == "string" else None
    shape = [length.strip() for length in found[2].split(",")]
    sizes = [length for length in reversed(shape) if length != "null"]
    return _TYPES[found[1]], "x".join(sizes) if "null" not in shape else "x".join([*sizes, "*"])


def _text(said: dict[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) and value else None


def _yaml(text: str) -> Any:
    """The document as dicts, lists and strings, of the last of keys that are twice; without tags, aliases or types."""
    try:
        # The events of libyaml, because composing a document goes as deep as its sender wants.
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return _node(_content(events), 0)
    except yaml.YAMLError as error:
        raise DecodingError(f"the ECSV header is not YAML: {' '.join(str(error).split())[:200]}") from error


def _content(events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    return (event for event in events if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent))


def _node(events: Iterator[yaml.Event], depth: int) -> Any:
    """The next node; None at the end of a collection, or of the document."""
    if depth > DEPTH:
        raise TooMuchError(f"the ECSV header's collections are nested more than {DEPTH} deep")
    event = next(events, None)
    match event:
        case yaml.ScalarEvent():
            return event.value
        case yaml.SequenceStartEvent():
            return list(iter(lambda: _node(events, depth + 1), None))
        case yaml.MappingStartEvent():
            found: dict[str, Any] = {}
            while (key := _node(events, depth + 1)) is not None:
                found[str(key)] = _node(events, depth + 1)
            return found
        case yaml.AliasEvent():
            raise DecodingError("the ECSV header has an alias, which is not followed")
    return None
