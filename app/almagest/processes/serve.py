"""`almagest-app serve`: the web server."""

from __future__ import annotations

from django.core.management import call_command
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from almagest.config.environment import environment
from almagest.config.logging import configuration

DRAIN = 25
"""Seconds that requests in flight get after SIGTERM; Kubernetes kills after 30."""

WAITING = 1024
"""Requests that a process takes in, whether it serves them now or in their turn. With fewer, connections that are kept
go on being served while others are not even accepted."""


def serve() -> int:
    """Answer requests until SIGTERM or SIGINT; returns the exit code.

    Static files are collected first, with content hashes in their names, into a directory of this process's own: the
    image's file system is read-only, and so a page can never name a file of another release.
    """
    settings = environment()
    call_command("collectstatic", interactive=False, verbosity=0)
    server = Granian(
        "almagest.processes.wsgi:application",
        address="0.0.0.0",  # noqa: S104 - the pod's network policy decides who may come
        port=settings.web_port,
        interface=Interfaces.WSGI,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        backpressure=WAITING,
        http1_settings=HTTP1Settings(keep_alive=True, header_read_timeout=15_000),
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN,
        log_dictconfig=configuration(settings.log_level),
        websockets=False,
    )
    server.serve()
    return 0
