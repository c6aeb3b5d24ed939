"""The command line against a real API server."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from integration.operator.conftest import Bench
from support.archives import ROOT


def almagest(bench: Bench, *arguments: str, program: str = "almagest") -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.argv[0] = {program!r}; from almagest_operator.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "operator"), "KUBECONFIG": str(bench.server.kubeconfig())}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_status_of_a_ready_archive(shared: Bench) -> None:
    done = almagest(shared, "status", "gaia", "-n", shared.namespace, "--output", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["ready"] is True
    assert found["release"] == "0.1.0"
    assert found["endpoints"]["tap"] == found["endpoints"]["site"] + "/tap"


def test_status_as_a_tree(shared: Bench) -> None:
    done = almagest(shared, "status", "gaia", "-n", shared.namespace)
    assert done.returncode == 0
    assert "✓ gaia  Ready" in done.stdout
    assert "\x1b" not in done.stdout, "colours are for terminals"


def test_open_prints_the_address(shared: Bench) -> None:
    done = almagest(shared, "open", "gaia", "-n", shared.namespace, "--print")
    assert done.stdout.strip() == shared.archive()["status"]["endpoints"]["site"]


def test_wait_tells_each_step_once_and_ends_when_ready(bench: Bench) -> None:
    bench.apply()
    bench.start()
    done = almagest(bench, "wait", "gaia", "-n", bench.namespace, "--timeout", "40s")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "✓ archive gaia is ready"
    assert len(lines) == len(set(lines))


def test_wait_ends_early_when_waiting_cannot_help(bench: Bench) -> None:
    bench.apply(release="none-such")
    bench.start()
    done = almagest(bench, "wait", "gaia", "-n", bench.namespace, "--timeout", "50s")
    assert done.returncode == 1
    assert "InvalidSpec: spec.release: there is no ArchiveRelease 'none-such'" in done.stderr


def test_wait_says_what_it_waited_for(bench: Bench) -> None:
    bench.apply()
    done = almagest(bench, "wait", "gaia", "-n", bench.namespace, "--timeout", "2")
    assert done.returncode == 1
    assert (
        done.stderr
        == "almagest: archive 'gaia' is not ready after 2 s: Pending: the operator has not looked at it yet\n"
    )


def test_val_without_a_web_process_says_where_to_look(shared: Bench) -> None:
    done = almagest(shared, "val", "gaia", "-n", shared.namespace)
    assert done.returncode == 3
    assert done.stderr == "almagest: archive 'gaia' has no web process that is ready; see `almagest status gaia`\n"


def test_val_sends_those_with_a_file_to_the_command_that_needs_no_archive(shared: Bench) -> None:
    done = almagest(shared, "val", "gaia", "stars.yaml", "-n", shared.namespace)
    assert done.returncode == 2
    assert "almagest-app val stars.yaml" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "hubble"), "there is no archive 'hubble' in namespace '{namespace}' (there: gaia)"),
        (("logs", "gaia", "web"), "archive 'gaia' has no pods of component 'web' (there: none)"),
        (("logs", "gaia"), "archive 'gaia' has no pods yet"),
    ],
)
def test_what_is_not_found_is_said_in_one_line(shared: Bench, arguments: tuple[str, ...], said: str) -> None:
    done = almagest(shared, *arguments, "-n", shared.namespace, program="kubectl-archive")
    assert done.returncode == 2
    assert done.stderr == f"kubectl archive: {said.format(namespace=shared.namespace)}\n"


def test_an_unknown_context_is_said_in_one_line(shared: Bench) -> None:
    done = almagest(shared, "status", "gaia", "--context", "mars")
    assert done.returncode == 3
    assert done.stderr.startswith("almagest: no usable kubeconfig: ")
    assert done.stderr.count("\n") == 1
