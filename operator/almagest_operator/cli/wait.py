"""`almagest wait` and `almagest status --watch`: an archive on its way, followed once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from rich.console import Console
from rich.live import Live

from almagest_operator.apply.client import Client
from almagest_operator.cli.archive import View, find
from almagest_operator.cli.errors import NO_ANSWER, NOT_READY, CommandError
from almagest_operator.cli.tree import tree

_PERIOD = 1.0


async def follow(client: Client, name: str, namespace: str) -> AsyncIterator[View]:
    """The archive, every second; an API server that is away for a moment is asked again."""
    while True:
        try:
            yield await find(client, name, namespace)
        except CommandError as error:
            if error.code != NO_ANSWER:
                raise
        await asyncio.sleep(_PERIOD)


async def watch(client: Client, name: str, namespace: str, console: Console) -> None:
    """Redraw the tree until interrupted."""
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        async for view in follow(client, name, namespace):
            live.update(tree(view), refresh=True)


async def wait(client: Client, name: str, namespace: str, timeout: float, console: Console) -> None:  # noqa: ASYNC109 the deadline's message tells what was waited for
    """Show progress until the archive is ready: a live tree on a terminal, else a line a change.

    Raises CommandError when `timeout` seconds pass, or at once when waiting cannot help.
    """
    deadline, said = time.monotonic() + timeout, ""
    last = await find(client, name, namespace)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        async for view in follow(client, name, namespace):
            last = view
            line = f"{view.summary[0]}: {view.summary[1]}"
            if console.is_terminal:
                live.update(tree(view), refresh=True)
            elif line != said:
                console.out(line, highlight=False)
            said = line
            if view.ready or view.hopeless or time.monotonic() > deadline:
                break
    if last.ready:
        console.print(f"[green]✓[/] archive {last.name} is ready", highlight=False)
    elif last.hopeless:
        raise CommandError(f"archive {name!r} cannot become ready: {said}", NOT_READY)
    else:
        raise CommandError(f"archive {name!r} is not ready after {timeout:g} s: {said}", NOT_READY)
