"""Why somebody was not let in, in words for the person who tried."""

from __future__ import annotations

from typing import ClassVar


class AccountError(Exception):
    """The family. Its text may be shown to anyone. status: of the HTTP answer."""

    status: ClassVar[int] = 403


class UnreadableError(AccountError):
    """What was sent is no form."""

    status = 400


class WrongCredentialsError(AccountError):
    """A name, password or token that proves nothing; which of them is wrong is not said."""

    status = 401


class TooManyAttemptsError(AccountError):
    """Too many wrong credentials came for this name or from this address. seconds: when the next may come."""

    status = 429

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class ForgedRequestError(AccountError):
    """A page of another site made a browser send this, with the cookie of whoever is logged in here."""


class NoSuchAccountError(AccountError):
    """There is no user or group of this name."""

    status = 404
