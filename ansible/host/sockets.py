"""Who listens on which port of this network namespace, from /proc alone (proc(5))."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host import processes
from host.processes import Process

DYING_SECONDS = 5.0
"""How long a killed process may take to let go of its ports."""
LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp (include/net/tcp_states.h)."""


@dataclass(frozen=True)
class Socket:
    """A listening socket: its port and the inode that its owner's file descriptor names."""

    port: int
    inode: str


def listening(tables: Iterable[str]) -> list[Socket]:
    """Listening sockets in the text of /proc/net/tcp and tcp6."""
    rows = (line.split() for table in tables for line in table.splitlines()[1:])
    return [Socket(int(row[1].rpartition(":")[2], 16), row[9]) for row in rows if len(row) > 9 and row[3] == LISTEN]


def holders(ports: Collection[int]) -> Mapping[int, Process | None]:
    """Those of the ports that are listened on → by whom; None where no process that we see has the socket.

    A process that was just killed holds its sockets for a moment, when /proc tells no more whose they are.
    """
    deadline = time.monotonic() + DYING_SECONDS
    while None in (found := _holders(ports)).values() and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _holders(ports: Collection[int]) -> Mapping[int, Process | None]:
    tables = [path.read_text() for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]
    taken = {socket.inode: socket.port for socket in listening(tables) if socket.port in ports}
    owners = _owners(taken) if taken else {}
    return {port: owners.get(inode) for inode, port in taken.items()}


def _owners(inodes: Iterable[str]) -> Mapping[str, Process]:
    """Socket inode → the process that has it, for those that can be seen from here."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, Process] = {}
    for process in processes.listing():
        for descriptor in _descriptors(process.pid):
            if inode := wanted.get(processes.target(descriptor)):
                found[inode] = process
    return found


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []
