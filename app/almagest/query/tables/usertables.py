"""Tables that users keep here: uploaded once, then queried as `tap_user.<name>` until they drop them (VOSI 1.2 §4)."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from django.db import transaction
from django.db.models.functions import Now

from almagest.accounts.identity import Identity
from almagest.query import datadb, quotas, request
from almagest.query.errors import ForbiddenError, InvalidRequestError, NoSuchTableError
from almagest.query.failures import explain
from almagest.query.models import Job, Phase, UserTable
from almagest.query.tables import columns, jobtables, uploads
from almagest.query.tables.jobtables import SCHEMA
from almagest.query.tables.uploads import Part, Unread

STORED_BY = timedelta(hours=1)
"""A table that is not whole so long after its row was made is not being stored any more: no statement takes longer than
`limits.SYNC_SECONDS`, and there are a few of them."""


def create(identity: Identity, name: str, part: Part | Unread) -> UserTable:
    """Keep the table of a file under this name. Of a file that is still to come nothing is read before it is clear that
    the asker may keep one.

    Raises ForbiddenError for those who are not logged in, InvalidRequestError when the name is none or taken or the
    file is no table, TooLargeError and QuotaError.
    """
    user, owner = _user(identity), identity.owner
    name = request.table_name(name)
    quotas.check_room(quotas.budgets(owner, identity.user))
    _refuse_taken(owner, name)
    wanted = request.Upload(name, f"param:{name}")
    with uploads.received([wanted], {name: part}) as (received,):
        row = UserTable(owner=owner, user_id=user, name=name, nrows=received.nrows)
        row.columns = columns.write(received.columns)
        # The row comes first: a table without one is an orphan. It shows itself only when this transaction ends.
        with transaction.atomic():
            quotas.hold(owner)
            _refuse_taken(owner, name)
            row.save(force_insert=True)
        try:
            row.nbytes = _store(identity, received, row)
        except BaseException:
            row.delete()
            raise
        if not UserTable.objects.filter(pk=row.pk).update(nbytes=row.nbytes):
            raise NoSuchTableError(f"{SCHEMA}.{name} was dropped while it was stored")
    return row


def kept(identity: Identity) -> list[UserTable]:
    """The tables that are whole, by name; none of those who are not logged in."""
    if identity.user is None:
        return []
    return list(UserTable.objects.filter(owner=identity.owner, nbytes__isnull=False).defer("columns").order_by("name"))


def drop(identity: Identity, name: str) -> None:
    """Forget the user's table of this name, whole or not; what it took on disk goes with the next sweep.

    Raises ForbiddenError for those who are not logged in, NoSuchTableError.
    """
    dropped, _ = UserTable.objects.filter(user=_user(identity), name=name.lower()).delete()
    if not dropped:
        raise NoSuchTableError(f"you have no table {SCHEMA}.{name} that was uploaded")


def forget_unfinished() -> None:
    """Give the names of tables free that a process was storing when it was killed; the tables are orphans then."""
    UserTable.objects.filter(nbytes=None, created_at__lt=Now() - STORED_BY).delete()


def rename(identity: Identity, name: str, wanted: str) -> str:
    """Let the asker's queries call one of their tables, kept or a result, `tap_user.<wanted>`; returns that name.

    Raises ForbiddenError for who owns nothing, NoSuchTableError, and InvalidRequestError when the new name is none or
    taken.
    """
    owner, name, wanted = identity.owner, name.lower(), request.table_name(wanted)
    if not owner:
        raise ForbiddenError("log in to have tables here that can be renamed")
    with transaction.atomic():
        quotas.hold(owner)
        kept = UserTable.objects.filter(owner=owner, name=name, nbytes__isnull=False)
        result = Job.objects.filter(owner=owner, table_name=name, phase=Phase.COMPLETED).first()
        if kept.exists():
            if wanted != name:
                _refuse_taken(owner, wanted)
            kept.update(name=wanted)
        elif result:
            jobtables.rename(result, wanted)
        else:
            raise NoSuchTableError(f"you have no table {SCHEMA}.{name}")
    return wanted


def _store(identity: Identity, received: uploads.Received, row: UserTable) -> int:
    """Returns the bytes that it takes. Raises QuotaError when that is more than is left."""
    try:
        with datadb.uploader(identity) as connection:
            nbytes = uploads.store(connection, received, row.owner, row.stored_name, logged=True)
            quotas.check_fits(row.owner, identity.user, nbytes)
    except psycopg.Error as error:
        raise explain(error, uploads.ADVICE) from error
    return nbytes


def _refuse_taken(owner: str, name: str) -> None:
    taken = UserTable.objects.filter(owner=owner, name=name).exists()
    if taken or Job.objects.filter(owner=owner, table_name=name).exists():
        raise InvalidRequestError(f"you have a table {SCHEMA}.{name} already; drop it first, or choose another name")


def _user(identity: Identity) -> int:
    if identity.user is None:
        raise ForbiddenError(
            "log in to keep tables here; without an account, bring them along with each query (UPLOAD)"
        )
    return identity.user
