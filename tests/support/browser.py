"""Debian's Chromium, driven as a person would use it; what goes wrong on a page is heard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, ViewportSize, sync_playwright

SCREENS = Path(__file__).resolve().parents[1] / "output/screens"
AXE = Path(__file__).resolve().parents[2] / "app/frontend/node_modules/axe-core/axe.min.js"
_AXE_RUN = """
async () => {
  const {violations} = await axe.run(document, {resultTypes: ["violations"]});
  return violations.flatMap(({id, nodes}) =>
    nodes.map(({target, failureSummary}) => [id, target.join(" "), failureSummary]));
}
"""
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window; `tests/tools.py` installs it."""
    program = shutil.which("chromium")
    assert program, "no chromium here: run tests/tools.py once"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A person's page. complaints: what the browser's console says of errors, the Content-Security-Policy's too;
    barriers: what axe finds on the pages that pictures are taken of."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    barriers: list[str] = field(default_factory=list)

    def result(self) -> Locator:
        """The table of rows, whichever pattern of ARIA it follows."""
        return self.page.get_by_role("table", name="Result").or_(self.page.get_by_role("grid", name="Result"))

    def screens(self, name: str) -> None:
        """Pictures of the page as it is, wide and narrow, light and dark, in tests/output/screens."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        for size in (WIDE, NARROW):
            self.page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                self.picture(f"{name}-{size['width']}-{scheme}", scheme)
                self.barriers += [f"{name}, {size['width']}, {scheme}: {found}" for found in self.found_by_axe()]
        self.page.set_viewport_size(WIDE)
        self.page.emulate_media(color_scheme="light")

    def picture(self, name: str, scheme: Literal["light", "dark"] | str) -> None:
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        self.page.screenshot(path=SCREENS / f"{name}.png")

    def found_by_axe(self) -> list[str]:
        """What keeps people from using the page as it is: WCAG 2.2 A and AA, and axe's best practices."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate(_AXE_RUN)
        return [f"{rule}: {target} ({why})" for rule, target, why in found]

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window, which no page may be."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@contextmanager
def visit(browser: Browser) -> Iterator[Visit]:
    """A browser that was never here before."""
    context = browser.new_context(viewport=WIDE, locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(20_000)
    here = Visit(context.new_page())
    here.page.on("console", lambda said: here.complaints.append(said.text) if said.type == "error" else None)
    here.page.on("pageerror", lambda error: here.complaints.append(str(error)))
    try:
        yield here
    finally:
        context.close()
