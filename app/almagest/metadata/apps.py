"""The application's hooks: rights follow when groups and their members change."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.db.models.signals import m2m_changed, post_delete


class Metadata(AppConfig):
    """Connects what happens to groups with the grants in the data database."""

    name = "almagest.metadata"
    label = "metadata"

    def ready(self) -> None:
        """Called once a process, when all models are there."""
        from django.contrib.auth.models import Group  # noqa: PLC0415 - models cannot be imported before this

        m2m_changed.connect(_members_changed, sender=get_user_model().groups.through, dispatch_uid="almagest.members")
        post_delete.connect(_group_deleted, sender=Group, dispatch_uid="almagest.group")


def _members_changed(action: str, **_: Any) -> None:
    if action.startswith("post_"):
        _synchronise()


def _group_deleted(**_: Any) -> None:
    _synchronise()


def _synchronise() -> None:
    """Inside the transaction of the change, so that it is not in force before its grants."""
    from almagest.metadata import grants  # noqa: PLC0415 - as above

    with grants.steward() as data:
        grants.synchronise(data)
