"""The compile: its name, its progress, and that killing it leaves nothing half."""

from __future__ import annotations

from pathlib import Path

import pytest

from host import compile as compiler
from host import golang
from host.errors import HostError
from host.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "cache", tmp_path / "state")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces minutes of Go by writing a file; what was built, in order."""
    built: list[str] = []

    def build(_go: compiler.Go, binary: compiler.Binary, out: Path, *_: object) -> None:
        built.append(binary.name)
        (out / binary.name).touch()

    monkeypatch.setattr(compiler, "toolchain", lambda _: Path("go"))
    monkeypatch.setattr(compiler, "to_compile", lambda *_: {"pkg": 1})
    monkeypatch.setattr(compiler, "build", build)
    return built


def test_result_has_a_link_for_each_program_and_is_made_once(layout: Layout, quick: list[str]) -> None:
    (layout.go / "build").mkdir(parents=True)
    assert compiler.compile_kubernetes(layout, print)
    bin_directory = layout.kubernetes / "current" / "bin"
    assert (bin_directory / "kubelet").resolve().name == "almagest-kubernetes"
    assert not (layout.go / "build").exists()
    assert not compiler.compile_kubernetes(layout, print)
    assert quick == ["almagest-kubernetes", "local-path-provisioner"]


def test_failed_compile_leaves_nothing_that_looks_finished(
    layout: Layout, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise HostError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(compiler, "build", broken)
        with pytest.raises(HostError):
            compiler.compile_kubernetes(layout, print)
    assert not compiler.compiled(layout)
    assert compiler.compile_kubernetes(layout, print)
    assert quick


def test_build_cache_stays_when_asked_for(layout: Layout, quick: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALMAGEST_KEEP_GO", "1")
    (layout.go / "build").mkdir(parents=True)
    compiler.compile_kubernetes(layout, print)
    assert quick
    assert (layout.go / "build").exists()


def test_version_is_the_one_that_go_mod_pins() -> None:
    assert compiler.identity().startswith("v1.36.2-")
    with pytest.raises(HostError, match=r"go\.mod names no version"):
        compiler.kubernetes_version("module x\n")


def test_version_is_stamped_where_the_api_server_looks_for_it() -> None:
    stamps = compiler.linker_flags("v1.36.2").split(" -X ")
    assert "k8s.io/component-base/version.gitMinor=36" in stamps
    assert "k8s.io/client-go/pkg/version.gitVersion=v1.36.2" in stamps


def test_progress_counts_packages_and_keeps_what_the_compiler_complains() -> None:
    told: list[str] = []
    packages = {f"pkg/{n}": 3 if n < 25 else 1 for n in range(50)}
    meter = compiler.Meter(200, told.append)
    said = meter.follow(iter([*packages, "main.go:1:2: undefined: x\n"]), "k", packages)
    assert told == ["k: 25 of 50 packages (37.5 %)", "k: 50 of 50 packages, linking (50.0 %)"]
    assert said == ["main.go:1:2: undefined: x"]


def test_work_is_measured_in_bytes_of_the_packages_that_are_missing(tmp_path: Path) -> None:
    for name in ("a.go", "b.go"):
        (tmp_path / name).write_text("package a\n")
    go = tmp_path / "go"
    listed = f"pkg/a\\t{tmp_path}\\ta.go\\tb.go\\n\\npkg/c\\t{tmp_path}\\t\\n"
    go.write_text(f"#!/bin/sh\ntest $1 = mod || printf '{listed}'\n")
    go.chmod(0o755)
    told: list[str] = []
    found = compiler.to_compile(compiler.Go(go, {}), compiler.BINARIES[0], "v1.2.3", told.append)
    assert found == {"pkg/a": 20, "pkg/c": 0}
    assert told[-1] == "almagest-kubernetes: 2 packages to compile"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [("go version go1.26.8 linux/amd64", (1, 26)), ("go version go1.27rc1 linux/amd64", (1, 27)), ("devel", None)],
)
def test_go_version_is_read(text: str, parsed: tuple[int, int] | None) -> None:
    assert golang.version(text) == parsed


def test_programs_are_those_of_the_source() -> None:
    source = (compiler.SOURCES / "kubernetes" / "main.go").read_text()
    assert all(f'"{name}":' in source for name in compiler.PROGRAMS)
