"""Variables, secrets and files: read once, and what is wrong is named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from almagest.config import environment as surroundings
from almagest.config.environment import ConfigurationError

NEEDED = {
    "ARCHIVE": "gaia",
    "ENVIRONMENT": "dev",
    "RELEASE": "0.1.0",
    "SITE_URL": "https://gaia.example.org",
    "ALLOWED_HOSTS": "gaia.example.org, gaia-web",
    "APPDB_HOST": "gaia-appdb",
    "DATADB_HOST": "gaia-datadb",
    "BROKER_HOST": "gaia-broker",
    "CACHE_HOST": "gaia-cache",
}


@pytest.fixture(autouse=True)
def pod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A pod's variables and directories; returns the directory of both."""
    places = {"CONFIG_DIR": str(tmp_path), "SECRETS_DIR": str(tmp_path)}
    for key, value in {**NEEDED, **places}.items():
        monkeypatch.setenv(f"ALMAGEST_{key}", value)
    caches = (surroundings.environment, surroundings.site, surroundings.queues, surroundings.datasets)
    for cached in caches:
        cached.cache_clear()
    yield tmp_path
    for cached in caches:
        cached.cache_clear()


def test_every_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALMAGEST_ARCHIVE")
    monkeypatch.setenv("ALMAGEST_SITE_URL", "gaia.example.org")
    with pytest.raises(ConfigurationError) as caught:
        surroundings.environment()
    assert "ALMAGEST_ARCHIVE: Field required" in str(caught.value)
    assert "ALMAGEST_SITE_URL" in str(caught.value)


def test_hosts_are_the_sites_the_probes_and_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALMAGEST_POD_IP", "10.0.0.7")
    assert surroundings.environment().hosts == ["gaia.example.org", "gaia-web", "localhost", "10.0.0.7"]


def test_a_password_with_odd_characters_survives_the_connection_string(pod: Path) -> None:
    (pod / "datadb").mkdir()
    (pod / "datadb" / "query-password").write_text("it's a \\ 'pass' word\n")
    conninfo = surroundings.environment().datadb_conninfo("almagest_query")
    assert r"password='it\'s a \\ \'pass\' word'" in conninfo
    assert "user=almagest_query" in conninfo


def test_a_missing_secret_names_its_file(pod: Path) -> None:
    with pytest.raises(ConfigurationError, match=str(pod / "django" / "secret-key")):
        surroundings.environment().secret("django/secret-key")


def test_site_takes_camel_case_and_ignores_what_a_newer_operator_adds(pod: Path) -> None:
    (pod / "site.json").write_text(json.dumps({"title": "Gaia", "publisher": "Us", "laterAddition": 1}))
    assert surroundings.site().title == "Gaia"


@pytest.mark.parametrize(
    ("content", "said"),
    [("[{", "is not JSON"), ('[{"name": "short"}]', "0.timeout"), ('[{"name": "A b", "timeout": 1}]', "0.name")],
)
def test_a_wrong_file_is_named_with_the_place(pod: Path, content: str, said: str) -> None:
    (pod / "queues.json").write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        surroundings.queues()
    assert str(pod / "queues.json") in str(caught.value)
    assert said in str(caught.value)


def test_help_needs_no_surroundings() -> None:
    command = [sys.executable, "-m", "almagest", "--help"]
    app = Path(surroundings.__file__).parents[2]
    answer = subprocess.run(command, env={"PYTHONPATH": str(app)}, capture_output=True, text=True, check=True)
    for word in ("serve", "migrate", "ingest", "worker", "scheduler"):
        assert word in answer.stdout


def test_a_process_without_surroundings_says_so_in_one_line() -> None:
    command = [sys.executable, "-m", "almagest", "serve"]
    app = Path(surroundings.__file__).parents[2]
    answer = subprocess.run(command, env={"PYTHONPATH": str(app)}, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith("almagest-app: ALMAGEST_ARCHIVE: Field required")
    assert answer.stderr.count("\n") == 1
