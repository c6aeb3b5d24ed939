"""The one failure that belongs to the user: a spec that cannot be carried out."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError


class InvalidSpec(ValueError):  # noqa: N818 - the name is also the reason that users read in the Ready condition
    """An Archive asks for something impossible; nothing of it may be applied.

    field: path as the user writes it, e.g. `spec.datasets[0].table`; reason: what is wrong with it, one sentence;
    hint: what to do about it, may be empty. `str()` gives all three in a line, as the Ready condition shows it.
    """

    def __init__(self, field: str, reason: str, hint: str = "") -> None:
        self.field = field
        self.reason = reason
        self.hint = hint
        super().__init__(f"{field}: {reason}" + (f" ({hint})" if hint else ""))

    @classmethod
    def of(cls, error: ValidationError) -> InvalidSpec:
        """The first complaint of pydantic, in the user's terms; the number of the others is in the hint."""
        first, *others = error.errors(include_url=False)
        hint = f"and {len(others)} more" if others else ""
        return cls(_path(first["loc"]), first["msg"].removeprefix("Value error, "), hint)


def _path(location: Sequence[int | str]) -> str:
    """`("spec", "queues", 0, "name")` → `spec.queues[0].name`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".") or "spec"
