"""The archive's own terms for links, beside those of http://www.ivoa.net/rdf/datalink/core."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A property in RDF's sense: what a linked thing is for the row. use: what clients are expected to do with it."""

    name: str
    label: str
    definition: str
    use: str


CONE_SEARCH = Term(
    "cone-search",
    "Neighbours in the same table",
    "A Simple Cone Search of the table that the row belongs to, around the row's own position.",
    "Ask for a radius SR in degrees, call the service and show its table.",
)
LICENCE = Term(
    "licence",
    "Licence",
    "The terms under which the row, and the table that it belongs to, may be used and passed on.",
    "Show the page to people, and keep its address with copies of the data.",
)
CITATION = Term(
    "citation",
    "Citation",
    "What the authors of the data ask to be written in a publication that uses them.",
    "Show the page to people who publish.",
)

TERMS = (CONE_SEARCH, LICENCE, CITATION)
