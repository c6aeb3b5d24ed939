"""`almagest wait` and `almagest status --watch`: an archive on its way, followed once a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

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
"""Seconds for a refusal, which mostly does not pass by itself; the operator tries again once a minute."""

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
    said, moved = "the API server has not answered yet", monotonic()
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
                    if isinstance(seen, View) and seen.ready:
                        break
                    now = monotonic()
                    moved = moved if isinstance(seen, View) and seen.refusal else now
                    _give_up(seen, now - moved)
    except TimeoutError:
        raise CommandError(f"archive {name!r} is not ready after {timeout:g} s: {said}", NOT_READY) from None
    console.print(f"[green]✓[/] archive {name} is ready", highlight=False)


def _give_up(seen: Seen, refused: float) -> None:
    """Raise CommandError when waiting cannot help, or an object has been refused for too many seconds."""
    if not isinstance(seen, View):
        return
    if seen.hopeless:
        raise CommandError(f"archive {seen.name!r} cannot become ready: {_told(seen)}", NOT_READY)
    if refused > _PATIENCE:
        raise CommandError(f"archive {seen.name!r} does not get on: {seen.refusal}", NOT_READY)


def _told(seen: Seen) -> str:
    """In one line."""
    return ": ".join(seen.summary) if isinstance(seen, View) else str(seen)


def _drawn(seen: Seen) -> Tree | Text:
    """For a terminal."""
    return tree(seen) if isinstance(seen, View) else Text(str(seen))
