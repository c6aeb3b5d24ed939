"""The accounts of users and visitors in the data database: one role and one schema each, bound to the user's groups."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from psycopg import Connection

from almagest.accounts.identity import Identity
from almagest.metadata import models, roles


def admit(data: Connection[Any], identity: Identity) -> None:
    """Let there be the role and the schema of an identity that may own things, with the rights that it has now.

    data: as a login role or as the owner, outside a transaction. Groups are looked up here, under the lock of all
    changes of rights, so that an identity of some seconds ago brings back no membership that was taken meanwhile.
    """
    with transaction.atomic():
        models.Revision.objects.select_for_update().get()
        groups = Group.objects.filter(user=identity.user, user__is_active=True) if identity.user is not None else ()
        roles.open_account(data, identity.owner, [roles.group(group.pk) for group in groups])
