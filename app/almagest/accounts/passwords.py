"""Passwords: judged by Django's slow hash, and remembered for some minutes by a fast one.

Programs of the VO send name and password with every request, polling included. The slow hash, 0.3 s of processor time,
is for thieves of the database; so a process remembers what it has found right, under a key that only its memory holds.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict

from almagest.accounts import throttle
from almagest.accounts.errors import WrongCredentialsError
from almagest.accounts.models import User

REMEMBERED_SECONDS = 300.0
REMEMBERED = 1000
"""Users of one process whose password is remembered."""

LONGEST = 4096
"""Characters of a name or a password that are looked at."""

_key = secrets.token_bytes(32)
_lock = threading.Lock()
_right: OrderedDict[bytes, float] = OrderedDict()


def user(name: str, password: str, address: str) -> User:
    """The active user of this name and password. address: where the request came from.

    Raises WrongCredentialsError, which takes as long for a name that nobody has, or TooManyAttemptsError.
    """
    wrong = WrongCredentialsError("the user name or the password is wrong")
    if max(len(name), len(password)) > LONGEST or "\0" in name + password:
        raise wrong
    found = User.objects.filter(username=name, is_active=True).first()
    if found and _remembered(found, password):
        return found
    throttle.check(name, address)
    if found and found.check_password(password):
        _remember(found, password)
        return found
    if found is None:
        User().set_password(password)
    throttle.count(name, address)
    raise wrong


def _remembered(found: User, password: str) -> bool:
    with _lock:
        return _right.get(_mark(found, password), 0.0) > time.monotonic()


def _remember(found: User, password: str) -> None:
    with _lock:
        _right[_mark(found, password)] = time.monotonic() + REMEMBERED_SECONDS
        while len(_right) > REMEMBERED:
            _right.popitem(last=False)


def _mark(found: User, password: str) -> bytes:
    """A digest that another password, or a change of it, does not have."""
    return hmac.digest(_key, f"{found.pk}\0{found.password}\0{password}".encode(), "sha256")
