"""What a kubelet, a scheduler and the workload controllers would report, for an API server that has none of them.

A thread that every 100 ms gives Deployments, StatefulSets and Jobs the status of success, or what `outcomes` says; and
a server that answers in place of the archive's proxy.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.apiserver import ApiServer, Manifest, Refused

_PATHS = {
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "Job": ("batch/v1", "jobs"),
}


@dataclass
class Missing:
    """outcomes: component → `hold` (nothing happens), `run` or `fail` (of a Job); all else succeeds. served: whether
    the application answers behind the proxy; away: dependency → what it says of it; proxy: where the proxy is."""

    server: ApiServer
    namespace: str
    outcomes: dict[str, str] = field(default_factory=dict)
    served: bool = True
    away: dict[str, str] = field(default_factory=dict)
    proxy: str = ""
    _paused: threading.Event = field(default_factory=threading.Event)
    _beating: threading.Lock = field(default_factory=threading.Lock)

    def pause(self) -> None:
        """No beat until `resume`; returns when the present one has ended."""
        self._paused.set()
        with self._beating:
            return

    def resume(self) -> None:
        self._paused.clear()

    def turn(self) -> None:
        """A beat, unless paused."""
        with self._beating:
            if not self._paused.is_set():
                self.beat()

    def beat(self) -> None:
        for kind, (version, plural) in _PATHS.items():
            place = f"/apis/{version}/namespaces/{self.namespace}/{plural}"
            for found in self.server.request("GET", place)["items"]:
                component = found["metadata"]["labels"]["app.kubernetes.io/component"]
                outcome = self.outcomes.get(component, "succeed")
                status = _status(kind, found, outcome)
                if outcome == "hold" or status.items() <= found.get("status", {}).items():
                    continue
                try:
                    path = f"{place}/{found['metadata']['name']}/status"
                    self.server.request("PATCH", path, {"status": status}, kind="merge-patch+json")
                except Refused as refused:
                    if refused.status != 404:  # deleted meanwhile
                        raise


@contextmanager
def controllers(server: ApiServer, namespace: str) -> Iterator[Missing]:
    """Run the beat until the context ends; an error of the thread ends the test."""
    missing, stop, errors = Missing(server, namespace), threading.Event(), list[BaseException]()

    def loop() -> None:
        while not stop.wait(0.1):
            try:
                missing.turn()
            except BaseException as error:
                errors.append(error)
                return

    thread = threading.Thread(target=loop, name="missing controllers")
    thread.start()
    with ThreadingHTTPServer(("127.0.0.1", 0), _answers(missing)) as proxy:
        missing.proxy = f"127.0.0.1:{proxy.server_port}"
        threading.Thread(target=proxy.serve_forever, name="missing proxy").start()
        try:
            yield missing
        finally:
            proxy.shutdown()
            stop.set()
            thread.join()
    assert not errors, errors


def _answers(missing: Missing) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"checks": {"appdb": "ok", **missing.away}}).encode()
            self.send_response(200 if missing.served else 503)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The tests' output is not for this."""

    return Answers


def _status(kind: str, found: Manifest, outcome: str) -> Manifest:
    generation = found["metadata"]["generation"]
    if kind == "Job":
        known = found.get("status", {})
        return _finished(found) if known.get("conditions") else _job(outcome, known.get("startTime"))
    replicas = found["spec"].get("replicas", 1)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), replicas)
    revision = str(generation)
    revisions = {"currentRevision": revision, "updateRevision": revision} if kind == "StatefulSet" else {}
    return {"observedGeneration": generation, **counts, **revisions}


def _finished(found: Manifest) -> Manifest:
    """A Job's end is final."""
    status: Manifest = found["status"]
    return status


def _job(outcome: str, started: str | None) -> Manifest:
    """started: when it did, if it has; that may not change (batch/v1 JobStatus)."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    start = started or now
    if outcome == "run":
        return {"startTime": start, "active": 1, "ready": 1}
    if outcome == "fail":
        reason = {"status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the backoff limit"}
        return {
            "startTime": start,
            "active": 0,
            "ready": 0,
            "failed": 3,
            "conditions": [{"type": "FailureTarget", **reason}, {"type": "Failed", **reason}],
        }
    ends = [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]
    done = {"active": 0, "ready": 0, "succeeded": 1}
    return {"startTime": start, "completionTime": now, **done, "conditions": ends}
