"""The works that published tables belong to, as an answer names them: authors, terms, and a page about the data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from almagest.metadata import models

_lock = threading.Lock()
_kept: tuple[int, Mapping[str, Work]] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A schema's work. creators: in the order of citation."""

    title: str
    creators: tuple[str, ...]
    licence: str
    licence_url: str
    acknowledgement: str
    reference_url: str


def works() -> Mapping[str, Work]:
    """Every schema's work by its name; one small query when nothing changed."""
    global _kept  # noqa: PLW0603 - one copy a process, replaced whole
    revision = models.Revision.objects.values_list("number", flat=True).get()
    kept = _kept
    if kept is None or kept[0] != revision:
        with _lock:
            kept = (
                revision,
                {schema.name: _work(schema) for schema in models.Schema.objects.prefetch_related("creators")},
            )
            _kept = kept
    return kept[1]


def _work(schema: models.Schema) -> Work:
    return Work(
        title=schema.title,
        creators=tuple(creator.name for creator in schema.creators.all()),
        licence=schema.licence,
        licence_url=schema.licence_url,
        acknowledgement=schema.acknowledgement,
        reference_url=schema.reference_url,
    )
