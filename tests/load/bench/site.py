"""What a person waits for: pages and the workbench in a browser, and a plot of a million points under the hand."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, expect

from load.bench import stars
from load.bench.client import Client
from load.bench.measures import Measured
from load.bench.yardsticks import Yardsticks
from support.browser import chromium

VISITS = 5
POINTS = 1_000_000
STEPS = 60
"""Places that the pointer passes while it draws a rectangle."""

_SCRIPT = """() => performance.getEntriesByType("resource")
    .filter(({name}) => name.endsWith(".js")).reduce((sum, {encodedBodySize}) => sum + encodedBodySize, 0)"""
_LARGEST = """() => new Promise((resolve) => new PerformanceObserver(
    (list) => resolve(list.getEntries().at(-1).startTime))
    .observe({type: "largest-contentful-paint", buffered: true}))"""
_PAINTED = "() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))))"
_FRAMES = """() => {
    const seen = [];
    const frame = (now) => { seen.push(now); window.stopFrames || requestAnimationFrame(frame); };
    window.frames_ = seen;
    requestAnimationFrame(frame);
}"""


def site(client: Client, yardsticks: Yardsticks) -> Iterator[Measured]:
    """Bounds are those of issue 11; every visit begins with an empty cache."""
    base = client.tap.removesuffix("tap")
    with chromium() as browser:
        yield from _first_load(browser, urljoin(base, "query/"))
        for path in ("data/", "data/stars/", "data/stars/main/"):
            times = [_largest(browser, urljoin(base, path)) for _ in range(VISITS)]
            yield Measured(f"largest paint of /{path}", statistics.median(times), "ms", {"most": max(times)}, bound=500)
        yield _checked(client, base)
        yield from _points(browser, base)


def _first_load(browser: Browser, url: str) -> Iterator[Measured]:
    times, script = [], 0
    for _ in range(VISITS):
        with browser.new_context() as context:
            page = context.new_page()
            began = time.perf_counter()
            page.goto(url, wait_until="commit")
            expect(page.get_by_role("textbox", name="Query", exact=True)).to_be_focused()
            times.append((time.perf_counter() - began) * 1000)
            page.wait_for_load_state("networkidle")
            script = page.evaluate(_SCRIPT)
    yield Measured("/query/ until one can type", statistics.median(times), "ms", {"most": max(times)}, bound=1000)
    yield Measured("script of /query/, compressed", script / 1000, "kB", {}, bound=250)


def _largest(browser: Browser, url: str) -> float:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        return float(page.evaluate(_LARGEST))


def _checked(client: Client, base: str) -> Measured:
    """The check that follows a key, as the editor asks for it."""
    asked = json.dumps(
        {"query": f"SELECT TOP 10 s.ra, s.parralax FROM {stars.TABLE} AS s", "language": "ADQL"}
    ).encode()
    times = [
        client.request("POST", urljoin(base, "api/v1/check"), asked, "application/json").total * 1000 for _ in range(50)
    ]
    return Measured("check of a query", statistics.median(times), "ms", {"most": max(times)}, bound=50)


def _points(browser: Browser, base: str) -> Iterator[Measured]:
    """A scatter plot of a million rows: drawn anew after a key, and while a rectangle is drawn over it."""
    query = f"SELECT bp_rp, phot_g_mean_mag FROM {stars.TABLE} WHERE bp_rp IS NOT NULL"
    with browser.new_context() as context:
        job = context.request.post(
            urljoin(base, "api/v1/jobs"), data={"query": query, "maxrec": POINTS, "wait": 60}, timeout=90_000
        ).json()
        page = context.new_page()
        try:
            page.goto(f"{urljoin(base, 'query/')}?job={job['id']}#view=plot&x=bp_rp&y=phot_g_mean_mag&density=off")
            plot = page.get_by_role("group", name="Scatter:")
            plot.wait_for(timeout=120_000)
            plot.focus()
            times = []
            for key in ("+", "-") * VISITS:
                began = page.evaluate("() => performance.now()")
                page.keyboard.press(key)
                times.append(page.evaluate(_PAINTED) - began)
            yield Measured(
                f"{job['rows']:,} points drawn", statistics.median(times), "ms", {"most": max(times)}, bound=300
            )
            yield _brushed(page, cast("dict[str, Any]", plot.bounding_box()))
        finally:
            context.request.delete(urljoin(base, f"api/v1/jobs/{job['id']}"))


def _brushed(page: Page, place: dict[str, Any]) -> Measured:
    x, y = place["x"] + place["width"] * 0.2, place["y"] + place["height"] * 0.2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(_FRAMES)
    for step in range(1, STEPS + 1):
        page.mouse.move(x + place["width"] * 0.6 * step / STEPS, y + place["height"] * 0.6 * step / STEPS)
    seen = page.evaluate("() => { window.stopFrames = true; return window.frames_; }")
    page.mouse.up()
    gaps = [after - before for before, after in pairwise(seen)]
    found = {"frames": float(len(seen)), "longest ms": max(gaps)}
    return Measured("frame while a million points are brushed", statistics.mean(gaps), "ms", found, bound=1000 / 30)
