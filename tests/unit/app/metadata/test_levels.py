"""Whom a level admits, and what remains of it inside of another."""

from __future__ import annotations

from itertools import product

import pytest

from almagest.accounts.identity import NOBODY, Identity
from almagest.metadata.levels import EVERYBODY, Audience, Level

INTERNAL = Audience(Level.INTERNAL)
CLOSED = Audience(Level.PRIVATE)
FIRST = Audience(Level.PRIVATE, frozenset([1]))
SECOND = Audience(Level.PRIVATE, frozenset([2, 3]))
BOTH = Audience(Level.PRIVATE, frozenset([1, 2]))
ALL = (EVERYBODY, INTERNAL, CLOSED, FIRST, SECOND, BOTH)
PEOPLE = (
    NOBODY,
    Identity(session="x"),
    Identity(user=1),
    Identity(user=2, groups=frozenset([1])),
    Identity(user=3, groups=frozenset([2])),
    Identity(user=4, groups=frozenset([1, 2])),
)


@pytest.mark.parametrize(
    ("audience", "admitted"),
    [(EVERYBODY, 6), (INTERNAL, 4), (CLOSED, 0), (FIRST, 2), (SECOND, 2), (BOTH, 3)],
)
def test_a_level_admits_whom_it_says(audience: Audience, admitted: int) -> None:
    assert sum(audience.admits(person) for person in PEOPLE) == admitted


@pytest.mark.parametrize(("parent", "own"), list(product(ALL, ALL)))
def test_nobody_is_admitted_to_a_part_whom_the_whole_does_not_admit(parent: Audience, own: Audience) -> None:
    for person in PEOPLE:
        inside = own.within(parent)
        assert not inside.admits(person) or (parent.admits(person) and own.admits(person))


@pytest.mark.parametrize(("parent", "own"), list(product(ALL, ALL)))
def test_the_whole_takes_nothing_away_from_a_part_that_it_does_not_name(parent: Audience, own: Audience) -> None:
    """Only two sets of groups may leave fewer than those whom both admit."""
    if parent.groups and own.groups:
        return
    for person in PEOPLE:
        assert own.within(parent).admits(person) == (parent.admits(person) and own.admits(person))
