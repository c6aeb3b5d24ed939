"""`almagest-app user`, `group` and `token`: what operators do with accounts."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from almagest.accounts import tokens
from almagest.accounts.errors import NoSuchAccountError
from almagest.accounts.models import Token, User

PASSWORD_BYTES = 18


def add_user(name: str, groups: Sequence[str], *, password_from_input: bool) -> int:
    """Make a user, or give one another password and these groups; prints a password that was made here."""
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError as error:
        print(f"almagest-app user add: {' '.join(error.messages)}", file=sys.stderr)
        return 1
    password = sys.stdin.readline().rstrip("\n") if password_from_input else secrets.token_urlsafe(PASSWORD_BYTES)
    if not password:
        print("almagest-app user add: the password on standard input is empty", file=sys.stderr)
        return 1
    try:
        with transaction.atomic():
            user, _ = User.objects.get_or_create(username=name)
            user.set_password(password)
            user.save()
            user.groups.set([group(known) for known in groups])
    except NoSuchAccountError as error:
        print(f"almagest-app user add: {error}", file=sys.stderr)
        return 1
    if not password_from_input:
        print(password)
    return 0


def add_group(name: str, rights: Sequence[str] = ()) -> int:
    """Make a group whose members have these rights, e.g. `edit-metadata`; one that is there keeps what it has."""
    made, _ = Group.objects.get_or_create(name=name)
    wanted = [right.replace("-", "_") for right in rights]
    made.permissions.add(*Permission.objects.filter(codename__in=wanted))
    return 0


def add_token(name: str, label: str, days: int | None) -> int:
    """Make a token for a user and print its secret, which is shown this once."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        print(f"almagest-app token add: there is no active user {name!r}", file=sys.stderr)
        return 1
    print(tokens.issue(user, label, timedelta(days=days) if days else None))
    return 0


def revoke_tokens(name: str, label: str) -> int:
    """Take the user's tokens of this label out of force."""
    gone, _ = Token.objects.filter(user__username=name, name=label).delete()
    print(f"{gone} revoked")
    return 0


def group(name: str) -> Group:
    """The group of this name. Raises NoSuchAccountError."""
    found = Group.objects.filter(name=name).first()
    if found is None:
        raise NoSuchAccountError(f"there is no group {name!r}; `almagest-app group add` makes one")
    return found
