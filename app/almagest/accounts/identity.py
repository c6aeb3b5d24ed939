"""Who asks: a user, an anonymous visitor's session, or nobody that could be told from another.

Everything that belongs to somebody (jobs, tables, quotas) and everything that somebody may see follows from this value.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ALL_VISITORS = "almagest_s"
"""How the owner's name of every visitor begins."""


@dataclass(frozen=True, slots=True)
class Identity:
    """user: primary key of the account that was proved, or None; name: its user name; session: the random key of an
    anonymous visitor's session, or None; groups: primary keys of the user's groups when they were last looked up;
    visitor: in place of the session, the owner's name of a visitor for whom something is done in their absence. At most
    one of user, session and visitor is set, and only a user has groups."""

    user: int | None = None
    name: str = ""
    session: str | None = None
    groups: frozenset[int] = frozenset()
    visitor: str = ""

    @property
    def owner(self) -> str:
        """A name without secrets for what belongs to this identity, also its role and schema in the data database.

        Made from the account's number, not from its name, which may change hands. Empty for nobody.
        """
        if self.user is not None:
            return f"almagest_u{self.user}"
        if self.session is not None:
            return f"{ALL_VISITORS}{hashlib.sha256(self.session.encode()).hexdigest()[:32]}"
        return self.visitor


def is_visitor(owner: str) -> bool:
    """Whether what belongs to this owner is a visitor's."""
    return owner.startswith(ALL_VISITORS)


NOBODY = Identity()
"""An anonymous request without a session: it sees what is public and owns nothing."""
