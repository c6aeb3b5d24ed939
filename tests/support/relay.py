"""A way to a server that a test can cut, freeze and mend: every connection goes through this process."""

from __future__ import annotations

import contextlib
import socket
import threading


class Relay:
    """`port` of this machine stands for the server at host and port. asked: bytes that were sent towards it."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        self.asked = 0
        self._thawed = threading.Event()
        self._thawed.set()
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """As when the server has gone: connections end, and new ones are ended at once."""
        self.open = False
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """As when the server's processes are stopped: connections are accepted, and nothing is ever answered."""
        self._thawed.clear()

    def mend(self) -> None:
        self.open = True
        self._thawed.set()

    def _accept(self) -> None:
        while True:
            near, _ = self.listener.accept()
            if not self.open:
                near.close()
                continue
            far = socket.create_connection(self.target)
            self.ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        towards = sink.getpeername() == self.target
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if towards:
                    self.asked += len(data)
                self._thawed.wait()
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
