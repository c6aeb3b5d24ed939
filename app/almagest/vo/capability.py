"""What services beside TAP say about themselves: VOSI 1.1 §3, around what each standard's own schema adds."""

from __future__ import annotations

from collections.abc import Mapping

from almagest.vo.markup import Markup, document, element

MEDIA_TYPE = "text/xml"

_IVO = "ivo://ivoa.net/std/"
_XML = "http://www.ivoa.net/xml/"
_NAMESPACES = {
    "vosi": _XML + "VOSICapabilities/v1.0",
    "vr": _XML + "VOResource/v1.0",
    "vs": _XML + "VODataService/v1.1",
}


def capabilities(described: Markup, url: str, extensions: Mapping[str, str] | None = None) -> bytes:
    """The document `vosi:capabilities`.

    described: the service's own capability; url: of the service, below which VOSI's resources are, without trailing
    slash; extensions: prefix → namespace of the schemas that `described` uses.
    """
    namespaces = {**_NAMESPACES, **(extensions or {})}
    attributes = {
        **{f"xmlns:{prefix}": address for prefix, address in namespaces.items()},
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        # Validators find the schema of a namespace that occurs only in xsi:type by nothing but this.
        "xsi:schemaLocation": " ".join(f"{address} {address}" for address in namespaces.values()),
    }
    vosi = (
        element("capability", {"standardID": f"{_IVO}VOSI#{part}"}, interface(f"{url}/{part}", use="full"))
        for part in ("capabilities", "availability")
    )
    return document(element("vosi:capabilities", attributes, described, *vosi))


def interface(url: str, *details: Markup, use: str = "base", version: str | None = None) -> Markup:
    """Where a capability is. details: elements of `vs:ParamHTTP` after the address, in its order."""
    attributes = {"xsi:type": "vs:ParamHTTP", "role": "std", "version": version}
    return element("interface", attributes, element("accessURL", {"use": use}, url), *details)
