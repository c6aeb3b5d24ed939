"""`/api/v1/site`: what the archive is, and what may be asked of it."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from almagest import formats
from almagest.api.authentication import asker
from almagest.api.face import Route, Told, operation
from almagest.config import environment
from almagest.query import limits
from almagest.query.request import LANGUAGE_NAMES

LABELS = {
    "votable": "VOTable",
    "votable/b2": "VOTable (BINARY2)",
    "votable/b": "VOTable (BINARY)",
    "votable/td": "VOTable (TABLEDATA)",
    "csv": "CSV",
    "tsv": "TSV",
    "fits": "FITS",
    "parquet": "Parquet",
    "arrow": "Arrow",
    "json": "JSON",
    "ecsv": "ECSV",
    "text": "Text",
    "html": "HTML",
}
"""What people call each of `formats.FORMATS`."""


class Contact(Told):
    """Whom to ask."""

    name: str | None
    email: str | None
    url: str | None


class Asker(Told):
    """Who asks."""

    name: str
    authenticated: bool


class Format(Told):
    """A format that answers come in."""

    name: str
    label: str
    media_type: str
    extension: str


class Queue(Told):
    """A time class of jobs. seconds: that a query may run in it."""

    name: str
    seconds: float


class Limits(Told):
    """What one query may take."""

    upload_bytes: int
    rows: int
    query_characters: int


class Site(Told):
    """What the archive is, and what may be asked of it."""

    title: str
    description: str
    release: str
    site_url: str
    contact: Contact
    user: Asker
    languages: list[str]
    formats: list[Format]
    queues: list[Queue]
    limits: Limits


class SiteRoute(Route):
    """`/site`."""

    @operation("site", answers={200: Site}, tag="site")
    def get(self, request: Request) -> Response:
        """What the archive is, and what may be asked of it."""
        identity, site, settings = asker(request), environment.site(), environment.environment()
        return Response(
            Site(
                title=site.title,
                description=site.description,
                release=settings.release,
                site_url=settings.site_url,
                contact=Contact(**site.contact.model_dump()),
                user=Asker(name=identity.name, authenticated=identity.user is not None),
                languages=list(LANGUAGE_NAMES.values()),
                formats=[_format(name, known) for name, known in formats.FORMATS.items()],
                queues=[Queue(name=queue.name, seconds=queue.timeout) for queue in environment.queues()],
                limits=Limits(
                    upload_bytes=limits.UPLOAD_BYTES, rows=limits.MAX_ROWS, query_characters=limits.QUERY_CHARACTERS
                ),
            )
        )


def _format(name: str, known: formats.Format) -> Format:
    return Format(name=name, label=LABELS[name], media_type=known.media_type, extension=known.extension)
