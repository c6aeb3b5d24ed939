"""What stops the set-up of a host, in words for the person at the terminal."""

from __future__ import annotations


class HostError(Exception):
    """One line that says what is wrong and what to do about it."""
