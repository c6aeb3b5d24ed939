"""`almagest render`: all that an Archive becomes, as YAML, without a cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from almagest_operator.cli.errors import CommandError
from almagest_operator.desired import Desired, build
from almagest_operator.model.archive import Archive
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ArchiveRelease
from almagest_operator.model.resource import GeneratedSecret
from almagest_operator.model.text import as_yaml

Document = dict[str, Any]


def render(files: Iterable[Path], directory: Path | None) -> str:
    """Render every Archive of the files with the ArchiveRelease that it names, which must be in one of them.

    Gives one YAML stream, or with `directory` writes one file a component there and gives a line that says so. Objects
    that depend on the cluster are rendered as for an empty one: a NodePort not chosen yet is 0.
    """
    documents = [document for path in files for document in read(path)]
    try:
        releases = [ArchiveRelease.parse(d) for d in documents if d.get("kind") == "ArchiveRelease"]
        archives = [Archive.parse(d) for d in documents if d.get("kind") == "Archive"]
        if not archives:
            raise CommandError("none of the files holds an Archive")
        by_name = {release.name: release for release in releases}
        found = [(archive, build(archive, _release(archive, by_name), Facts())) for archive in archives]
    except InvalidSpec as error:
        raise CommandError(str(error)) from error
    if directory is None:
        return "".join(text for _, desired in found for text in _stream(desired))
    count = sum(_write(desired, directory / archive.namespace / archive.name) for archive, desired in found)
    return f"wrote {count} files below {directory}\n"


def read(path: Path) -> list[Document]:
    """The YAML documents of a file, `-` for standard input."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        return [document for document in yaml.safe_load_all(text) if isinstance(document, dict)]
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CommandError(f"{path}: not YAML: {' '.join(str(error).split())}") from error


def _release(archive: Archive, releases: dict[str, ArchiveRelease]) -> ArchiveRelease:
    name = archive.spec.release
    if name not in releases:
        raise CommandError(
            f"archive {archive.name!r} wants release {name!r}: give its ArchiveRelease with --release FILE "
            "(`make images` writes ~/.cache/almagest/images/release.yaml)"
        )
    return releases[name]


def _stream(desired: Desired) -> Iterator[str]:
    for secret in desired.secrets:
        yield f"---\n{_secret(secret)}"
    for resource in desired.resources:
        yield f"---\n# stage: {resource.stage.name.lower()}\n{as_yaml(resource.manifest)}"


def _write(desired: Desired, directory: Path) -> int:
    """One file a component; returns their number."""
    files: dict[str, list[str]] = {"secrets": [_secret(secret) for secret in desired.secrets]}
    for resource in desired.resources:
        files.setdefault(resource.component, []).append(as_yaml(resource.manifest))
    directory.mkdir(parents=True, exist_ok=True)
    for component, texts in files.items():
        (directory / f"{component}.yaml").write_text("---\n".join(texts))
    return len(files)


def _secret(secret: GeneratedSecret) -> str:
    """Without values: those are drawn in the cluster, once."""
    return f"# the operator draws: {', '.join(sorted(secret.keys))}\n{as_yaml(secret.manifest)}"
