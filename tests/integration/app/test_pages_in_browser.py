"""The pages as people see them: at a telephone's width, light and dark, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from support.application import Application
from support.archive import Archive
from support.browser import Visit, visit

pytestmark = pytest.mark.integration

LONG = "a_table_whose_name_has_sixty_characters_as_people_make_them"
WIDE = f"""
from almagest.metadata import models
from almagest.metadata.publish import change
with change() as made:
    title = {{"title": "A survey with {"very " * 20}many columns"}}
    schema = made.save(models.Schema.objects.all(), {{"name": "wide"}}, title)
    table = made.save(models.Table.objects.all(), {{"schema": schema, "name": {LONG!r}}}, {{"nrows": 12345678901}})
    made.replace(table.columns.all(), [{{
        "name": f"flux_of_the_wavelength_channel_{{i:03}}_that_is_longer_than_most"[:63], "datatype": "float",
        "unit": "10**-18W.m**-2.nm**-1", "ucd": "phot.flux.density;em.wl;stat.mean", "minimum": "-1.2345678e-18",
        "maximum": "1.2345678e+18", "nulls": 5, "indexed": i == 7, "description": "Mean flux density " * (1 + i % 9),
        "order": i}} for i in range(200)], table=table)
"""
FORGET = """
from almagest.metadata import models
from almagest.metadata.publish import change
with change() as made:
    models.Schema.objects.filter(name="wide").delete()
    made.structure = True
"""
PAGES = {
    "home": "/",
    "data": "/data/",
    "schema": "/data/openngc/",
    "table": "/data/openngc/objects/",
    "wide": f"/data/wide/{LONG}/",
    "search": "/search?q=magnitude",
    "search-empty": "/search",
    "search-nothing": "/search?q=zzzzz",
    "search-place": "/search?q=10.6847+41.2687",
    "docs": "/docs/",
    "examples": "/tap/examples",
    "lost": "/nothing",
}


@pytest.fixture(scope="module")
def wide(application: Application) -> Iterator[None]:
    """A table of 200 columns whose names and texts are as long as they may be."""
    application.console.python(WIDE)
    yield
    application.console.python(FORGET)


@pytest.fixture
def person(archive: Archive, browser: Browser, wide: None) -> Iterator[Visit]:
    """Somebody who reads; whatever the page, the browser must have nothing to complain of."""
    with visit(browser) as here:
        yield here
        assert [said for said in here.complaints if "404" not in said] == []
        assert here.barriers == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(archive: Archive, person: Visit, name: str) -> None:
    person.page.goto(f"{archive.url}{PAGES[name]}")
    for width in (360, 390, 768, 1440, 3840):
        person.page.set_viewport_size({"width": width, "height": 800})
        assert not person.scrolls_sideways(), width
    person.screens(f"pages-{name}")


def test_the_search_box_is_one_key_away(archive: Archive, person: Visit) -> None:
    page = person.page
    page.goto(f"{archive.url}/data/openngc/objects/")
    page.keyboard.press("/")
    box = page.get_by_role("searchbox", name="Search the archive")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.keyboard.type("mas/yr")
    expect(box).to_have_value("mas/yr")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("mas/yr")
    expect(page.get_by_role("searchbox", name="Search the archive")).to_have_value("mas/yr")


def test_the_first_key_skips_the_frame(archive: Archive, person: Visit) -> None:
    page = person.page
    page.goto(f"{archive.url}/data/")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{archive.url}/data/#content")


def test_columns_are_filtered_by_name_unit_ucd_and_meaning(archive: Archive, person: Visit) -> None:
    page = person.page
    page.goto(f"{archive.url}/data/openngc/objects/")
    table = page.get_by_role("table", name="Columns")
    every = table.get_by_role("row").count()
    box = page.get_by_role("searchbox", name="Show columns with")
    box.fill("surface_br")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page.locator("output")).to_have_text(f"1 of {every - 1}")
    box.fill("photometric magnitude")
    assert 1 < table.get_by_role("row").count() < every
    page.keyboard.press("Escape")
    expect(table.get_by_role("row")).to_have_count(every)


def test_columns_stay_a_table_for_screen_readers_where_they_are_cards(archive: Archive, person: Visit) -> None:
    page = person.page
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{archive.url}/data/openngc/objects/")
    table = page.get_by_role("table", name="Columns")
    expect(table.get_by_role("columnheader", name="Unit")).to_be_attached()
    expect(table.get_by_role("rowheader", name="surface_brightness")).to_be_visible()
    expect(table.get_by_role("row", name="surface_brightness").get_by_role("cell").first).to_contain_text("mag")


def test_what_is_copied_is_what_is_shown(archive: Archive, browser: Browser) -> None:
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(f"{archive.url}/data/openngc/objects/")
        page.get_by_text("BibTeX", exact=True).click()
        page.get_by_role("button", name="Copy BibTeX").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()").startswith("@misc{openngc,")


def test_pages_are_whole_without_scripts(archive: Archive, browser: Browser) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{archive.url}/data/openngc/objects/")
        expect(page.get_by_role("table", name="Columns")).to_be_visible()
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)
        expect(page.get_by_role("searchbox")).to_have_count(1)


def test_every_page_says_where_it_is(archive: Archive, person: Visit) -> None:
    page = person.page
    page.goto(f"{archive.url}/data/openngc/objects/")
    crumbs = page.get_by_role("navigation", name="Breadcrumb")
    expect(crumbs.get_by_role("link", name="Data", exact=True)).to_be_visible()
    crumbs.get_by_role("link").nth(1).click()
    expect(page).to_have_url(f"{archive.url}/data/openngc/")
    for name in ("main", "banner", "contentinfo"):
        expect(page.get_by_role(name)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
