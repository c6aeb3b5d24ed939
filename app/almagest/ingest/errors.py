"""What can be wrong with a source, said so that its owner finds the place."""

from __future__ import annotations

from almagest.formats.decode import DecodingError


class IngestError(Exception):
    """A source, its description or its place in the database is not usable.

    file: as the user named it; row: counted from 1, the first row of data; column: by name.
    """

    def __init__(
        self, message: str, *, file: str | None = None, row: int | None = None, column: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.row = row
        self.column = column

    @classmethod
    def of(cls, error: DecodingError, file: str) -> IngestError:
        """What a decoder found wrong with a file."""
        return cls(error.message, file=file, row=error.row, column=error.column)

    def __str__(self) -> str:
        row = f"row {self.row:,}" if self.row is not None else None
        column = f"column {self.column}" if self.column is not None else None
        place = ", ".join(part for part in (self.file, row, column) if part)
        return f"{place}: {self.message}" if place else self.message
