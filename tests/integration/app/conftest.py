"""The application against real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.application import Application
from support.services import Services


@pytest.fixture(scope="session")
def application(services: Services) -> Application:
    """`almagest-app` with both databases migrated."""
    running = Application(services)
    outcome = running.run("migrate")
    assert outcome.code == 0, outcome.err
    return running


@pytest.fixture
def files(services: Services) -> Path:
    """The files volume, where `file:` sources are."""
    return Path(services.environment["ALMAGEST_FILES_DIR"])
