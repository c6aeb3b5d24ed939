"""The works that published tables belong to, as answers and pages name them: authors, terms, and how to cite them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from almagest.metadata import models


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody to be cited. orcid, ror (of the affiliation): without addresses; empty when unknown."""

    name: str
    orcid: str = ""
    affiliation: str = ""
    ror: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A schema's work. authors: in the order of citation; doi: without an address."""

    title: str
    authors: tuple[Author, ...]
    licence: str
    licence_url: str
    acknowledgement: str
    reference_url: str
    doi: str = ""
    publication_year: int | None = None

    @property
    def creators(self) -> tuple[str, ...]:
        """The authors' names."""
        return tuple(author.name for author in self.authors)

    @property
    def doi_url(self) -> str:
        """The address that the DOI stands for, empty without one."""
        return f"https://doi.org/{self.doi}" if self.doi else ""


def work(schema: models.Schema) -> Work:
    """What the metadata say of it."""
    return Work(
        title=schema.title,
        authors=tuple(Author(row.name, row.orcid, row.affiliation, row.ror) for row in schema.creators.all()),
        licence=schema.licence,
        licence_url=schema.licence_url,
        acknowledgement=schema.acknowledgement,
        reference_url=schema.reference_url,
        doi=schema.doi,
        publication_year=schema.publication_year,
    )
