"""The pages as a browser gets them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.application import Application, get

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url(application: Application) -> Iterator[str]:
    assert application.run("ingest", "--dataset", "openngc.objects").code == 0
    with application.serving() as base:
        yield base


def test_home_says_what_the_archive_is_and_holds(url: str) -> None:
    page = get(f"{url}/")
    assert page.status == 200
    for said in ("Test archive", "openngc.objects", "14,033 rows", "CC BY-SA 4.0", "Verga, M.", "contact@example.org"):
        assert said in page.body
    assert "http://127.0.0.1:8000/tap" in page.body
    assert 'href="/cms/"' in page.body


def test_a_table_shows_its_columns_with_unit_and_ucd(url: str) -> None:
    page = get(f"{url}/tables/openngc.objects")
    assert page.status == 200
    for said in ("surface_brightness", "mag/arcsec**2", "phot.mag.sb;em.opt.B", "Heliocentric redshift", "indexed"):
        assert said in page.body


def test_a_table_with_positions_shows_where_its_cone_search_is(url: str) -> None:
    (base,) = re.findall(
        r"<code>http://127.0.0.1:8000(/conesearch/.*)</code>", get(f"{url}/tables/openngc.objects").body
    )
    assert base == "/conesearch/openngc.objects?"
    assert get(f"{url}{base}RA=10.68&DEC=41.27&SR=0.1").status == 200


def test_everything_that_a_page_loads_is_its_own_and_is_there(url: str) -> None:
    page = get(f"{url}/")
    loaded = re.findall(r'<(?:link|img|script)[^>]+(?:href|src)="([^"]+)"', page.body)
    assert loaded
    assert [address for address in loaded if not address.startswith("/static/")] == []
    for address in loaded:
        asset = get(f"{url}{address}")
        assert asset.status == 200
        assert "max-age=315360000" in asset.headers["cache-control"]
    sheet = get(url + next(address for address in loaded if address.endswith(".css"))).body
    assert re.findall(r'url\("([^"]+)"\)', sheet)
    assert "<style" not in page.body
    assert 'style="' not in page.body


def test_headers_hold_the_browser_in(url: str) -> None:
    headers = get(f"{url}/").headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_robots_stay_out_of_a_development_archive(url: str) -> None:
    assert get(f"{url}/robots.txt").body == "User-agent: *\nDisallow: /\n"
    assert "noindex" in get(f"{url}/").headers["x-robots-tag"]


def test_robots_are_welcome_in_production(application: Application) -> None:
    with application.serving(ALMAGEST_ENVIRONMENT="production") as url:
        rules = get(f"{url}/robots.txt").body
        assert re.findall("Disallow: (.*)", rules) == ["/tap/", "/conesearch/", "/datalink/links"]
        assert "x-robots-tag" not in get(f"{url}/").headers


@pytest.mark.parametrize("path", ["/nothing", "/tables/no.such", "/tables/openngc.nothing", "/tables/x"])
def test_an_unknown_address_gets_the_page_for_it(url: str, path: str) -> None:
    page = get(f"{url}{path}")
    assert page.status == 404
    assert "Nothing at this position" in page.body


def test_a_foreign_host_name_is_refused(url: str) -> None:
    assert get(f"{url}/", Host="evil.example.org").status == 400


def test_a_failure_shows_our_page_and_no_secret(application: Application) -> None:
    with application.serving(ALMAGEST_APPDB_PORT="1") as url:
        page = get(f"{url}/")
    assert page.status == 500
    assert "The mistake is ours" in page.body
    assert "Traceback" not in page.body
