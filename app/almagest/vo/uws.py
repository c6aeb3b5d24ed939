"""Jobs as XML: UWS 1.1 §2.2 and its schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from almagest.formats.markup import Markup, document, element

MEDIA_TYPE = "text/xml"
NAMESPACES = {
    "xmlns:uws": "http://www.ivoa.net/xml/UWS/v1.0",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
NIL = {"xsi:nil": "true"}
PHASES = frozenset(
    {
        *("PENDING", "QUEUED", "EXECUTING", "COMPLETED", "ERROR"),
        *("ABORTED", "UNKNOWN", "HELD", "SUSPENDED", "ARCHIVED"),
    }
)
"""All of UWS 1.1 §2.1.3, whether a service uses them or not."""

INFO = {"xmlns": "urn:almagest:job"}
"""Namespace of what a job's `jobInfo` says, which is each service's own (UWS 1.1 §2.2.2)."""


@dataclass(frozen=True, slots=True)
class JobDocument:
    """What the job's XML says. url: absolute, without trailing slash; owner: user name, empty for an anonymous one;
    duration: seconds; result: of the job's only result, its media type, or None while there is none; size: of that, in
    bytes as stored; error: message and whether it is transient; info: anything else worth knowing, by name."""

    id: str
    url: str
    phase: str
    created: datetime
    destruction: datetime
    duration: int
    owner: str = ""
    quote: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    run_id: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None
    size: int | None = None
    error: tuple[str, bool] | None = None
    info: Mapping[str, str] = field(default_factory=dict)


def job(description: JobDocument) -> bytes:
    """The document `uws:job`."""
    return document(
        element(
            "uws:job",
            {**NAMESPACES, "version": "1.1"},
            element("uws:jobId", None, description.id),
            element("uws:runId", None, description.run_id) if description.run_id else None,
            _owner(description.owner),
            element("uws:phase", None, description.phase),
            _time("uws:quote", description.quote),
            _time("uws:creationTime", description.created),
            _time("uws:startTime", description.started),
            _time("uws:endTime", description.ended),
            element("uws:executionDuration", None, str(description.duration)),
            _time("uws:destruction", description.destruction),
            _parameters(description.parameters, {}),
            _results(description, {}),
            _error(description.error),
            _info(description.info),
        )
    )


def jobs(url: str, listed: Iterable[JobDocument]) -> bytes:
    """The document `uws:jobs`: the jobs that the caller may list. url: of the list."""
    references = (
        element(
            "uws:jobref",
            {"id": entry.id, "xlink:href": f"{url}/{entry.id}"},
            element("uws:phase", None, entry.phase),
            element("uws:runId", None, entry.run_id) if entry.run_id else None,
            _owner(entry.owner),
            _time("uws:creationTime", entry.created),
        )
        for entry in listed
    )
    return document(element("uws:jobs", {**NAMESPACES, "version": "1.1"}, *references))


def parameters(values: Mapping[str, str]) -> bytes:
    """The document `uws:parameters`."""
    return document(_parameters(values, NAMESPACES))


def results(description: JobDocument) -> bytes:
    """The document `uws:results`."""
    return document(_results(description, NAMESPACES))


def timestamp(moment: datetime) -> str:
    """An aware time as UWS writes it: UTC, milliseconds, with its Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _owner(name: str) -> Markup:
    return element("uws:ownerId", None, name) if name else element("uws:ownerId", NIL)


def _info(values: Mapping[str, str]) -> Markup | None:
    if not values:
        return None
    return element("uws:jobInfo", None, *(element(name, INFO, value) for name, value in values.items()))


def _parameters(values: Mapping[str, str], attributes: Mapping[str, str]) -> Markup:
    entries = (element("uws:parameter", {"id": name}, value) for name, value in values.items())
    return element("uws:parameters", attributes, *entries)


def _results(description: JobDocument, attributes: Mapping[str, str]) -> Markup:
    if description.result is None:
        return element("uws:results", attributes)
    result = {
        "id": "result",
        "xlink:type": "simple",
        "xlink:href": f"{description.url}/results/result",
        "size": None if description.size is None else str(description.size),
        "mime-type": description.result,
    }
    return element("uws:results", attributes, element("uws:result", result))


def _error(error: tuple[str, bool] | None) -> Markup | None:
    if error is None:
        return None
    message, transient = error
    kind = {"type": "transient" if transient else "fatal", "hasDetail": "true"}
    return element("uws:errorSummary", kind, element("uws:message", None, message))


def _time(name: str, moment: datetime | None) -> Markup:
    return element(name, NIL) if moment is None else element(name, None, timestamp(moment))
