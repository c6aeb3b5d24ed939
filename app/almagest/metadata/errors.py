"""Why metadata cannot be changed so, in words for whoever describes tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class MetadataError(Exception):
    """The family. Its text may be shown to the editor."""


class NotAnEditorError(MetadataError):
    """Whoever asks may not edit what is said of tables."""


class NotDescribedError(MetadataError):
    """There is no schema, table or column of this name."""


class InvalidFieldsError(MetadataError):
    """Values that no such field may have. fields: name → what is wrong, a sentence each."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(said)}" for name, said in fields.items()))
        self.fields = fields
