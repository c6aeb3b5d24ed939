"""What an image is made of, and the hash that says whether it must be made again. Pure but for reading files."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuildError
from builder.layout import CACHE, IMAGES, ROOT, STORE, version

# Modules of ours whose change can change what is inside an image.
SHAPING = ("buildah.py", "host.py", "rootfs.py")
# How a Containerfile names one of builder/tools.
TOOL = re.compile(r"/run/build/([\w-]+)")
# Directories that tools make inside of sources.
MADE = {"__pycache__", "node_modules", "dist"}
PACKAGES = STORE / "packages-of"


@dataclass(frozen=True)
class Recipe:
    """One image: its name and title, the image that it stands on, and what goes into its build context.

    inputs: paths of the repository; files: name in the context → path below the cache; folder: where its Containerfile
    is; arguments: for that; runs: whether pods run it, so that releases name it and containerd needs it; work: about
    how many core-seconds it takes, which changes nothing in it.
    """

    name: str
    title: str
    base: str | None
    inputs: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    folder: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    runs: bool = True
    work: float = 10

    @property
    def directory(self) -> Path:
        return IMAGES / (self.folder or self.name)

    def context(self) -> Iterator[tuple[str, Path]]:
        """(name in the context, file) of everything that the build may read, in a fixed order."""
        for path in _files(self.directory):
            name = str(path.relative_to(self.directory))
            if not name.startswith("src/"):
                yield name, path
        for given in self.inputs:
            for path in _files(ROOT / given):
                yield str(path.relative_to(ROOT)), path
        for name, source in self.files:
            yield name, CACHE / source


def recipes() -> dict[str, Recipe]:
    """Every image of images.toml, in dependency order."""
    described = tomllib.loads((IMAGES / "images.toml").read_text())
    found = {}
    for name, entry in described.items():
        standing_on = entry.get("from", None if name == "base" else "base") or None
        files = tuple(sorted(entry.get("files", {}).items()))
        inputs = tuple(entry.get("inputs", ()))
        arguments = tuple(sorted(entry.get("arguments", {}).items()))
        folder, runs = entry.get("folder", ""), entry.get("runs", True)
        work = float(entry["work"])
        found[name] = Recipe(name, entry["title"], standing_on, inputs, files, folder, arguments, runs, work)
    return found


def content_hash(recipe: Recipe, base_hash: str) -> str:
    """Twelve hexadecimal digits over the recipe, its context and the image below it; raises BuildError when a file
    is not there."""
    digest = hashlib.sha256(f"{recipe.name}\0{recipe.title}\0{base_hash}\0{version()}\0{recipe.arguments}\0".encode())
    if recipe.name == "base":
        digest.update(packages().encode())
    for path in (*_tools(recipe), *(Path(__file__).with_name(name) for name in SHAPING)):
        digest.update(path.read_bytes())
    for name, path in recipe.context():
        if not path.exists():
            raise BuildError(f"image {recipe.name} needs {path}, which is not there; `make up` makes it first")
        digest.update(f"{name}\0{path.stat().st_mode & 0o111:o}\0".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]


def packages() -> str:
    """Which state of Debian's archive the images are made from, a `host.lists_hash`; empty before the first build."""
    return PACKAGES.read_text() if PACKAGES.exists() else ""


def takes_packages(recipe: Recipe) -> bool:
    """Whether building it installs or unpacks packages of Debian's, or brings them up to date."""
    return any(tool.name.startswith("apt-") for tool in _tools(recipe))


def _tools(recipe: Recipe) -> list[Path]:
    """The builder's tools that an image's Containerfile calls, and those that these call."""
    found: list[Path] = []
    unread = [recipe.directory / "Containerfile"]
    while unread:
        called = (IMAGES / "builder/tools" / name for name in TOOL.findall(unread.pop().read_text()))
        new = sorted({tool for tool in called if tool.is_file()} - set(found))
        found += new
        unread += new
    return found


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for child in sorted(path.rglob("*")):
        if child.is_file() and not MADE & set(child.parts):
            yield child
