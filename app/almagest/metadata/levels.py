"""Whom a thing admits, by its level and those of what it is part of. No rows are read here."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models.enums import TextChoices

from almagest.accounts.identity import Identity


class Level(TextChoices):
    """Whom something admits. What it is part of may admit fewer (`Audience.within`)."""

    PUBLIC = "public", "everybody"
    INTERNAL = "internal", "whoever is logged in"
    PRIVATE = "private", "members of its groups"


@dataclass(frozen=True, slots=True)
class Audience:
    """Those who may. groups: primary keys of the groups whose members may, where the level is private."""

    level: Level
    groups: frozenset[int] = frozenset()

    def admits(self, identity: Identity) -> bool:
        """Whether this identity is one of them."""
        match self.level:
            case Level.PUBLIC:
                return True
            case Level.INTERNAL:
                return identity.user is not None
            case _:
                return identity.user is not None and not self.groups.isdisjoint(identity.groups)

    def within(self, parent: Audience) -> Audience:
        """Those of this audience whom the parent's admits too.

        Where both are private that is the groups which both name: a member of one group of each alone is refused,
        because no role of the data database says "both". Stricter than need be, never laxer.
        """
        if self.level != Level.PRIVATE:
            return parent if parent.level == Level.PRIVATE or self.level == Level.PUBLIC else self
        return Audience(Level.PRIVATE, self.groups & parent.groups) if parent.level == Level.PRIVATE else self


EVERYBODY = Audience(Level.PUBLIC)
