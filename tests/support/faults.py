"""A faulty way to an API server: a proxy on 127.0.0.1 that answers some requests itself, as a sick server would."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web
from multidict import CIMultiDict

from support.apiserver import ApiServer

_HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Fault:
    """What a request meets in place of the server. status: an HTTP status with a Status object as its body."""

    name: str
    status: int = 0

    def __str__(self) -> str:
        return self.name


CUT = Fault("cut")
"""The connection ends without an answer."""

HANG = Fault("hang")
"""No answer for as long as the proxy lives or the client waits."""

GARBAGE = Fault("garbage")
"""200 with a page of HTML."""

STATUSES = tuple(Fault(str(code), code) for code in (400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504))

Choice = Callable[[str, str], Fault | None]
"""Method and path, without its query → the fault, None to ask the server."""


def none(_method: str, _path: str) -> Fault | None:
    return None


@dataclass
class Proxy:
    """choose: may be changed at any time; met: method and path of the requests that met a fault."""

    server: ApiServer
    choose: Choice = none
    met: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0

    def kubeconfig(self, user: str) -> Path:
        """A kubeconfig that leads one of USERS through here."""
        content = yaml.safe_load(self.server.kubeconfig(user).read_text())
        content["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{self.port}"}
        path = self.server.directory / f"{user}-{self.port}.kubeconfig"
        path.write_text(yaml.safe_dump(content))
        return path

    async def handle(self, request: web.Request, upstream: aiohttp.ClientSession) -> web.StreamResponse:
        fault = self.choose(request.method, request.path)
        if fault is not None:
            self.met.append((request.method, request.path))
            return await _faulty(request, fault)
        headers = _end_to_end(request.headers)
        url, body = f"https://127.0.0.1:{self.server.port}{request.raw_path}", await request.read()
        async with upstream.request(request.method, url, data=body or None, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers=_end_to_end(answer.headers))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)


async def _faulty(request: web.Request, fault: Fault) -> web.StreamResponse:
    if fault is HANG:
        await asyncio.Event().wait()
    if fault is CUT:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if fault is GARBAGE:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")
    phrase = HTTPStatus(fault.status).phrase
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": f"made up: {phrase}",
        "reason": phrase.title().replace(" ", ""),
        "code": fault.status,
    }
    return web.json_response(status, status=fault.status)


@contextmanager
def proxy(server: ApiServer) -> Iterator[Proxy]:
    """Serve on a free port, in a thread of its own, until the context ends."""
    found, begun, loop = Proxy(server), threading.Event(), asyncio.new_event_loop()
    end = asyncio.Event()

    async def run() -> None:
        async with _serving(found):
            begun.set()
            await end.wait()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work, name="faulty proxy")
    thread.start()
    try:
        assert begun.wait(10), "the proxy does not serve"
        yield found
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


@asynccontextmanager
async def _serving(found: Proxy) -> AsyncIterator[None]:
    trusted = ssl.create_default_context(cafile=str(found.server.certificate))
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(ssl=trusted)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as upstream:

        async def handle(request: web.Request) -> web.StreamResponse:
            return await found.handle(request, upstream)

        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        try:
            await site.start()
            found.port = runner.addresses[0][1]
            yield
        finally:
            await runner.cleanup()
