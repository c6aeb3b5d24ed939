"""The API server's audit log: who wrote what."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

STATE = Path(os.environ.get("ALMAGEST_STATE", "/var/lib/almagest"))
OPERATOR = "system:serviceaccount:almagest-system:almagest-operator"
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


@dataclass(frozen=True)
class Write:
    """One request that could change something, at the time the API server received it."""

    at: datetime
    verb: str
    target: str


def writes(user: str, since: datetime, logs: Path = STATE / "log") -> list[Write]:
    """The user's writes since then, from every rotation of the log; a missing log is an error, not an empty answer."""
    files = sorted(logs.rglob("audit*.log"))
    assert files, f"no audit log below {logs}"
    found = {}
    for path in files:
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event["user"]["username"] != user or event["verb"] not in WRITES:
                continue
            at = datetime.fromisoformat(event["requestReceivedTimestamp"])
            if at >= since:
                found[event["auditID"]] = Write(at, event["verb"], event["requestURI"])
    return list(found.values())
