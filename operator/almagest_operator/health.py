"""Does this process do its work?  `GET /healthz` answers the kubelet 200, or 503 with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass
class Health:
    """stalled: what is wrong, so that a new process would be better off; empty when all is well.

    That the question is answered at all shows that the event loop turns.
    """

    stalled: str = ""


@asynccontextmanager
async def serve(health: Health, port: int) -> AsyncIterator[None]:
    """Answer on all addresses of the pod while the context is open; port 0 takes any that is free."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"stalled": health.stalled}, status=503 if health.stalled else 200)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 the kubelet asks from outside the pod
        yield
    finally:
        await runner.cleanup()
