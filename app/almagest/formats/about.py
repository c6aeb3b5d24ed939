"""What a document tells about itself beside its rows: where the data come from, their frames, what can be done next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an answer comes from, as the note "Data Origin in the VO" (1.1, §3) names it.

    The first group is about the service and the request, the second about the data. Texts, dates in ISO 8601, empty
    where unknown. creators: authors of the data, in the order of citation; ivoids: of the resources that were asked.
    """

    publisher: str = ""
    server_software: str = ""
    service_protocol: str = ""
    request: str = ""
    request_date: str = ""
    contact: str = ""

    ivoids: tuple[str, ...] = ()
    creators: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    reference_urls: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    licence_urls: tuple[str, ...] = ()
    acknowledgements: tuple[str, ...] = ()

    def items(self) -> list[tuple[str, str]]:
        """Name and value of each INFO, in the note's spelling; several for what there are several of."""
        several = {
            "ivoid": self.ivoids,
            "creator": self.creators,
            "citation": self.citations,
            "reference_url": self.reference_urls,
            "rights": self.licences,
            "rights_uri": self.licence_urls,
            "acknowledgement": self.acknowledgements,
        }
        single = {
            "publisher": self.publisher,
            "server_software": self.server_software,
            "service_protocol": self.service_protocol,
            "request": self.request,
            "request_date": self.request_date,
            "contact": self.contact,
        }
        told = [(name, value) for name, value in single.items() if value]
        return told + [(name, value) for name, values in several.items() for value in values if value]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The frame of celestial positions (VOTable 1.4 §3.1). epoch: of the positions, e.g. `J2016.0`."""

    system: str = "ICRS"
    epoch: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter of a service: taken from a column of the table (`column`, by name), or given by who calls."""

    name: str
    datatype: str = "char"
    arraysize: str | None = "*"
    column: str | None = None
    value: str = ""
    unit: str | None = None
    ucd: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ServiceDescriptor:
    """A service that can be called with the rows of a table (DataLink 1.1 §4). standard_id: of its protocol, e.g.
    `ivo://ivoa.net/std/DataLink#links-1.1`, None for a service of its own kind; id: its XML ID, where links refer to
    it."""

    access_url: str
    inputs: Sequence[Input]
    standard_id: str | None = None
    content_type: str | None = None
    name: str | None = None
    description: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A page about the data, for people (VOTable 1.4 §3.5)."""

    href: str
    title: str = ""
    content_role: str = "doc"


@dataclass(frozen=True, slots=True)
class About:
    """Everything of this kind. info: further names and values, e.g. QUERY; each format says what it has a place for."""

    info: Mapping[str, str] = field(default_factory=dict)
    origin: Origin = Origin()
    coordinates: Coordinates = Coordinates()
    services: tuple[ServiceDescriptor, ...] = ()
    links: tuple[Link, ...] = ()

    def items(self) -> list[tuple[str, str]]:
        """Name and value of everything that is text; several of a name that has several values, e.g. `creator`."""
        return [*self.info.items(), *self.origin.items()]

    def by_name(self) -> dict[str, str | list[str]]:
        """The same for formats that know a name only once: a list of its values where it has several."""
        values: dict[str, list[str]] = {}
        for name, value in self.items():
            values.setdefault(name, []).append(value)
        return {name: several[0] if len(several) == 1 else several for name, several in values.items()}
