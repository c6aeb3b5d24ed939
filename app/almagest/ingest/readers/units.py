"""Units as files write them → VOUnits 1.1."""

from __future__ import annotations

from contextlib import suppress

from astropy import units

_DIALECTS = ("fits", "vounit", "cds", "ogip", "generic")
"""In the order in which they are tried; the last is astropy's own."""


def vounit(written: str | None) -> str | None:
    """A unit as VOUnits have it; None when it is none that astropy knows, which a description can mend."""
    for dialect in _DIALECTS if written else ():
        with suppress(ValueError):
            return str(units.Unit(written, format=dialect).to_string("vounit"))
    return None
