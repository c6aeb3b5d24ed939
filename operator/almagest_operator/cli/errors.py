"""What can go wrong at the command line, each in one line that says what to do, with its exit code."""

from __future__ import annotations

from almagest_operator.apply.client import ApiError

NOT_READY, NOT_FOUND, NO_ANSWER = 1, 2, 3


class CommandError(Exception):
    """A failure for the person at the terminal. code: the process's exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        self.code = code
        super().__init__(message)


def explain(error: ApiError) -> CommandError:
    """An API server's refusal in words for people."""
    if error.status == 0:
        return CommandError(error.message, NO_ANSWER)
    if error.status == 404 and "could not find the requested resource" in error.message:
        return CommandError("this cluster knows no Archives: the operator's chart is not installed", NO_ANSWER)
    if error.status in {401, 403}:
        return CommandError(f"not allowed: {error.message}", NO_ANSWER)
    return CommandError(f"{error.what}: {error.message or error.reason}", NO_ANSWER)
