"""The works that published tables belong to, as an answer names them: authors, terms, and a page about the data."""

from __future__ import annotations

from dataclasses import dataclass

from almagest.metadata import models


@dataclass(frozen=True, slots=True)
class Work:
    """A schema's work. creators: in the order of citation."""

    title: str
    creators: tuple[str, ...]
    licence: str
    licence_url: str
    acknowledgement: str
    reference_url: str


def work(schema: models.Schema) -> Work:
    """What the metadata say of it."""
    return Work(
        title=schema.title,
        creators=tuple(creator.name for creator in schema.creators.all()),
        licence=schema.licence,
        licence_url=schema.licence_url,
        acknowledgement=schema.acknowledgement,
        reference_url=schema.reference_url,
    )
