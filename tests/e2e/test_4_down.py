"""`make down` leaves the machine as `make up` found it."""

from __future__ import annotations

import subprocess

import pytest

from e2e.conftest import STATE, Archive, make

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def leftovers() -> dict[str, list[str]]:
    """What a cluster leaves on a host, by kind; every list empty when it is gone."""
    state = str(STATE)
    return {
        "mounts": [line for line in output("mount").splitlines() if state in line or "/kubelet/" in line],
        "links": [line for line in output("ip", "-o", "link").splitlines() if "cni" in line or "almagest" in line],
        "rules": [line for line in output("iptables-save").splitlines() if "KUBE-" in line or "CNI-" in line],
        "sets": [line for line in output("ipset", "list", "-n").splitlines() if "KUBE" in line],
        "processes": [line for line in output("ps", "-eo", "args").splitlines() if state in line],
        "state": [str(path) for path in (STATE,) if path.exists()],
    }


def test_down_leaves_nothing_behind(archive: Archive) -> None:
    before = leftovers()
    assert before["mounts"], "what is looked for must be there before"
    assert before["rules"]
    assert before["processes"]
    make("down", timeout=300)
    assert {kind: found for kind, found in leftovers().items() if found} == {}


def test_down_again_is_fine(archive: Archive) -> None:
    make("down", timeout=120)
