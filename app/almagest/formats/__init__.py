"""PURE. How an answer is written down: which formats there are, and which one a request means."""

from __future__ import annotations

from collections.abc import Iterator

from almagest.formats.format import CHUNK, Format, Status
from almagest.formats.separated import Csv, Tsv
from almagest.formats.votable import MEDIA_TYPE, Binary2, Tabledata, error_document

__all__ = ["CHUNK", "FORMATS", "MEDIA_TYPE", "Format", "Status", "UnsupportedFormat", "error_document", "negotiate"]

FORMATS: dict[str, Format] = {
    "votable": Binary2(),
    "votable/b2": Binary2(f"{MEDIA_TYPE};serialization=BINARY2"),
    "votable/td": Tabledata(),
    "csv": Csv(),
    "tsv": Tsv(),
}
"""Short name → format, the default first. TAPRegExt lists them by media type and short name."""

_ALIASES = {"votable_plain": "votable/td"}
"""What older clients say (astroquery)."""


class UnsupportedFormat(ValueError):
    """A RESPONSEFORMAT that is not written here. Its text is for the person who asked."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"There is no format {wanted!r}. There are {', '.join(FORMATS)}, and their media types.")
        self.wanted = wanted


def negotiate(responseformat: str | None) -> Format:
    """The format that RESPONSEFORMAT means: a short name or a media type, in any letter case (DALI 1.1 §3.4.3).

    None or an empty text is VOTable. A media type asked for is the one that is answered, parameters and all where
    they make a difference. Raises UnsupportedFormat.
    """
    wanted = "".join((responseformat or "votable").lower().split())
    short = _ALIASES.get(wanted, wanted)
    if short in FORMATS:
        return FORMATS[short]
    media_type, parameters = _media_type(wanted)
    found = next(_named(media_type, parameters), None)
    if found is None:
        raise UnsupportedFormat(responseformat or "")
    return found


def _media_type(wanted: str) -> tuple[str, dict[str, str]]:
    media_type, *rest = wanted.split(";")
    pairs = (parameter.partition("=") for parameter in rest if parameter)
    return media_type, {name: value.strip('"') for name, _, value in pairs}


def _named(media_type: str, parameters: dict[str, str]) -> Iterator[Format]:
    """The formats of a media type; text/xml is what VOTable was called before it had one of its own."""
    if media_type in (MEDIA_TYPE, "text/xml"):
        serialization = parameters.get("serialization")
        if serialization == "tabledata":
            yield Tabledata() if media_type == MEDIA_TYPE else Tabledata(media_type)
        if serialization == "binary2":
            yield FORMATS["votable/b2"] if media_type == MEDIA_TYPE else Binary2(media_type)
        if serialization is None:
            yield Binary2(media_type)
    if media_type == "text/csv" and parameters.get("header", "present") == "present":
        yield Csv()
    if media_type == "text/tab-separated-values":
        yield Tsv()
