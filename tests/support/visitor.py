"""Somebody who uses the archive all the time, and notes beside what they meet what its status says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from support.cluster import get

QUERY = {"LANG": "ADQL", "QUERY": "SELECT COUNT(*) AS n FROM openngc.objects", "FORMAT": "csv"}
ROWS = "n\r\n14033\r\n"
TRUTH_SECONDS = 10.0
"""How long the status may take to say what is so."""


@dataclass(frozen=True)
class Sample:
    """One round. page, query, cms: what went wrong, empty when nothing did; pods: those that are not ready; impaired:
    whether the test has taken something away; ready, served: status and reason of these; message: of Ready."""

    at: float
    page: str
    query: str
    cms: str
    pods: tuple[str, ...]
    impaired: bool
    ready: tuple[str, str]
    served: tuple[str, str]
    message: str

    @property
    def well(self) -> bool:
        """Whether Ready should be True."""
        return not (self.page or self.query or self.cms or self.pods or self.impaired)


@dataclass
class Visitor:
    """rounds: all samples so far; impaired: set by the test while something is away that no visitor notices."""

    site: str
    name: str
    namespace: str
    rounds: list[Sample] = field(default_factory=list)
    impaired: bool = False
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._stop.wait(0.5):
            self.rounds.append(self.round())

    def stop(self) -> None:
        self._stop.set()

    def round(self) -> Sample:
        page = _trouble(lambda: requests.get(f"{self.site}/", timeout=20), "</html>")
        query = _trouble(lambda: requests.post(f"{self.site}/tap/sync", data=QUERY, timeout=20), ROWS)
        cms = _trouble(lambda: requests.get(f"{self.site}/cms/", timeout=20), "</html>")
        impaired = self.impaired
        archive, pods = _status(self.name, self.namespace)
        conditions = {one["type"]: one for one in archive["status"]["conditions"]}
        ready, served = conditions["Ready"], conditions["Served"]
        return Sample(
            time.monotonic(),
            page,
            query,
            cms,
            pods,
            impaired,
            (ready["status"], ready["reason"]),
            (served["status"], served["reason"]),
            ready["message"],
        )

    def since(self, at: float) -> list[Sample]:
        return [sample for sample in self.rounds if sample.at >= at]

    @property
    def last(self) -> Sample | None:
        return self.rounds[-1] if self.rounds else None


@contextmanager
def visiting(site: str, name: str, namespace: str) -> Iterator[Visitor]:
    """A visitor at work inside the context."""
    visitor = Visitor(site, name, namespace)
    thread = threading.Thread(target=visitor.run, name="visitor")
    thread.start()
    try:
        yield visitor
    finally:
        visitor.stop()
        thread.join()


def lies(rounds: list[Sample]) -> list[Sample]:
    """Samples at which Ready said what had not been so at any moment of the last TRUTH_SECONDS."""
    found = []
    for sample in rounds:
        recent = [one for one in rounds if sample.at - TRUTH_SECONDS <= one.at <= sample.at]
        watched = sample.at - rounds[0].at >= TRUTH_SECONDS
        said = sample.ready[0] == "True"
        if watched and all(one.well != said for one in recent):
            found.append(sample)
    return found


def _trouble(ask: Callable[[], requests.Response], expected: str) -> str:
    """Why an answer is not the expected one; empty when it is."""
    try:
        answer = ask()
    except requests.RequestException as error:
        return type(error).__name__
    if answer.status_code != 200:
        return f"HTTP {answer.status_code}"
    return "" if expected in answer.text else f"unexpected: {answer.text[:200]}"


def _status(name: str, namespace: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The archive, and its pods that are not ready; those that are going do not count, nor do those that are done."""
    found = get("archives,pods", "-n", namespace)["items"]
    (archive,) = (one for one in found if one["kind"] == "Archive" and one["metadata"]["name"] == name)
    pods = [one for one in found if one["kind"] == "Pod" and one["status"]["phase"] != "Succeeded"]
    return archive, tuple(
        pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"] and not _is_ready(pod)
    )


def _is_ready(pod: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
