"""How a step says where it is."""

from __future__ import annotations

import sys
from collections.abc import Callable

Progress = Callable[[str], None]
"""Is told one line at a time."""


def to_errors(line: str) -> None:
    """For commands whose standard output belongs to somebody else."""
    sys.stderr.write(f"{line}\n")


def to_terminal(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
