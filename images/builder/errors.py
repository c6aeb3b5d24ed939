"""What can go wrong while building, in one sentence for the person at the terminal."""


class BuildError(Exception):
    """A step failed; the message says which, why, and where its log is."""
