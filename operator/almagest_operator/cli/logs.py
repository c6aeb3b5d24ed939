"""`almagest logs`: what the pods of an archive, or of one component, say."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.cli.archive import find, pods
from almagest_operator.cli.errors import NOT_FOUND, CommandError, explain
from almagest_operator.model.identity import COMPONENT
from almagest_operator.observe.kinds import POD

Body = Mapping[str, Any]


async def logs(client: Client, name: str, namespace: str, component: str | None, query: Mapping[str, str]) -> None:
    """Print the log of every container, each line with its pod before it when there are several.

    query: of the API's log subresource (`follow`, `tailLines`, `previous`).
    """
    await find(client, name, namespace)
    found = await pods(client, name, namespace, component)
    if not found:
        raise CommandError(await _nothing(client, name, namespace, component), NOT_FOUND)
    sources = [(pod["metadata"]["name"], container["name"]) for pod in found for container in pod["spec"]["containers"]]
    prefixed = len(sources) > 1
    async with asyncio.TaskGroup() as tasks:
        for pod, container in sources:
            tasks.create_task(_print(client, namespace, pod, container, query, prefixed))


async def _nothing(client: Client, name: str, namespace: str, component: str | None) -> str:
    """Why there is no log, with the components of which there is one."""
    if component is None:
        return f"archive {name!r} has no pods yet"
    every = await pods(client, name, namespace)
    known = ", ".join(sorted({pod["metadata"]["labels"][COMPONENT] for pod in every})) or "none"
    return f"archive {name!r} has no pods of component {component!r} (there: {known})"


async def _print(
    client: Client, namespace: str, pod: str, container: str, query: Mapping[str, str], prefixed: bool
) -> None:
    """One container's log; one that has not started yet has none, which is no failure of the others."""
    head = f"{pod} │ " if prefixed else ""
    try:
        async for line in client.lines(POD, pod, namespace, "log", {**query, "container": container}):
            sys.stdout.write(f"{head}{line}\n")
            sys.stdout.flush()
    except ApiError as error:
        if error.status == 0:
            raise explain(error) from error
        sys.stderr.write(f"{pod}: {error.message}\n")
