"""npm's configuration for builds: how the host reaches packages, and nothing else of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import npm


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.delenv(name, raising=False)


def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *texts: str) -> None:
    files = []
    for number, text in enumerate(texts):
        (tmp_path / f"npmrc{number}").write_text(text)
        files.append(str(tmp_path / f"npmrc{number}"))
    monkeypatch.setattr(npm, "CONFIGURATIONS", tuple(files))


def test_later_files_win_and_the_environment_over_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, tmp_path, "registry=https://one.example/\nproxy=http://p:1", "registry = https://two.example/")
    assert npm.configuration() == "proxy=http://p:1\nregistry=https://two.example/\n"
    monkeypatch.setenv("npm_config_registry", "https://three.example/")
    assert "registry=https://three.example/\n" in npm.configuration()


def test_paths_and_habits_of_the_host_stay_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(
        monkeypatch,
        tmp_path,
        "; a comment\ncafile=/etc/ca.pem\nprefix=/root/npm\nignore-scripts=false\nfetch-retries=5\n",
    )
    assert npm.configuration() == "fetch-retries=5\n"


def test_credentials_are_known_by_their_host_and_may_be_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIRROR_TOKEN", "secret")
    use(monkeypatch, tmp_path, "//mirror.example/npm/:_authToken=${MIRROR_TOKEN}\n@org:registry=https://org.example/\n")
    assert npm.configuration() == "//mirror.example/npm/:_authToken=secret\n@org:registry=https://org.example/\n"
