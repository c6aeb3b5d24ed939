"""A SAMP hub as TOPCAT has one, and a program that is told of tables: both are JSAMP, which comes with STILTS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.waiting import eventually

JSAMP = Path("/usr/share/java/jsamp.jar")
CLIENT = "listener"


@contextmanager
def hub(home: Path) -> Iterator[Path]:
    """The hub, which lets every page in, and the listener. Yields the file that has each message that came.

    home: a directory for the hub's lock file, which is else in that of the user.
    """
    java = ["java", "-XX:+UseSerialGC", f"-Duser.home={home}", "-jar", str(JSAMP)]
    environment = {**os.environ, "HOME": str(home)}
    messages = home / "messages.txt"
    with messages.open("wb") as heard, (home / "hub.log").open("wb") as log:
        running = [
            subprocess.Popen(
                [*java, "hub", "-mode", "no-gui", "-profiles", "std,web", "-web:auth", "true"],
                stdout=log, stderr=log, env=environment,
            )
        ]  # fmt: skip
        try:
            eventually("the hub's lock file", (home / ".samp").exists, within=30)
            running.append(
                subprocess.Popen(
                    [*java, "snooper", "-clientname", CLIENT, "-mtype", "table.load.votable"],
                    stdout=heard, stderr=log, env=environment,
                )
            )  # fmt: skip
            yield messages
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait(30)
