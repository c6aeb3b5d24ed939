"""What every service says about itself: VOSI 1.1, around what each standard's own schema adds to capabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from almagest.formats.markup import Markup, document, element

MEDIA_TYPE = "text/xml"

IVO = "ivo://ivoa.net/std/"
XML = "http://www.ivoa.net/xml/"
_NAMESPACES = {
    "vosi": XML + "VOSICapabilities/v1.0",
    "vr": XML + "VOResource/v1.0",
    "vs": XML + "VODataService/v1.1",
}


def availability(*, available: bool, notes: Sequence[str]) -> bytes:
    """The document `vosi:availability`. notes: for people, e.g. why the service is not available."""
    return document(
        element(
            "vosi:availability",
            {"xmlns:vosi": XML + "VOSIAvailability/v1.0"},
            element("vosi:available", None, "true" if available else "false"),
            *(element("vosi:note", None, note) for note in notes),
        )
    )


def capabilities(url: str, *described: Markup, extensions: Mapping[str, str] | None = None) -> bytes:
    """The document `vosi:capabilities`.

    url: of the service, below which VOSI's resources are, without trailing slash; described: its own capabilities;
    extensions: prefix → namespace of the schemas that these use.
    """
    namespaces = {**_NAMESPACES, **(extensions or {})}
    attributes = {
        **{f"xmlns:{prefix}": address for prefix, address in namespaces.items()},
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        # Validators find the schema of a namespace that occurs only in xsi:type by nothing but this.
        "xsi:schemaLocation": " ".join(f"{address} {address}" for address in namespaces.values()),
    }
    vosi = (
        element("capability", {"standardID": f"{IVO}VOSI#{part}"}, interface(f"{url}/{part}", use="full"))
        for part in ("capabilities", "availability")
    )
    return document(element("vosi:capabilities", attributes, *described, *vosi))


def interface(
    url: str, *details: Markup, use: str = "base", version: str | None = None, security: Sequence[str] = ()
) -> Markup:
    """Where a capability is.

    details: elements of `vs:ParamHTTP` after the address, in its order; security: identifiers of the ways to log in,
    beside which the empty method says that nobody has to (VOResource 1.1 §2.2.2).
    """
    attributes = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": version}
    methods = [element("securityMethod")] if security else []
    methods += [element("securityMethod", {"standardID": method}) for method in security]
    return element("interface", attributes, element("accessURL", {"use": use}, url), *methods, *details)
