"""Which format a request means: by short name or media type, as DALI 1.1 §3.4.3 has them and as clients send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from almagest.formats.columnar import Arrow, Parquet
from almagest.formats.compressed import Gzipped
from almagest.formats.document import MEDIA_TYPE
from almagest.formats.fits import Fits
from almagest.formats.format import Format
from almagest.formats.html import Html, Text
from almagest.formats.json import Json
from almagest.formats.separated import Csv, Ecsv, Tsv
from almagest.formats.votable import Binary, Binary2, Tabledata

FORMATS: Mapping[str, Format] = {
    "votable": Binary2(),
    "votable/b2": Binary2(f"{MEDIA_TYPE};serialization=BINARY2"),
    "votable/b": Binary(),
    "votable/td": Tabledata(),
    "csv": Csv(),
    "tsv": Tsv(),
    "fits": Fits(),
    "parquet": Parquet(),
    "arrow": Arrow(),
    "json": Json(),
    "ecsv": Ecsv(),
    "text": Text(),
    "html": Html(),
}
"""Short name → format, the default first. TAPRegExt lists them by media type and short name."""

_ALIASES: Mapping[str, str] = {
    "votable/binary2": "votable/b2",
    "votable/binary": "votable/b",
    "votable/tabledata": "votable/td",
    "votabletd": "votable/td",
    "votable_plain": "votable/td",
    "vot": "votable",
    "xml": "votable",
    "txt": "text",
    "feather": "arrow",
}
"""What other services call them, and so clients (astroquery, TOPCAT's TAP window, vollt)."""

_SERIALIZATIONS: Mapping[str, Callable[[str], Format]] = {
    "": Binary2,
    "tabledata": Tabledata,
    "binary": Binary,
    "binary2": Binary2,
}

_MEDIA_TYPES: Mapping[str, str] = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/fits": "fits",
    "image/fits": "fits",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/json": "json",
    "application/x-ecsv": "ecsv",
    "text/x-ecsv": "ecsv",
    "text/plain": "text",
    "text/html": "html",
}


class UnsupportedFormat(ValueError):
    """A RESPONSEFORMAT that is not written here. Its text is for the person who asked."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"There is no format {wanted!r}. There are {', '.join(FORMATS)}, and their media types.")
        self.wanted = wanted


def negotiate(responseformat: str | None) -> Format:
    """The format that RESPONSEFORMAT means: a short name or a media type, in any letter case.

    None or an empty text is VOTable. A media type asked for is the one that is answered, parameters and all where
    they make a difference. A short name with `_gzip` behind it is that format in gzip. Raises UnsupportedFormat.
    """
    wanted = "".join((responseformat or "votable").lower().split())
    found = _named(wanted) or _of_media_type(wanted)
    if found is None and wanted.endswith("_gzip"):
        plain = _named(wanted.removesuffix("_gzip"))
        found = Gzipped(plain) if plain else None
    if found is None:
        raise UnsupportedFormat(responseformat or "")
    return found


def _named(short: str) -> Format | None:
    return FORMATS.get(_ALIASES.get(short, short))


def _of_media_type(wanted: str) -> Format | None:
    """text/xml is what VOTable was called before it had a type of its own."""
    media_type, *rest = wanted.split(";")
    pairs = (parameter.partition("=") for parameter in rest if parameter)
    parameters = {name: value.strip('"') for name, _, value in pairs}
    if media_type in (MEDIA_TYPE, "text/xml", "application/xml"):
        serialization = parameters.get("serialization", "")
        make = _SERIALIZATIONS.get(serialization)
        if make is None:
            return None
        return make(f"{media_type};serialization={serialization.upper()}" if serialization else media_type)
    if media_type == "text/csv" and parameters.get("header", "present") != "present":
        return None
    short = _MEDIA_TYPES.get(media_type)
    if short is None:
        return None
    return _as(FORMATS[short], media_type)


def _as(known: Format, media_type: str) -> Format:
    """The same format under the type that was asked for, which may be one of several names."""
    if known.media_type.partition(";")[0] == media_type:
        return known
    renamed: Format = replace(known, media_type=media_type)  # type: ignore[type-var] # every format is a dataclass
    return renamed
