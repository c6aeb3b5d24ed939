"""What a TAP service says about itself: VOSI 1.1 availability and capabilities, TAPRegExt 1.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from almagest.vo.markup import Markup, document, element, optional

MEDIA_TYPE = "text/xml"

_IVO = "ivo://ivoa.net/std/"
_XML = "http://www.ivoa.net/xml/"
_NAMESPACES = {
    "vosi": _XML + "VOSICapabilities/v1.0",
    "vr": _XML + "VOResource/v1.0",
    "vs": _XML + "VODataService/v1.1",
    "tr": _XML + "TAPRegExt/v1.0",
}


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
class Language:
    """A query language. versions: number → identifier, or None; features: fragment of TAPRegExt's identifier → form →
    description (TAPRegExt 1.0 §2.3): names, and for user-defined functions `name(argument TYPE, …) -> TYPE`."""

    name: str
    description: str
    versions: Mapping[str, str | None]
    features: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Service:
    """A TAP service. url: its base, as users type it, without trailing slash; duration, retention: seconds; uploads:
    ways to send a table along (`inline`, `http`, …); upload: bytes of one; security: identifiers of the ways to log in,
    where any is offered."""

    url: str
    languages: Sequence[Language]
    formats: Sequence[OutputFormat]
    duration: Limits
    retention: Limits
    rows: Limits
    uploads: Sequence[str] = ()
    upload: Limits | None = None
    security: Sequence[str] = ()


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
            _examples(f"{service.url}/examples"),
        )
    )


def _vosi(standard: str, url: str, version: str | None = None) -> Markup:
    return element("capability", {"standardID": _IVO + standard}, _interface(url, "full", version))


def _examples(url: str) -> Markup:
    interface = element("interface", {"xsi:type": "vr:WebBrowser"}, element("accessURL", {"use": "full"}, url))
    return element("capability", {"standardID": _IVO + "DALI#examples"}, interface)


def _interface(url: str, use: str, version: str | None, security: Sequence[str] = ()) -> Markup:
    """security: beside which the empty method says that nobody has to log in (VOResource 1.1 §2.2.2)."""
    attributes = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": version}
    methods = [element("securityMethod")] if security else []
    methods += [element("securityMethod", {"standardID": method}) for method in security]
    return element("interface", attributes, element("accessURL", {"use": use}, url), *methods)


def _tap(service: Service) -> Markup:
    return element(
        "capability",
        {"standardID": _IVO + "TAP", "xsi:type": "tr:TableAccess"},
        _interface(service.url, "base", "1.1", service.security),
        *(_language(language) for language in service.languages),
        *(_format(known) for known in service.formats),
        *(element("uploadMethod", {"ivo-id": f"{_IVO}TAPRegExt#upload-{way}"}) for way in service.uploads),
        _limits("retentionPeriod", service.retention),
        _limits("executionDuration", service.duration),
        _limits("outputLimit", service.rows, unit="row"),
        _limits("uploadLimit", service.upload, unit="byte") if service.upload else None,
    )


def _language(language: Language) -> Markup:
    return element(
        "language",
        None,
        element("name", None, language.name),
        *(element("version", {"ivo-id": known}, number) for number, known in language.versions.items()),
        element("description", None, language.description),
        *(_features(kind, forms) for kind, forms in language.features.items()),
    )


def _features(kind: str, forms: Mapping[str, str]) -> Markup:
    # Today's clients compare these identifiers letter for letter, in the mixed case of TAPRegExt 1.0; of this one they
    # know neither spelling, and mind only the mixed one.
    standard = "tapregext" if kind == "features-adql-conditional" else "TAPRegExt"
    features = (
        element("feature", None, element("form", None, form), optional("description", description))
        for form, description in forms.items()
    )
    return element("languageFeatures", {"type": f"{_IVO}{standard}#{kind}"}, *features)


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
