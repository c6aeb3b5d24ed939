"""The host's own npm configuration, laid out for the builds as `host` does it for apt and pip."""

from __future__ import annotations

import os
import re
from pathlib import Path

# In npm's own order: the later ones win, and the environment over all of them.
CONFIGURATIONS = ("/usr/etc/npmrc", "/etc/npmrc", "~/.npmrc", os.environ.get("NPM_CONFIG_USERCONFIG", ""))
VARIABLE = re.compile(r"npm_config_(?=\w)", re.IGNORECASE)
# How packages are reached, and with what credentials (`//host/:…`); everything else of the host is its own affair.
REACH = re.compile(r"^(registry|@[\w-]+:registry|//.*|proxy|https-proxy|noproxy|strict-ssl|fetch-.*|maxsockets)$")


def prepare(mounts: Path) -> None:
    """Write `npmrc` beside what `host.prepare` laid out."""
    (mounts / "npmrc").write_text(configuration())


def configuration() -> str:
    """The host's npm options that say how packages are reached, from its files and its environment, as npmrc.

    Paths are left out, the certificate's too: builds see the host's bundle elsewhere and nothing else of its disk.
    """
    found: dict[str, str] = {}
    for path in (Path(name).expanduser() for name in CONFIGURATIONS if name):
        if path.is_file():
            found |= options(path.read_text())
    for name, value in os.environ.items():
        if VARIABLE.match(name):
            found[VARIABLE.sub("", name).lower().replace("_", "-")] = value
    return "".join(f"{key}={value}\n" for key, value in sorted(found.items()) if REACH.match(key))


def options(text: str) -> dict[str, str]:
    """The options of an npmrc; `${NAME}` in a value stands for that variable, as npm has it."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and line[0] not in ";#")
    return {key.strip(): _expanded(value.strip().strip("\"'")) for key, value in pairs}


def _expanded(value: str) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda name: os.environ.get(name[1], name[0]), value)
