"""What a TAP service says about itself: VOSI 1.1 availability and capabilities, TAPRegExt 1.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from almagest.vo.markup import Markup, document, element

MEDIA_TYPE = "text/xml"

_IVO = "ivo://ivoa.net/std/"
_XML = "http://www.ivoa.net/xml/"
_NAMESPACES = {
    "vosi": _XML + "VOSICapabilities/v1.0",
    "vr": _XML + "VOResource/v1.0",
    "vs": _XML + "VODataService/v1.1",
    "tr": _XML + "TAPRegExt/v1.0",
}


OUTPUT_BINARY = _IVO + "TAPRegExt#output-votable-binary"
OUTPUT_BINARY2 = _IVO + "TAPRegExt#output-votable-binary2"
OUTPUT_TABLEDATA = _IVO + "TAPRegExt#output-votable-td"
"""What TAPRegExt 1.0 §2.4 calls the serialisations of VOTable."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A format of TAP answers. ivo_id: of a VOTable serialisation, else None; aliases: short names."""

    media_type: str
    aliases: tuple[str, ...]
    ivo_id: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """A default and a hard limit, in rows or seconds."""

    default: int
    hard: int


@dataclass(frozen=True, slots=True)
class Service:
    """A TAP service. url: its base, as users type it, without trailing slash; duration, retention: seconds."""

    url: str
    formats: Sequence[OutputFormat]
    duration: Limits
    retention: Limits
    rows: Limits


def availability(*, available: bool, notes: Sequence[str]) -> bytes:
    """The document `vosi:availability`. notes: for people, e.g. why the service is not available."""
    return document(
        element(
            "vosi:availability",
            {"xmlns:vosi": _XML + "VOSIAvailability/v1.0"},
            element("vosi:available", None, "true" if available else "false"),
            *(element("vosi:note", None, note) for note in notes),
        )
    )


def capabilities(service: Service) -> bytes:
    """The document `vosi:capabilities`."""
    namespaces = {f"xmlns:{prefix}": address for prefix, address in _NAMESPACES.items()}
    # Validators find the schema of a namespace that occurs only in xsi:type by nothing but this.
    locations = " ".join(f"{address} {address}" for address in _NAMESPACES.values())
    attributes = {
        **namespaces,
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": locations,
    }
    return document(
        element(
            "vosi:capabilities",
            attributes,
            _tap(service),
            _vosi("VOSI#capabilities", f"{service.url}/capabilities"),
            _vosi("VOSI#availability", f"{service.url}/availability"),
            _vosi("VOSI#tables-1.1", f"{service.url}/tables", version="1.1"),
        )
    )


def _vosi(standard: str, url: str, version: str | None = None) -> Markup:
    return element("capability", {"standardID": _IVO + standard}, _interface(url, "full", version))


def _interface(url: str, use: str, version: str | None) -> Markup:
    attributes = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": version}
    return element("interface", attributes, element("accessURL", {"use": use}, url))


def _tap(service: Service) -> Markup:
    return element(
        "capability",
        {"standardID": _IVO + "TAP", "xsi:type": "tr:TableAccess"},
        _interface(service.url, "base", "1.1"),
        _language(),
        *(_format(known) for known in service.formats),
        _limits("retentionPeriod", service.retention),
        _limits("executionDuration", service.duration),
        _limits("outputLimit", service.rows, unit="row"),
    )


def _language() -> Markup:
    versions = (("2.0", "v2.0"), ("2.1", "v2.1"))
    return element(
        "language",
        None,
        element("name", None, "ADQL"),
        *(element("version", {"ivo-id": f"{_IVO}ADQL#{fragment}"}, number) for number, fragment in versions),
        element("description", None, "Astronomical Data Query Language 2.1"),
        _geometry(),
    )


def _geometry() -> Markup:
    # Today's clients compare this identifier letter for letter, in the mixed case of TAPRegExt 1.0.
    functions = ("POINT", "CIRCLE", "BOX", "POLYGON", "CONTAINS", "INTERSECTS", "DISTANCE", "AREA", "COORD1", "COORD2")
    features = (element("feature", None, element("form", None, function)) for function in functions)
    return element("languageFeatures", {"type": _IVO + "TAPRegExt#features-adqlgeo"}, *features)


def _format(known: OutputFormat) -> Markup:
    aliases = (element("alias", None, alias) for alias in known.aliases)
    return element("outputFormat", {"ivo-id": known.ivo_id}, element("mime", None, known.media_type), *aliases)


def _limits(name: str, limits: Limits, unit: str | None = None) -> Markup:
    attributes = {"unit": unit}
    return element(
        name,
        None,
        element("default", attributes, str(limits.default)),
        element("hard", attributes, str(limits.hard)),
    )
