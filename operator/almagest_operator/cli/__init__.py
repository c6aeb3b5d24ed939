"""The command line: `almagest`, and the same as `kubectl archive`. Reads the cluster and writes nothing to it."""

from almagest_operator.cli.app import main

__all__ = ["main"]
