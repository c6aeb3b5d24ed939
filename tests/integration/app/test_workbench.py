"""The workbench, its jobs and their pages, as a person uses them in a browser."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, expect

from support.archive import Archive
from support.browser import NARROW, Visit, visit

pytestmark = pytest.mark.integration

FIRST_LOAD = 250_000
"""Bytes of compressed script until `/query/` is usable (issue 11)."""
QUERY = "SELECT TOP 20 name, ra, dec FROM openngc.objects ORDER BY name"


@pytest.fixture
def person(archive: Archive, browser: Browser) -> Iterator[Visit]:
    """Somebody at the workbench; whatever they do, the browser must have nothing to complain of."""
    with visit(browser) as here:
        here.page.goto(f"{archive.url}/query/")
        yield here
        assert here.complaints == []
        assert here.barriers == []


def write(person: Visit, query: str) -> None:
    """Type a query in the place of what is there."""
    editor = person.page.get_by_role("textbox", name="Query", exact=True)
    editor.click()
    person.page.keyboard.press("Control+a")
    person.page.keyboard.insert_text(query)


def run(person: Visit, query: str = QUERY) -> None:
    write(person, query)
    person.page.keyboard.press("Control+Enter")
    expect(person.result()).to_be_visible()


def test_a_query_is_answered_in_place_and_its_address_shows_it_again(person: Visit) -> None:
    run(person)
    expect(person.result()).to_contain_text("ESO056-115")
    expect(person.page).to_have_url(re.compile(r"/query/\?job=[0-9a-f-]{36}"))
    person.screens("query-result")
    person.page.reload()
    expect(person.result()).to_contain_text("ESO056-115")


def test_what_is_typed_survives_a_reload(person: Visit) -> None:
    write(person, "SELECT ra FROM openngc.objects -- not run yet")
    person.page.reload()
    expect(person.page.get_by_role("textbox", name="Query", exact=True)).to_contain_text("not run yet")


def test_a_likely_slip_is_named_and_mended_with_one_click(person: Visit) -> None:
    write(person, "SELECT name, decc FROM openngc.objects")
    fix = person.page.get_by_role("status").get_by_role("button").first
    expect(person.page.get_by_role("status").filter(has_text="decc")).to_be_visible()
    person.screens("query-error")
    fix.click()
    expect(person.page.get_by_role("textbox", name="Query", exact=True)).to_contain_text('SELECT name, "dec" FROM')


def test_f8_goes_to_the_error(person: Visit) -> None:
    write(person, "SELECT name\nFROM openngc.objectz")
    expect(person.page.get_by_role("button", name="Go to the error")).to_be_visible()
    person.page.keyboard.press("F8")
    assert person.page.evaluate(SELECTED) == "openngc.objectz"


SELECTED = "document.querySelector('.editor').shadowRoot.getSelection().toString()"


def test_columns_of_the_table_are_completed(person: Visit) -> None:
    write(person, "SELECT  FROM openngc.objects")
    person.page.keyboard.press("Control+Home")
    for _ in range(7):
        person.page.keyboard.press("ArrowRight")
    person.page.keyboard.type("surf")
    option = person.page.get_by_role("option", name=re.compile("surface_brightness"))
    expect(option).to_contain_text("phot.mag.sb")
    # The editor takes no choice that was made before anybody can have read it.
    person.page.wait_for_timeout(200)
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("textbox", name="Query", exact=True)).to_contain_text(
        "SELECT surface_brightness FROM"
    )


def test_a_table_is_found_looked_at_and_queried_without_typing_sql(person: Visit) -> None:
    person.page.get_by_role("searchbox", name="Search tables and columns").fill("openngc")
    person.page.get_by_role("button", name=re.compile("^objects")).click()
    person.page.get_by_role("button", name="Sample rows").click()
    dialog = person.page.get_by_role("dialog")
    expect(dialog.get_by_role("row").nth(1)).to_be_visible()
    person.page.keyboard.press("Escape")
    person.page.get_by_role("button", name="New query", exact=True).click()
    person.page.get_by_role("button", name="Run query").click()
    expect(person.result()).to_be_visible()
    person.screens("query-tables")


def test_a_query_is_built_without_writing_any(person: Visit) -> None:
    person.page.get_by_role("button", name="Build a query").click()
    builder = person.page.get_by_role("dialog", name="Build a query")
    builder.get_by_role("combobox", name="Table", exact=True).select_option("openngc.objects")
    builder.get_by_role("textbox", name="Around").fill("no such thing")
    builder.get_by_role("button", name="Add a condition").click()
    builder.get_by_role("combobox", name="Column of condition 1").select_option("major_axis")
    builder.get_by_role("combobox", name="Comparison of condition 1").select_option(">=")
    builder.get_by_role("textbox", name="Value of condition 1").fill("large")
    builder.get_by_role("button", name="Open in the editor").click()
    expect(builder.get_by_text("Enter a number, such as")).to_be_visible()
    expect(builder.get_by_role("textbox", name="Around")).to_have_attribute("aria-invalid", "true")
    person.screens("query-builder")
    # The console tells of the name that nobody knows, too.
    assert all("404" in said for said in person.complaints)
    person.complaints.clear()
    asked: list[str] = []
    person.page.on("request", lambda request: asked.append(request.url) if "/resolve?name=M31" in request.url else None)
    builder.get_by_role("textbox", name="Around").fill("M31")
    builder.get_by_role("textbox", name="Radius").fill("1")
    builder.get_by_role("combobox", name="Radius: Unit").select_option("deg")
    builder.get_by_role("textbox", name="Value of condition 1").fill("5")
    builder.get_by_role("button", name="Open in the editor").click()
    expect(builder).to_be_hidden()
    assert len(asked) == 1
    person.page.get_by_role("button", name="Run query").click()
    expect(person.result()).to_contain_text("NGC0224")


def test_another_table_is_asked_around_the_same_place(person: Visit) -> None:
    person.page.get_by_role("button", name="Build a query").click()
    builder = person.page.get_by_role("dialog", name="Build a query")
    builder.get_by_role("combobox", name="Table", exact=True).select_option("openngc.objects")
    builder.get_by_role("textbox", name="Around").fill("M45")
    person.page.keyboard.press("Tab")
    builder.get_by_role("combobox", name="Table", exact=True).select_option("gaiadr3.bright")
    expect(builder.get_by_role("textbox", name="Around")).to_have_value("M45")
    expect(builder.get_by_label("Query", exact=True)).to_contain_text("FROM gaiadr3.bright\nWHERE 1 = CONTAINS")


def test_what_the_builder_makes_is_understood(person: Visit) -> None:
    person.page.get_by_role("button", name="Build a query").click()
    builder = person.page.get_by_role("dialog", name="Build a query")
    builder.get_by_role("combobox", name="Table", exact=True).select_option("hipparcos.main")
    builder.get_by_role("combobox", name="Match with").select_option("gaiadr3.bright")
    builder.get_by_role("checkbox", name="hip", exact=True).check()
    builder.get_by_role("combobox", name="Order by").select_option("hip")
    builder.get_by_role("checkbox", name="largest first").check()
    builder.get_by_role("textbox", name="At most this many rows").fill("3")
    builder.get_by_role("button", name="Open in the editor").click()
    person.page.get_by_role("button", name="Run query").click()
    expect(person.result().get_by_role("row")).to_have_count(4)


def test_pictures_beside_the_table_have_room(person: Visit) -> None:
    run(person, "SELECT TOP 500 * FROM gaiadr3.bright")
    for view in ("Plot", "Sky"):
        person.page.get_by_role("button", name=view, exact=True).click()
    for view in ("Plot", "Sky"):
        panel = person.page.get_by_role("region", name=view, exact=True)
        expect(panel).to_be_visible()
        place = panel.bounding_box()
        assert place
        assert place["height"] > 350
    person.screens("query-views")


def test_a_refused_limit_is_said_at_its_field(person: Visit) -> None:
    write(person, QUERY)
    person.page.get_by_role("button", name="Options of the run").click()
    field = person.page.get_by_role("textbox", name="At most this many rows")
    field.fill("many")
    person.page.keyboard.press("Escape")
    person.page.get_by_role("button", name="Run query").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(person.page.get_by_role("dialog")).to_contain_text("Enter a whole number")


def test_a_job_is_listed_renamed_and_deleted(person: Visit) -> None:
    run(person)
    person.page.get_by_role("link", name="About this job").click()
    expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    person.screens("job")
    person.page.get_by_role("button", name="Rename").click()
    person.page.get_by_role("textbox", name="Name").fill("my galaxies")
    person.page.get_by_role("button", name="Save").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("my galaxies")
    person.page.get_by_role("link", name="Jobs", exact=True).click()
    person.page.get_by_role("checkbox", name="Select my galaxies").check()
    person.screens("jobs")
    person.page.get_by_role("button", name="Delete", exact=True).click()
    person.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(person.page.get_by_text("You have no jobs yet")).to_be_visible()


def test_a_query_in_the_address_is_opened(person: Visit, archive: Archive) -> None:
    person.page.goto(f"{archive.url}/query/?query=SELECT%20TOP%201%20ra%20FROM%20openngc.objects")
    expect(person.page.get_by_role("textbox", name="Query", exact=True)).to_contain_text("TOP 1 ra")
    expect(person.page).to_have_url(f"{archive.url}/query/")


def test_somebody_elses_job_is_not_there(archive: Archive, browser: Browser) -> None:
    with visit(browser) as here:
        here.page.goto(f"{archive.url}/query/jobs/00000000-0000-4000-8000-000000000000/")
        expect(here.page.get_by_role("alert")).to_contain_text("There is no such job")


def test_no_page_is_wider_than_a_telephone(person: Visit) -> None:
    run(person)
    person.page.set_viewport_size(NARROW)
    assert not person.scrolls_sideways()
    person.page.get_by_role("link", name="About this job").click()
    expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    assert not person.scrolls_sideways()


def test_everything_is_done_by_the_keyboard(person: Visit) -> None:
    editor = person.page.get_by_role("textbox", name="Query", exact=True)
    expect(editor).to_be_focused()
    person.page.keyboard.insert_text(QUERY)
    person.page.keyboard.press("Escape")
    person.page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()
    for _ in range(12):
        if person.page.evaluate("document.activeElement.textContent") == "Run query":
            break
        person.page.keyboard.press("Tab")
    person.page.keyboard.press("Enter")
    expect(person.result()).to_be_visible()
    person.page.keyboard.press("?")
    expect(person.page.get_by_role("dialog")).to_contain_text("Ctrl+Enter")


def test_the_first_load_is_small_and_cached_for_good(archive: Archive) -> None:
    page = requests.get(f"{archive.url}/query/", timeout=30)
    scripts = re.findall(r'(?:modulepreload" href|module" src)="([^"]+)"', page.text)
    assert len(scripts) > 1
    answers = [requests.get(f"{archive.url}{script}", timeout=30) for script in scripts]
    assert {answer.status_code for answer in answers} == {200}
    assert all("max-age=315360000" in answer.headers["cache-control"] for answer in answers)
    assert sum(len(gzip.compress(answer.content)) for answer in answers) < FIRST_LOAD
    assert "style-src 'self';" in page.headers["content-security-policy"]
    assert "http://localhost:21012" in page.headers["content-security-policy"]
