"""`almagest val`: what the metadata of an archive's tables have missing or wrong, as its own web process sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.cli.archive import find, pods
from almagest_operator.cli.errors import NO_ANSWER, NOT_FOUND, CommandError, explain
from almagest_operator.desired.web import WEB


async def val(client: Client, name: str, namespace: str, tables: Sequence[str], *, as_json: bool) -> int:
    """Run `almagest-app val` in a web pod, pass on what it says as it says it, and return its exit code."""
    for table in tables:
        if table.endswith((".yaml", ".yml")):
            message = f"{table} is a metadata file, which no archive is needed for: try `almagest-app val {table}`"
            raise CommandError(message, NOT_FOUND)
    await find(client, name, namespace)
    ready = [pod["metadata"]["name"] for pod in await pods(client, name, namespace, WEB.name) if _answers(pod)]
    if not ready:
        message = f"archive {name!r} has no web process that is ready; see `almagest status {name}`"
        raise CommandError(message, NO_ANSWER)
    command = ["almagest-app", "val", *(["--json"] if as_json else []), *tables]
    try:
        return await client.execute(ready[0], namespace, WEB.name, command, _pass_on)
    except ApiError as error:
        raise explain(error) from error


def _answers(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return "deletionTimestamp" not in pod["metadata"] and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )


def _pass_on(descriptor: int, piece: bytes) -> None:
    stream = (sys.stdout if descriptor == 1 else sys.stderr).buffer
    stream.write(piece)
    stream.flush()
