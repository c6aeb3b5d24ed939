"""What decides whether an image is made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from builder import recipe
from builder.build import longest_first
from builder.errors import BuildError
from builder.recipe import Recipe, content_hash


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """An image of a Containerfile, a directory of the repository and a program of the cache."""
    for name, value in (("IMAGES", "images"), ("ROOT", "."), ("CACHE", "cache"), ("PACKAGES", "packages")):
        monkeypatch.setattr(recipe, name, tmp_path / value)
    for path, text in (
        ("images/web/Containerfile", "FROM base\nRUN /run/build/apt-install nginx"),
        ("images/base/Containerfile", "FROM scratch"),
        ("images/web/src/left-out.go", "package main"),
        ("images/builder/tools/apt-install", "#!/bin/sh\n/run/build/tidy"),
        ("images/builder/tools/tidy", "#!/bin/sh"),
        ("images/builder/tools/python-install", "#!/bin/sh"),
        ("app/almagest/a.py", "a = 1"),
        ("app/almagest/__pycache__/a.pyc", "byte code"),
        ("cache/bin/program", "ELF"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return Recipe("web", "The web", "base", ("app/almagest",), (("program", "bin/program"),))


def test_context_holds_what_the_recipe_names_and_no_more(made: Recipe) -> None:
    assert [name for name, _ in made.context()] == ["Containerfile", "app/almagest/a.py", "program"]


CHANGES: dict[str, Callable[[Path], object]] = {
    "the Containerfile": lambda root: (root / "images/web/Containerfile").write_text("FROM base\nUSER 1"),
    "a source": lambda root: (root / "app/almagest/a.py").write_text("a = 2"),
    "a new source": lambda root: (root / "app/almagest/b.py").write_text(""),
    "a source's permission": lambda root: (root / "app/almagest/a.py").chmod(0o755),
    "a program of the cache": lambda root: (root / "cache/bin/program").write_text("ELF2"),
    "a tool that it calls": lambda root: (root / "images/builder/tools/apt-install").write_text("#!/bin/dash"),
    "a tool that this one calls": lambda root: (root / "images/builder/tools/tidy").write_text("#!/bin/dash"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_input_changes_the_hash(made: Recipe, tmp_path: Path, change: str) -> None:
    before = content_hash(made, "base1")
    CHANGES[change](tmp_path)
    assert content_hash(made, "base1") != before


def test_the_image_below_changes_the_hash(made: Recipe) -> None:
    assert content_hash(made, "base1") != content_hash(made, "base2")


def test_byte_code_and_what_other_images_use_do_not(made: Recipe, tmp_path: Path) -> None:
    before = content_hash(made, "base1")
    (tmp_path / "app/almagest/__pycache__/b.pyc").write_text("more")
    (tmp_path / "images/web/src/left-out.go").write_text("package other")
    (tmp_path / "images/builder/tools/python-install").write_text("#!/bin/dash")
    assert content_hash(made, "base1") == before


def test_newer_packages_change_the_base_only(made: Recipe, tmp_path: Path) -> None:
    base = Recipe("base", "Debian", None)
    before = content_hash(base, ""), content_hash(made, "base1")
    (tmp_path / "packages").write_text("0123456789ab")
    after = content_hash(base, ""), content_hash(made, "base1")
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


def test_image_that_installs_takes_packages_and_others_do_not(made: Recipe, tmp_path: Path) -> None:
    assert recipe.takes_packages(made)
    (tmp_path / "images/web/Containerfile").write_text("FROM base\nRUN /run/build/python-install lock.txt")
    assert not recipe.takes_packages(made)


def test_missing_program_is_named(made: Recipe, tmp_path: Path) -> None:
    (tmp_path / "cache/bin/program").unlink()
    with pytest.raises(BuildError, match=r"image web needs .*/cache/bin/program, which is not there"):
        content_hash(made, "base1")


def test_images_stand_on_images_that_come_before_them() -> None:
    seen: set[str | None] = {None}
    for name, found in recipe.recipes().items():
        assert found.base in seen
        seen.add(name)


def test_what_most_work_stands_on_is_begun_first() -> None:
    found = recipe.recipes()
    order = longest_first(found)
    assert order[:2] == ["base", "app-python"]
    assert all(order.index(base) < order.index(name) for name, made in found.items() if (base := made.base))


def test_work_of_an_image_changes_nothing_in_it(made: Recipe) -> None:
    assert content_hash(replace(made, work=99), "base1") == content_hash(made, "base1")
