"""What a browser may load and send from our pages: the Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Iterable

DIRECTIVES = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy(*, connect: Iterable[str] = ()) -> str:
    """The header's value; `connect` are origins that this page's scripts may speak to besides our own."""
    directives = DIRECTIVES | {"connect-src": " ".join([DIRECTIVES["connect-src"], *connect])}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
