"""Fixtures that several packages of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.services import Services, run_services


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """PostgreSQL with pgSphere, RabbitMQ and Redis, running from the images of the release."""
    with run_services(tmp_path_factory.mktemp("services")) as running:
        yield running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is rendered into tests/data")


@pytest.fixture(scope="session", autouse=True)
def nobodys_make() -> Iterator[None]:
    """A test calls make as a user does, although `make test` called the test: a make below another one speaks more."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            patch.delenv(name, raising=False)
        yield
