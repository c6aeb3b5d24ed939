"""The application against real servers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

from almagest.config.environment import environment, site
from almagest.query import datadb, slots
from support import seconds
from support.application import Application
from support.archive import Archive, run_archive
from support.services import Services


@pytest.fixture(scope="session")
def variables() -> Mapping[str, str]:
    """What the application's environment has besides; a folder's own fixture says more."""
    return {}


@pytest.fixture(scope="session")
def application(services: Services, variables: Mapping[str, str]) -> Iterator[Application]:
    """`almagest-app` with both databases migrated."""
    running = Application(services, variables)
    outcome = running.run("migrate")
    assert outcome.code == 0, outcome.err
    yield running
    running.console.close()


@pytest.fixture(scope="session")
def tables() -> Collection[str]:
    """The demo catalogues that the archive has: not the largest one, which only the tests of answers need."""
    return "hipparcos.main", "openngc.objects"


@pytest.fixture(scope="session")
def archive(
    application: Application, tables: Collection[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Archive]:
    """Every process of an archive that holds the demo catalogues, at work."""
    with run_archive(application, tmp_path_factory.mktemp("archive"), tables) as running:
        yield running


@pytest.fixture(scope="session")
def slow_table(application: Application) -> None:
    """What the queries of `support.seconds` read."""
    seconds.publish(application)


@pytest.fixture
def files(services: Services) -> Path:
    """The files volume, where `file:` sources are."""
    return Path(services.environment["ALMAGEST_FILES_DIR"])


@pytest.fixture
def web_process(application: Application, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process, configured as one of the application's; its connections are closed after each test."""
    caches = (environment, site, datadb._readers, slots._slots)
    for name, value in application.environment().items():
        if name.startswith("ALMAGEST_"):
            monkeypatch.setenv(name, value)
    for cached in caches:
        cached.cache_clear()
    yield
    datadb._readers().close()
    for cached in caches:
        cached.cache_clear()
