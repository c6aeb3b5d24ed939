"""One check for each dependency, all at once, none longer than a second.

Pages and synchronous queries need the application's database and its migrations, so these alone decide whether this
process is ready. Whatever else does not answer impairs the archive, and is reported: taking the process out of service
would heal nothing, and take away what goes on without.

A check that hangs (a dead network, a stuck name server) keeps its one thread until its own timeout; the next probes
report it as not answering and start no second one, so threads never pile up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

import kombu
import psycopg
from django.core.cache import cache as redis_cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from psycopg_pool import ConnectionPool

from almagest.config.environment import environment
from almagest.config.once import once

LIMIT = 1.0
"""Seconds that a probe waits for all checks together."""

log = logging.getLogger(__name__)

Check = Callable[[], None]
"""Returns when the dependency answers, raises when it does not."""


class NotReadyError(Exception):
    """A dependency answers, but is not in the state that this release needs; the message may be shown to anyone."""


def application_database() -> None:
    """The application's database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # this thread belongs to no request that would give the connection back to the pool


def migrations() -> None:
    """Every migration of this release is applied; asked until it is so, since nothing takes migrations back."""
    if not _migrated.is_set():
        try:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        finally:
            connection.close()
        if missing:
            raise NotReadyError(f"{len(missing)} migrations are not applied yet, the first is {missing[0][0]}")
        _migrated.set()


_migrated = threading.Event()


def data_database() -> None:
    """The data database lets the query role in and answers it."""
    with _data_pool().connection(timeout=LIMIT) as reader:
        reader.execute("SELECT 1")


@once
def _data_pool() -> ConnectionPool[psycopg.Connection]:
    conninfo = environment().datadb_conninfo("almagest_query")
    return ConnectionPool(
        conninfo,
        min_size=0,
        max_size=1,
        open=True,
        kwargs={"autocommit": True, "application_name": "health"},
        check=ConnectionPool.check_connection,
        reconnect_timeout=LIMIT,
    )


def cache_server() -> None:
    """Redis answers with our password."""
    redis_cache.get("health")


def broker() -> None:
    """RabbitMQ opens a channel on a connection that is kept from probe to probe."""
    link = _broker_connection()
    try:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=round(LIMIT))
        with link.channel():
            pass
    except Exception:
        link.collect(socket_timeout=LIMIT)
        raise


@once
def _broker_connection() -> kombu.Connection:
    settings = environment()
    return kombu.Connection(
        transport="pyamqp",
        hostname=settings.broker_host,
        port=settings.broker_port,
        userid=settings.broker_user,
        password=settings.secret("broker/password"),
        virtual_host=settings.broker_vhost,
        connect_timeout=LIMIT,
        # A broker that hangs, or whose machine is gone, would keep a read waiting for ever.
        transport_options={"read_timeout": LIMIT, "write_timeout": LIMIT},
        heartbeat=0,
    )


CHECKS: Mapping[str, Check] = {
    "appdb": application_database,
    "migrations": migrations,
    "datadb": data_database,
    "cache": cache_server,
    "broker": broker,
}

REQUIRED = ("appdb", "migrations")
"""Without these this process is not ready."""

MEANWHILE: Mapping[str, str] = {
    "datadb": "queries are refused",
    "cache": "wrong passwords are not counted",
    "broker": "asynchronous queries wait",
}
"""What goes on, or does not, while one of the others is away."""

_threads = ThreadPoolExecutor(max_workers=len(CHECKS), thread_name_prefix="health")
_running: dict[str, Future[None]] = {}
_guard = threading.Lock()


def run(checks: Mapping[str, Check]) -> dict[str, str | None]:
    """Each check's reason for not being ready, None when it is; in the order given, within LIMIT seconds."""
    deadline = time.monotonic() + LIMIT
    with _guard:
        for name, check in checks.items():
            if name not in _running or _running[name].done():
                _running[name] = _threads.submit(check)
        futures = {name: _running[name] for name in checks}
    return {name: _told(name, _reason(name, future, deadline)) for name, future in futures.items()}


def _told(name: str, reason: str | None) -> str | None:
    return f"{reason}: {MEANWHILE[name]}" if reason and name in MEANWHILE else reason


def _reason(name: str, future: Future[None], deadline: float) -> str | None:
    try:
        future.result(timeout=max(0.0, deadline - time.monotonic()))
    except Late:
        return f"no answer within {LIMIT:g} s"
    except NotReadyError as error:
        return str(error)
    except Exception as error:
        # The exception's text may name hosts, users or more; the log has it, the page only the kind.
        log.warning("health check failed", extra={"check": name, "reason": str(error)})
        return f"does not answer ({type(error).__name__})"
    return None
