"""The data database as a load uses it: one connection that leads, and others that copy and index beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection


@dataclass(frozen=True)
class Server:
    """conninfo: as the owner; table: `schema.table`, by which the server's connections know each other."""

    conninfo: str
    table: str

    def connect(self, doing: str) -> Connection[Any]:
        """Another connection (autocommit). doing: what for, as `activity` will show it.

        The server notices within a second that this process died, and does not finish an index for nobody.
        """
        return psycopg.connect(
            self.conninfo,
            autocommit=True,
            application_name=f"{self._mark} {doing}",
            options="-c client_connection_check_interval=1s",
        )

    @contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[Connection[Any]]:
        """A connection, while no other ingest of the table has one; `waiting` is called when one does.

        Whatever still runs for an ingest that died is ended first.
        """
        with self.connect("leads") as data:
            key = f"almagest.ingest {self.table}"
            row = data.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,)).fetchone()
            if not (row and row[0]):
                waiting()
                data.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
            self.end_others(data)
            yield data

    def end_others(self, data: Connection[Any]) -> None:
        """End what runs beside `data`, which is alone; those who wait to be alone wait on."""
        data.execute(
            """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
               WHERE starts_with(application_name, %s) AND application_name <> %s AND usename = current_user""",
            (f"{self._mark} ", f"{self._mark} leads"),
        )

    def building(self, data: Connection[Any]) -> list[tuple[str, float | None]]:
        """The indexes being built beside `data`: what `connect` was told, and the share of the work that is done."""
        rows = data.execute(
            """SELECT a.application_name, p.tuples_done::float8, nullif(p.tuples_total, 0)::float8,
                 p.blocks_done::float8, nullif(p.blocks_total, 0)::float8
               FROM pg_stat_progress_create_index p JOIN pg_stat_activity a USING (pid)
               WHERE starts_with(a.application_name, %s) ORDER BY 1""",
            (f"{self._mark} ",),
        ).fetchall()
        return [
            (name.partition(" ")[2], tuples / of if of else blocks / size if size else None)
            for name, tuples, of, blocks, size in rows
        ]

    @property
    def _mark(self) -> str:
        """Begins the connections' names, which PostgreSQL cuts after 63 bytes: shorter than a table's own may be."""
        return f"ingest-{hashlib.sha256(self.table.encode()).hexdigest()[:12]}"
