"""`/api/v1/me`: who asks, what they have here, and how much more they may have."""

from __future__ import annotations

from datetime import datetime

from rest_framework.request import Request
from rest_framework.response import Response

from almagest.api.authentication import asker
from almagest.api.face import Route, Told, operation
from almagest.query import quotas
from almagest.query.tables import usertables


class Quota(Told):
    """How much of what is allowed is taken."""

    used: int
    limit: int


class Quotas(Told):
    """bytes, rows: of stored results and kept tables together; active: jobs that wait or run."""

    bytes: Quota
    rows: Quota
    active: Quota


class KeptTable(Told):
    """A table that a user keeps. name: behind `tap_user.`."""

    name: str
    rows: int
    bytes: int
    created: datetime


class Me(Told):
    """Who asks. name: empty for who is not logged in; tables: those that they keep."""

    name: str
    authenticated: bool
    quotas: Quotas
    tables: list[KeptTable]


class MeRoute(Route):
    """`/me`."""

    @operation("me", answers={200: Me}, tag="site")
    def get(self, request: Request) -> Response:
        """Who asks, what they keep here, and how much more they may have."""
        identity = asker(request)
        taken, allowed = quotas.taken(identity), quotas.allowed(identity)
        tables = [
            KeptTable(name=row.name, rows=row.nrows, bytes=row.nbytes or 0, created=row.created_at)
            for row in usertables.kept(identity)
        ]
        return Response(
            Me(
                name=identity.name,
                authenticated=identity.user is not None,
                quotas=Quotas(
                    bytes=Quota(used=taken.nbytes, limit=allowed.nbytes),
                    rows=Quota(used=taken.nrows, limit=allowed.nrows),
                    active=Quota(used=taken.active, limit=allowed.active),
                ),
                tables=tables,
            )
        )
