"""What a TAP service says about itself: its capabilities as TAPRegExt 1.0 describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from almagest.formats.markup import Markup, element, optional
from almagest.vo import vosi
from almagest.vo.vosi import IVO, XML, interface

STANDARD = IVO + "TAP"

OUTPUT_BINARY = IVO + "TAPRegExt#output-votable-binary"
OUTPUT_BINARY2 = IVO + "TAPRegExt#output-votable-binary2"
OUTPUT_TABLEDATA = IVO + "TAPRegExt#output-votable-td"
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


def capabilities(service: Service) -> bytes:
    """The document `vosi:capabilities`."""
    tables = element(
        "capability",
        {"standardID": IVO + "VOSI#tables-1.1"},
        interface(f"{service.url}/tables", use="full", version="1.1"),
    )
    extensions = {"tr": XML + "TAPRegExt/v1.0"}
    return vosi.capabilities(
        service.url, _tap(service), tables, _examples(f"{service.url}/examples"), extensions=extensions
    )


def _examples(url: str) -> Markup:
    browser = element("interface", {"xsi:type": "vr:WebBrowser"}, element("accessURL", {"use": "full"}, url))
    return element("capability", {"standardID": IVO + "DALI#examples"}, browser)


def _tap(service: Service) -> Markup:
    return element(
        "capability",
        {"standardID": STANDARD, "xsi:type": "tr:TableAccess"},
        interface(service.url, version="1.1", security=service.security),
        *(_language(language) for language in service.languages),
        *(_format(known) for known in service.formats),
        *(element("uploadMethod", {"ivo-id": f"{IVO}TAPRegExt#upload-{way}"}) for way in service.uploads),
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
    return element("languageFeatures", {"type": f"{IVO}{standard}#{kind}"}, *features)


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
