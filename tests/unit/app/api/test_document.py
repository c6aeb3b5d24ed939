"""The OpenAPI document and docs/app/api.md tell of every route, and of no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest

PAGE = Path(__file__).parents[4] / "docs/app/api.md"
VARIABLES = {
    "ARCHIVE": "gaia",
    "ENVIRONMENT": "dev",
    "RELEASE": "0.1.0",
    "SITE_URL": "http://archive.test",
    "ALLOWED_HOSTS": "archive.test",
    **{f"{server}_HOST": "127.0.0.1" for server in ("APPDB", "DATADB", "BROKER", "CACHE")},
}


@pytest.fixture(scope="module", autouse=True)
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Routes reach the broker's configuration, which is read when it is imported."""
    directory = tmp_path_factory.mktemp("surroundings")
    (directory / "broker").mkdir()
    (directory / "broker/password").write_text("secret")
    (directory / "queues.json").write_text('[{"name": "short", "timeout": 60}]')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**VARIABLES, "SECRETS_DIR": str(directory), "CONFIG_DIR": str(directory)}.items():
            patch.setenv(f"ALMAGEST_{name}", value)
        patch.setenv("DJANGO_SETTINGS_MODULE", "almagest.config.project")
        django.setup()
        yield


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    from almagest.api.schema import document  # noqa: PLC0415 - needs the settings above

    return document()


def test_the_page_tells_of_every_route(document: dict[str, Any]) -> None:
    served = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    rows = re.findall(r"^\| `(/api/v1/[^`]*)` \| ([A-Z, ]+) \|", PAGE.read_text(), re.MULTILINE)
    told = {(path, method) for path, methods in rows for method in methods.split(", ")}
    assert told == served


def test_every_route_is_described(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            assert described["description"].endswith((".", "below")), (path, method)
            assert described["operationId"]
            assert list(described["responses"]["default"]["content"]) == ["application/problem+json"]


def test_every_pattern_is_a_route_of_the_document(document: dict[str, Any]) -> None:
    from almagest.api import urls  # noqa: PLC0415 - as above

    patterns = {re.sub(r"<\w+:(\w+)>", r"{\1}", str(known.pattern)) for known in urls.urlpatterns}
    assert {f"/api/v1/{pattern}" for pattern in patterns - {"", "schema/"}} == set(document["paths"])


def test_limits_on_the_page_are_those_that_hold() -> None:
    from almagest.api import face, throttle  # noqa: PLC0415 - as above
    from almagest.query import resolve  # noqa: PLC0415 - as above
    from almagest.query.answers import check  # noqa: PLC0415 - as above

    text = " ".join(PAGE.read_text().split())
    for number in (throttle.REQUESTS, throttle.ADDRESS_REQUESTS, throttle.RESOLVED, check.LARGE_ROWS):
        assert f"{number:,} " in text
    assert f"up to {face.BODY_BYTES // 1000} kB" in text
    assert f"for {resolve.SESAME_SECONDS:g} s" in text
