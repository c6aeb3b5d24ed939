"""What people come to do, from the first page to what they take away: in a browser, on the cluster."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.io.votable import parse_single_table
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from e2e.conftest import Archive
from support import samp
from support.browser import Visit, chromium, visit
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

PICTURES = {"Plot": re.compile("^Scatter: "), "Sky": re.compile("^Sky map of ")}
"""View → the name of its picture."""
_FOCUSED = "(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()"
TELEPHONE = ViewportSize(width=360, height=740)
PLEIADES = (
    "SELECT TOP 2000 source_id, ra, dec, phot_g_mean_mag, phot_bp_mean_mag, phot_rp_mean_mag FROM gaiadr3.bright "
    "WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 2))"
)
LONG = (
    "SELECT g.source_id, g.ra, g.dec, g.phot_g_mean_mag, COUNT(*) AS neighbours FROM gaiadr3.bright AS g"
    " JOIN gaiadr3.bright AS o ON DISTANCE(POINT(g.ra, g.dec), POINT(o.ra, o.dec)) < 0.5"
    " WHERE g.dec > 70 GROUP BY g.source_id, g.ra, g.dec, g.phot_g_mean_mag"
)
"""Seconds of work, so that somebody may leave meanwhile."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def person(archive: Archive, browser: Browser) -> Iterator[Visit]:
    """Somebody at the archive's first page. Whatever they do, browser and axe must have nothing to complain of."""
    with visit(browser) as here:
        here.page.goto(archive.site)
        yield here
        assert here.complaints == []
        assert here.barriers == []


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Query", exact=True)


def write(page: Page, query: str) -> None:
    """Put a query in the place of what is there."""
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(query)


def run(here: Visit, within: int = 60_000) -> None:
    here.page.get_by_role("button", name="Run query").click()
    expect(here.result()).to_be_visible(timeout=within)


def find_by_name(page: Page, name: str) -> None:
    """From the one search box to the cone around an object in the editor."""
    page.keyboard.press("/")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Search gaiadr3.bright").click()
    expect(editor(page)).to_contain_text("CIRCLE(")


def test_a_guest_finds_a_star_looks_at_its_neighbours_and_takes_them_to_topcat(
    person: Visit, archive: Archive, tmp_path: Path
) -> None:
    page = person.page
    find_by_name(page, "M45")
    run(person)
    write(page, PLEIADES)
    run(person)
    for view, picture in PICTURES.items():
        page.get_by_role("button", name=view, exact=True).click()
        expect(page.get_by_role("group", name=picture)).to_be_visible()
    person.screens("journey-guest")
    page.get_by_role("button", name="Download ▾").click()
    dialog = page.get_by_role("dialog", name="Download")
    dialog.get_by_role("combobox", name="Format").select_option("csv")
    with page.expect_download() as coming:
        dialog.get_by_role("link", name="Save").click()
    rows = list(csv.DictReader(io.StringIO(Path(coming.value.path()).read_text())))
    assert len(rows) > 100
    assert set(rows[0]) == {"source_id", "ra", "dec", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"}
    with samp.hub(tmp_path) as messages:
        send = dialog.get_by_role("button", name="Send to TOPCAT or Aladin (SAMP)")
        told = dialog.get_by_text(f"Sent to {samp.CLIENT}")

        def sent() -> bool:
            send.click()
            told.or_(dialog.get_by_text("no program that reads tables")).wait_for()
            return told.is_visible()

        eventually("the listener to be connected to the hub", sent, within=30)
        eventually("the message to come", lambda: archive.site in messages.read_text(), within=30)
        address = re.search(rf"{re.escape(archive.site)}\S+?/results/result", messages.read_text())
    assert address
    with urllib.request.urlopen(address[0], timeout=60) as answer:
        table = parse_single_table(io.BytesIO(answer.read())).to_table()
    assert {str(star) for star in table["source_id"]} == {row["source_id"] for row in rows}


def test_an_expert_leaves_a_long_job_comes_back_brushes_asks_again_and_takes_a_notebook_that_runs(
    person: Visit, archive: Archive, tmp_path: Path
) -> None:
    page = person.page
    page.get_by_role("link", name="Query", exact=True).click()
    write(page, LONG)
    page.get_by_role("button", name="Run query").click()
    expect(page).to_have_url(re.compile(r"\?job="))
    page.close()
    person.page = page = page.context.new_page()
    page.on("console", lambda said: person.complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{archive.site}/query/jobs/")
    row = page.get_by_role("row").filter(has_text="COUNT(*) AS neighbours")
    expect(row).to_contain_text("Finished", timeout=300_000)
    person.screens("journey-expert-jobs")
    row.get_by_role("link").first.click()
    expect(person.result()).to_be_visible()
    page.get_by_role("button", name="Plot", exact=True).click()
    place = page.get_by_role("group", name=PICTURES["Plot"]).bounding_box()
    assert place
    x, y = place["x"] + place["width"] * 0.3, place["y"] + place["height"] * 0.3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + place["width"] * 0.3, y + place["height"] * 0.4, steps=8)
    page.mouse.up()
    bar = page.get_by_role("region", name="Selection")
    chosen = re.search(r"([\d,]+) of [\d,]+ selected", bar.inner_text())
    assert chosen
    assert int(chosen[1].replace(",", "")) > 0
    person.screens("journey-expert")
    page.get_by_role("button", name="Download ▾").click()
    with page.expect_download() as coming:
        page.get_by_role("dialog", name="Download").get_by_role("button", name="Notebook (.ipynb)").click()
    cells = json.loads(Path(coming.value.path()).read_text())["cells"]
    program = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    (tmp_path / "notebook.py").write_text(f"{program}\nassert len(rows) > 0\n")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(tmp_path / "notebook.py")],
        env={**os.environ, "MPLBACKEND": "agg", "HOME": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page.keyboard.press("Escape")
    bar.get_by_role("button", name="Query these").click()
    run(person, within=300_000)


def test_all_of_it_is_done_by_keyboard_alone(person: Visit) -> None:
    page = person.page

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if name in page.evaluate(_FOCUSED):
                return
        raise AssertionError(f"Tab never comes to {name!r}")

    page.keyboard.press("/")
    page.keyboard.type("M45")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    tab_to("Search gaiadr3.bright")
    page.keyboard.press("Enter")
    expect(editor(page)).to_contain_text("CIRCLE(")
    editor(page).focus()
    page.keyboard.press("Control+Enter")
    expect(person.result()).to_be_visible()
    page.keyboard.press("Escape")
    tab_to("Plot")
    page.keyboard.press("Space")
    expect(page.get_by_role("group", name=PICTURES["Plot"])).to_be_visible()
    tab_to("Scatter: ")
    page.keyboard.press("s")
    expect(page.get_by_role("region", name="Selection")).to_contain_text("selected")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile("/query/jobs/"))
    expect(page.get_by_role("row").filter(has_text="gaiadr3.bright")).to_be_visible()


def test_all_of_it_is_done_on_a_telephone(person: Visit) -> None:
    page = person.page
    page.set_viewport_size(TELEPHONE)

    def fits() -> None:
        assert not person.scrolls_sideways(), page.url

    fits()
    page.get_by_role("searchbox", name="Search the archive").fill("M45")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Search gaiadr3.bright").click()
    expect(editor(page)).to_contain_text("CIRCLE(")
    fits()
    run(person)
    for view in ("Plot", "Sky", "Columns"):
        page.get_by_role("button", name=view, exact=True).click()
        expect(page.get_by_role("region", name=view, exact=True)).to_be_visible()
        fits()
    person.picture("journey-telephone", "light")
    page.get_by_role("link", name="Data", exact=True).click()
    page.get_by_role("link", name=re.compile("gaiadr3.bright|bright")).first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    fits()


READ = {
    "/": """
        - link "Skip to the content"
        - banner:
          - navigation "Site"
          - search
        - region /archive/:
          - heading [level=1]
        - main:
          - region "What is here"
        - contentinfo
    """,
    "/data/gaiadr3/bright/": """
        - banner
        - main:
          - navigation "Breadcrumb"
          - heading "gaiadr3.bright" [level=1]
          - region "Columns":
            - table "Columns"
        - contentinfo
    """,
    "/query/": """
        - banner:
          - navigation "Site"
          - search
        - main:
          - textbox "Query"
          - button "Run query"
    """,
}
"""Path → what a screen reader's user is told of its parts, in their order."""


@pytest.mark.parametrize("path", READ)
def test_a_screen_reader_finds_the_parts_of_a_page(person: Visit, archive: Archive, path: str) -> None:
    person.page.goto(f"{archive.site}{path}")
    expect(person.page.get_by_role("main")).to_be_visible()
    expect(person.page.locator("body")).to_match_aria_snapshot(READ[path])
