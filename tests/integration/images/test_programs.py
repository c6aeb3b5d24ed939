"""The images of our own programs, and the small ones: they start, read-only and without privileges."""

from __future__ import annotations

import pytest

from integration.images.conftest import Stage
from support.waiting import eventually

pytestmark = pytest.mark.integration


def ended(stage: Stage, image: str, *arguments: str) -> str:
    """What a command of the image says; it must end with success."""
    container = stage.container(stage.pod(), image, {}, {}, arguments)
    container.start()
    assert container.wait(60) == 0, container.log
    return container.log


def test_application_says_its_commands(stage: Stage) -> None:
    assert "migrate" in ended(stage, "app", "--help")


def test_operator_says_that_it_finds_no_cluster(stage: Stage) -> None:
    container = stage.container(stage.pod(), "operator", {})
    container.start()
    assert container.wait(60) == 1
    assert "kubeconfig" in container.log
    assert "Traceback" not in container.log


@pytest.mark.parametrize("image", ["app", "operator"])
def test_byte_code_is_never_made_at_the_start(stage: Stage, image: str) -> None:
    """Python would compile every module that it imports, at each start, when it took the byte code for outdated."""
    container = stage.container(stage.pod(), image, {}, {"PYTHONVERBOSE": "1"})
    container.start()
    container.wait(60)
    loaded = [line for line in container.log.splitlines() if line.startswith("# code object from '/")]
    assert len(loaded) > 100
    assert [line for line in loaded if line.endswith(".py'")] == []


def test_kubernetes_programs_and_shell_run(stage: Stage) -> None:
    assert "CoreDNS-" in ended(stage, "kubernetes", "coredns", "-version")


def test_volumes_can_be_made_and_removed(stage: Stage) -> None:
    ended(stage, "kubernetes", "sh", "-c", "mkdir -m 0777 -p /tmp/volume && rm -rf /tmp/volume")


def test_pause_ends_when_asked(stage: Stage) -> None:
    container = stage.container(stage.pod(), "pause", {})
    container.start()
    eventually("pause to run", lambda: container.running and container.state == "running", within=10, every=0.05)

    def asked() -> bool:
        # The kernel keeps a signal from a first process that does not handle it yet.
        container.signal("TERM")
        return not container.running

    eventually("pause to end", asked, within=30, every=0.2)
    assert container.wait(5) == 0
