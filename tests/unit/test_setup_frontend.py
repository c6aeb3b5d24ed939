"""The front end of a checkout: when it is built again, and what stays in the cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from host import frontend
from host.layout import Layout


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "app/frontend"
    for name in ("package.json", "package-lock.json", "src/main.tsx", "node_modules/react/index.js", "dist/main.js"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    monkeypatch.setattr(frontend, "SOURCE", directory)
    return directory


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "cache", tmp_path / "state")


def test_a_build_is_known_by_its_sources_and_packages(source: Path, layout: Layout) -> None:
    before = frontend.built(layout)
    (source / "node_modules/react/index.js").write_text("other")
    (source / "dist/main.js").write_text("other")
    assert frontend.built(layout) == before
    (source / "src/main.tsx").write_text("other")
    edited = frontend.built(layout)
    (source / "package-lock.json").write_text("other")
    assert len({before, edited, frontend.built(layout)}) == 3


def test_a_renamed_source_is_another_build(source: Path, layout: Layout) -> None:
    before = frontend.built(layout)
    (source / "src/main.tsx").rename(source / "src/other.tsx")
    assert frontend.built(layout) != before


def test_the_newest_builds_stay(layout: Layout) -> None:
    made = [layout.frontend / f"built-{number:02}" for number in range(frontend.KEPT + 3)]
    for age, path in enumerate(reversed(made)):
        path.mkdir(parents=True)
        os.utime(path, (1e9 - age, 1e9 - age))
    frontend.prune(layout, made[-1])
    assert sorted(layout.frontend.iterdir()) == made[-frontend.KEPT :]
