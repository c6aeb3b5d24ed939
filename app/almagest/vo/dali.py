"""Error documents of DALI 1.1 §4.2.3, and its times."""

from __future__ import annotations

from datetime import UTC, datetime

from almagest.vo.markup import document, element

MEDIA_TYPE = "application/x-votable+xml"


def error(message: str) -> bytes:
    """A VOTable 1.4 that holds an error and no table."""
    # astroquery finds the message by searching for exactly this spelling of the tag.
    info = element("INFO", {"name": "QUERY_STATUS", "value": "ERROR"}, message)
    return document(
        element(
            "VOTABLE",
            {"version": "1.4", "xmlns": "http://www.ivoa.net/xml/VOTable/v1.3"},
            element("RESOURCE", {"type": "results"}, info),
        )
    )


def timestamp(moment: datetime) -> str:
    """An aware time as UWS and VOSI write it: UTC, milliseconds, with its Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
