"""`almagest wait` and `almagest status --watch`: an archive on its way, followed once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from rich.console import Console
from rich.live import Live
from rich.text import Text
from rich.tree import Tree

from almagest_operator.apply.client import ApiError, Client
from almagest_operator.cli.archive import View, find
from almagest_operator.cli.errors import NOT_READY, CommandError, explain
from almagest_operator.cli.tree import tree

_PERIOD = 1.0
_PATIENCE = 90.0
"""Seconds for what mostly does not pass by itself; the operator tries what was refused once a minute."""

Seen = View | CommandError


async def follow(client: Client, name: str, namespace: str) -> AsyncIterator[Seen]:
    """The archive, every second; in its place why the API server, which answered before, does not for a moment."""
    yield await find(client, name, namespace)
    while True:
        await asyncio.sleep(_PERIOD)
        try:
            yield await find(client, name, namespace)
        except ApiError as error:
            if not error.passing:
                raise
            yield explain(error)


async def watch(client: Client, name: str, namespace: str, console: Console) -> None:
    """Redraw the tree until interrupted."""
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        async for seen in follow(client, name, namespace):
            live.update(_drawn(seen), refresh=True)


async def wait(client: Client, name: str, namespace: str, timeout: float, console: Console) -> None:  # noqa: ASYNC109 the deadline's message tells what was waited for
    """Show progress until the archive is ready: a live tree on a terminal, else a line a change.

    Raises CommandError when `timeout` seconds pass, at once when waiting cannot help, and soon when it hardly can.
    """
    said, moved = "the API server has not answered yet", time.monotonic()
    try:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            async with asyncio.timeout(timeout):
                async for seen in follow(client, name, namespace):
                    line = _told(seen)
                    if console.is_terminal:
                        live.update(_drawn(seen), refresh=True)
                    elif line != said:
                        console.out(line, highlight=False)
                    said = line
                    if isinstance(seen, View):
                        if seen.ready:
                            break
                        now = time.monotonic()
                        moved = moved if seen.stuck else now
                        _give_up(seen, now - moved)
    except TimeoutError:
        raise CommandError(f"archive {name!r} is not ready after {timeout:g} s: {said}", NOT_READY) from None
    console.print(f"[green]✓[/] archive {name} is ready", highlight=False)


def _give_up(view: View, stuck: float) -> None:
    """Raise CommandError when waiting cannot help, or has not for as many seconds as it mostly would."""
    if view.hopeless:
        raise CommandError(f"archive {view.name!r} cannot become ready: {_told(view)}", NOT_READY)
    if stuck > _PATIENCE:
        raise CommandError(f"archive {view.name!r} does not get on: {view.stuck}", NOT_READY)


def _told(seen: Seen) -> str:
    """In one line."""
    return ": ".join(seen.summary) if isinstance(seen, View) else str(seen)


def _drawn(seen: Seen) -> Tree | Text:
    """For a terminal."""
    return tree(seen) if isinstance(seen, View) else Text(str(seen))
