"""`almagest val`: what the metadata of an archive's tables have missing or wrong, as its own web process sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.cli.archive import find
from almagest_operator.cli.errors import NO_ANSWER, CommandError, explain
from almagest_operator.observe.kinds import POD
from almagest_operator.observe.live import COMPONENT, INSTANCE, SELECTOR

_WEB = "web"


async def val(client: Client, name: str, namespace: str, tables: Sequence[str], *, as_json: bool) -> int:
    """Run `almagest-app val` in a web pod, pass on what it says as it says it, and return its exit code."""
    await find(client, name, namespace)
    command = ["almagest-app", "val", *(["--json"] if as_json else []), *tables]
    try:
        pods = await client.all(POD, namespace, labels=f"{SELECTOR},{INSTANCE}={name},{COMPONENT}={_WEB}")
        ready = [pod["metadata"]["name"] for pod in pods if _answers(pod)]
        if not ready:
            raise CommandError(
                f"archive {name!r} has no web process that is ready; see `almagest status {name}`", NO_ANSWER
            )
        return await client.execute(ready[0], namespace, _WEB, command, _pass_on)
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
