"""What an answer says about where it comes from: the archive, the request, and the works whose data it holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from almagest.catalogue import Column, Table
from almagest.config.environment import environment, site
from almagest.formats import About, Coordinates, Link, Origin, ServiceDescriptor, placed
from almagest.metadata.catalogue import Holdings
from almagest.metadata.works import Work
from almagest.vo import datalink, tap

KEPT = 128
"""How many sets of tables a process keeps what it says of them."""


def links_url() -> str:
    """`{links}` of DataLink for the rows of this archive."""
    return f"{environment().site_url}/datalink/links"


def about(
    holdings: Holdings,
    query: str,
    tables: Collection[tuple[str, str]],
    columns: Sequence[Column],
    *,
    path: str,
    requested: datetime,
    protocol: str = tap.STANDARD,
) -> About:
    """Everything but the rows. tables: (schema, name) that were read; columns: of the answer; path: below the site's
    address, of the resource that was asked; requested: when, in UTC; protocol: identifier of the standard that it
    follows."""
    data = _data(holdings, frozenset(tables))
    origin = replace(
        data.origin,
        service_protocol=protocol,
        request=f"{environment().site_url}{path}",
        request_date=requested.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return About(
        {"QUERY": query} if query else {},
        origin,
        Coordinates(epoch=_epoch(data.read, columns)),
        services=_services(data.read, columns),
        links=data.links,
    )


@dataclass(frozen=True, slots=True)
class _Data:
    """What answers from the same tables have in common. read: the tables, None for each that is not published."""

    read: tuple[Table | None, ...]
    origin: Origin
    links: tuple[Link, ...]


@lru_cache(maxsize=KEPT)
def _data(holdings: Holdings, tables: frozenset[tuple[str, str]]) -> _Data:
    """Holdings are equal only to themselves, and there are others after every change of the metadata."""
    works = holdings.works
    used = [works[schema] for schema in sorted({schema for schema, _ in tables}) if schema in works]
    origin = Origin(
        publisher=site().publisher or site().title,
        server_software=f"Almagest/{environment().release}",
        contact=site().contact.email or site().contact.url or "",
        creators=_distinct(creator for work in used for creator in work.creators),
        citations=_distinct(_citation(work) for work in used),
        reference_urls=_distinct(work.reference_url for work in used),
        licences=_distinct(work.licence for work in used),
        licence_urls=_distinct(work.licence_url for work in used),
        acknowledgements=_distinct([*(work.acknowledgement for work in used), site().acknowledgement]),
    )
    links = dict.fromkeys(Link(work.reference_url, work.title) for work in used if work.reference_url)
    return _Data(tuple(holdings.table(schema, name) for schema, name in tables), origin, tuple(links))


def _services(read: Sequence[Table | None], columns: Sequence[Column]) -> tuple[ServiceDescriptor, ...]:
    """DataLink, for an answer whose rows are those of one published table."""
    if len(read) != 1 or read[0] is None:
        return ()
    links = datalink.of_results(links_url(), read[0], columns)
    return (links,) if links else ()


def _epoch(read: Sequence[Table | None], columns: Sequence[Column]) -> str | None:
    """The epoch of all positions of an answer: each has to be a table's own, for a calculated one may be of any."""
    if not all(read):
        return None
    epochs: set[str | None] = set()
    for column in filter(placed, columns):
        wanted = replace(column.unbounded, name="")
        having = (t for t in read if t and any(replace(own.unbounded, name="") == wanted for own in t.columns))
        epochs |= {table.epoch for table in having} or {None}
    return epochs.pop() if len(epochs) == 1 else None


def _citation(work: Work) -> str:
    """The work as a line of references has it, where it has authors and a title."""
    if not (work.creators and work.title):
        return ""
    return f"{'; '.join(work.creators)}: {work.title}" + (f", {work.reference_url}" if work.reference_url else "")


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
