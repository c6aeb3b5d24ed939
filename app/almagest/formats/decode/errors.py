"""What can be wrong with a file, said so that its owner finds the place."""

from __future__ import annotations


class DecodingError(ValueError):
    """The file cannot be read as a table. row: counted from 1; column: by name."""

    def __init__(self, message: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.row = row
        self.column = column

    def __str__(self) -> str:
        row = f"row {self.row:,}" if self.row is not None else None
        column = f"column {self.column!r}" if self.column is not None else None
        place = ", ".join(part for part in (row, column) if part)
        return f"{place}: {self.message}" if place else self.message


class TooMuchError(DecodingError):
    """The file holds, or claims to hold, more than its bounds allow."""
