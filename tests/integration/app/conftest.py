"""Every demo catalogue, and the data database for tests of what the translator and the formats write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser

from host import frontend
from host.layout import Layout
from host.progress import to_errors
from support.application import Application
from support.browser import chromium
from support.catalogues import TABLES
from support.services import Services
from support.stars import CREATE


@pytest.fixture(scope="session")
def tables() -> Collection[str]:
    return tuple(TABLES)


@pytest.fixture(scope="session")
def variables() -> Mapping[str, str]:
    """With the pages' scripts, built from this checkout."""
    return {"ALMAGEST_FRONTEND_DIR": str(frontend.build(Layout.here(), to_errors))}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server(services: Services) -> Iterator[psycopg.Connection[Any]]:
    """The data database as it is before anything is set up in it."""
    with psycopg.connect(services.conninfo("datadb"), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def database(application: Application) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """The data database, as its owner, with the tables of SKY."""
    with application.data() as connection:
        connection.execute("DROP SCHEMA IF EXISTS sky CASCADE")
        connection.execute(CREATE)
        connection.execute("SET statement_timeout = '30s'")
        yield connection
        connection.execute("DROP SCHEMA sky CASCADE")
