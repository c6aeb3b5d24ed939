"""A whole archive behind its own nginx, as the VO's validators and clients meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.application import Application
from support.archive import Archive, free_port, run_archive
from support.proxy import run_proxy
from support.services import Services


@pytest.fixture(scope="session")
def archive(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Every process of an archive that holds the demo catalogues; its url is that of nginx."""
    application = Application(services)
    outcome = application.run("migrate")
    assert outcome.code == 0, outcome.err
    port = free_port()
    directory = tmp_path_factory.mktemp("archive")
    with run_proxy(services.namespace, port) as url, run_archive(application, directory, port=port, url=url) as running:
        yield running
