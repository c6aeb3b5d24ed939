"""Make one image: context, build, list of contents, archive. A killed build leaves nothing that looks finished."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from builder import contents, host, rootfs
from builder.buildah import bud, buildah, push, sweep
from builder.errors import BuildError
from builder.layout import LOGS, PREFIX, STORE, version
from builder.outdated import offers, outdated
from builder.recipe import Recipe, content_hash

WORK = STORE / "work"


def clear_work() -> None:
    """Take away what a killed build left: contexts, half-written archives, working containers."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    for half in STORE.glob("*.making"):
        half.unlink()
    sweep(LOGS / "sweep.log")


@dataclass(frozen=True)
class Built:
    """An image in the cache. size: bytes of its archive, the compressed layers below included."""

    name: str
    hash: str
    digest: str
    size: int

    @property
    def archive(self) -> Path:
        return STORE / f"{self.name}-{self.hash}.tar"

    @property
    def tag(self) -> str:
        return f"{PREFIX}/{self.name}:{self.hash}"

    @property
    def reference(self) -> str:
        """By digest: the same bytes everywhere."""
        return f"{PREFIX}/{self.name}@{self.digest}"


def find(name: str, wanted: str) -> Built | None:
    """The image of that content hash, when the cache has it complete."""
    record = STORE / f"{name}-{wanted}.json"
    if not record.exists():
        return None
    built = Built(**json.loads(record.read_text()))
    return built if built.archive.exists() else None


def construct(recipe: Recipe, base: Built | None, mounts: Path) -> Built:
    """Build an image and write its archive; raises BuildError naming the step and its log."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{recipe.name}.log"
    log.unlink(missing_ok=True)
    context = Path(tempfile.mkdtemp(prefix=f"{recipe.name}.", dir=WORK))
    try:
        wanted = _lay_out(recipe, context, base)
        _make_parts(recipe, context, log)
        tag = f"{PREFIX}/{recipe.name}:{wanted}"
        if base is not None:
            restore(base, log)
        arguments = {**dict(recipe.arguments), **({"BASE": base.tag} if base else {})}
        bud(log, context, tag, arguments, _labels(recipe, wanted, base), mounts)
        return _record(recipe, wanted, tag, log)
    finally:
        shutil.rmtree(context, ignore_errors=True)


def _lay_out(recipe: Recipe, context: Path, base: Built | None) -> str:
    """Copy what the build may read; returns its content hash.

    Sources may be edited meanwhile: an image must never be recorded under the hash of other sources than its own.
    """
    for _ in range(5):
        before = content_hash(recipe, base.hash if base else "")
        for name, path in recipe.context():
            target = context / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        if content_hash(recipe, base.hash if base else "") == before:
            return before
        shutil.rmtree(context)
        context.mkdir()
    raise BuildError(f"image {recipe.name}: its sources change faster than they can be read; run it again")


def _make_parts(recipe: Recipe, context: Path, log: Path) -> None:
    """What is neither in the repository nor in the cache."""
    if recipe.name == "base":
        (context / "rootfs.tar").hardlink_to(rootfs.make(log))
    if recipe.name == "pause":
        command = ["gcc", "-static", "-Os", "-s", "-o", str(context / "pause"), str(context / "pause.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"image pause: gcc says {done.stderr.strip()}")


def restore(image: Built, log: Path) -> None:
    """Have an image in buildah's storage: it comes from its archive when the storage was cleared since."""
    try:
        buildah(log, "inspect", "--type", "image", image.tag)
    except BuildError:
        buildah(log, "pull", "--quiet", f"oci-archive:{image.archive}:{image.tag}")


def _labels(recipe: Recipe, wanted: str, base: Built | None) -> dict[str, str]:
    """OCI image-spec annotations (Pre-Defined Annotation Keys), as labels.

    The revision is the content hash, which says more than a commit: it holds for work not yet committed, too.
    """
    labels = {
        "title": recipe.title,
        "version": version(),
        "revision": wanted,
        "source": f"images/{recipe.directory.name}",
        "vendor": "Almagest",
        "licenses": "Apache-2.0",
        "url": "https://almagest.science",
    }
    if base:
        labels |= {"base.name": base.tag, "base.digest": base.digest}
    return {f"org.opencontainers.image.{key}": value for key, value in labels.items()}


def _record(recipe: Recipe, wanted: str, tag: str, log: Path) -> Built:
    """Write the archive, the list of contents and, last, the record that says that all of it is there.

    Raises BuildError for an image without the updates that Debian had for it: nothing else would ever show it.
    """
    making = STORE / f"{recipe.name}-{wanted}.making"
    making.unlink(missing_ok=True)
    digest = push(log, tag, f"oci-archive:{making}:{tag}", STORE / f"{recipe.name}.digest")
    container = buildah(log, "from", "--pull-never", tag).strip()
    try:
        mounted = Path(buildah(log, "mount", container).strip())
        listing = contents.sbom(mounted, recipe.name, version())
    finally:
        buildah(log, "rm", container)
    if behind := outdated(listing, offers(host.LISTS)):
        raise BuildError(f"image {recipe.name} has packages that Debian has newer: {', '.join(behind)}; its log: {log}")
    (STORE / f"{recipe.name}-{wanted}.spdx.json").write_text(json.dumps(listing, indent=1))
    built = Built(recipe.name, wanted, digest, making.stat().st_size)
    making.rename(built.archive)
    record = STORE / f"{recipe.name}-{wanted}.json"
    record.with_suffix(".new").write_text(json.dumps(asdict(built)))
    record.with_suffix(".new").rename(record)
    return built
