"""What PostgreSQL can call a column."""

from __future__ import annotations

NAME_BYTES = 63
"""Length of a name; longer ones are cut, which could make two names one."""

SYSTEM_NAMES = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Columns that every table has already."""
