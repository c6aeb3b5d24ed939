"""Documents as YAML that every reader takes for the same values.

PyYAML writes YAML 1.1 and leaves away the quotes that a text needs for its own reader; kubectl's reads more texts as
numbers. A digest such as `12e4567890` is one, and kubectl refuses the object whose annotation it is.
"""

from __future__ import annotations

import re
from typing import Any

import yaml


class Quoting(yaml.SafeDumper):
    """Quotes each text that some reader of YAML 1.1 or 1.2 takes for a number or a truth value."""


Quoting.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:0[oObBxX][0-9a-fA-F_]*|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9_]*)?)$"),
    list("-+.0123456789"),
)
Quoting.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]$"), list("yYnN"))


def as_yaml(*documents: Any) -> str:
    """The documents one after the other."""
    text: str = yaml.dump_all(documents, Dumper=Quoting, sort_keys=False, width=120, allow_unicode=True)
    return text
