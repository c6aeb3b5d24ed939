"""Kubernetes from source: two Go modules with pinned versions become the binaries of a node, once per version.

The result is `<cache>/kubernetes/<version>-<hash of the sources>/bin/`, where `almagest-kubernetes` has a symbolic
link for each program in it; `<cache>/kubernetes/current` points at the newest. A compile that is killed leaves only
Go's own build cache, from which the next one goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.errors import HostError
from host.golang import toolchain
from host.layout import ROOT, Layout
from host.pace import percent
from host.progress import Progress

SOURCES = ROOT / "images" / "kubernetes" / "src"
PROGRAMS = (
    "coredns",
    "etcd",
    "etcdctl",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-router",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)
"""The names that `almagest-kubernetes` answers to (images/kubernetes/src/kubernetes/main.go)."""


@dataclass(frozen=True)
class Binary:
    """One executable: the module that pins its versions, and the package that is its `main`."""

    name: str
    module: str
    package: str


BINARIES = (
    Binary("almagest-kubernetes", "kubernetes", "."),
    Binary("local-path-provisioner", "local-path-provisioner", "github.com/rancher/local-path-provisioner"),
)


def kubernetes_version(go_mod: str) -> str:
    """`v1.36.2`, as go.mod pins it. Raises HostError when it does not."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+)$", go_mod, re.MULTILINE)
    if not found:
        raise HostError(f"{SOURCES}/kubernetes/go.mod names no version of k8s.io/kubernetes")
    return found[1]


def linker_flags(version: str) -> str:
    """Stamp the version into the binary: the API server refuses to start without one."""
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {
        "k8s.io/component-base/version": {
            "gitVersion": version,
            "gitMajor": major,
            "gitMinor": minor,
            "gitTreeState": "clean",
        },
        "k8s.io/client-go/pkg/version": {"gitVersion": version},
    }
    words = [f"-X {package}.{name}={value}" for package, names in stamps.items() for name, value in names.items()]
    return " ".join(["-s", "-w", *words])


def sources() -> Iterator[Path]:
    """Every file that the result depends on, in a fixed order."""
    for pattern in ("*/go.mod", "*/go.sum", "*/*.go"):
        yield from sorted(SOURCES.glob(pattern))


def identity() -> str:
    """The name of the result: version, and a hash over sources, flags and machine."""
    version = kubernetes_version((SOURCES / "kubernetes" / "go.mod").read_text())
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes() + b"\0")
    digest.update(f"{linker_flags(version)}\0{platform.machine()}".encode())
    return f"{version}-{digest.hexdigest()[:12]}"


def compiled(layout: Layout) -> bool:
    """Whether `current` is what these sources make."""
    current = layout.kubernetes / "current"
    return current.is_symlink() and current.resolve().name == identity() and (current / "bin").is_dir()


def compile_kubernetes(layout: Layout, progress: Progress) -> bool:
    """Make `<cache>/kubernetes/current` what the sources say; False when it was already.

    Safe to be called twice at once (the second waits) and to be killed. Raises HostError.
    """
    if compiled(layout):
        return False
    with only_one(layout.kubernetes / ".lock", progress):
        name = identity()
        target = layout.kubernetes / name
        if not target.is_dir():
            build_all(layout, name, target, progress)
        point(layout.kubernetes / "current", name)
        if os.environ.get("ALMAGEST_KEEP_GO") != "1":
            shutil.rmtree(layout.go / "build", ignore_errors=True)
    return True


def build_all(layout: Layout, name: str, target: Path, progress: Progress) -> None:
    """Compile every binary beside its final place, then rename the whole."""
    partial = target.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    go, version = Go(toolchain(layout), go_environment(layout)), name.partition("-")[0]
    plan = {binary: to_compile(go, binary, version, progress) for binary in BINARIES}
    meter = Meter(sum(sum(packages.values()) for packages in plan.values()), progress)
    for binary, packages in plan.items():
        build(go, binary, partial / "bin", version, packages, meter)
    for program in PROGRAMS:
        (partial / "bin" / program).symlink_to("almagest-kubernetes")
    partial.rename(target)


def go_environment(layout: Layout) -> Mapping[str, str]:
    """Go's own variables: what it writes stays in our cache; where it downloads from is the host's choice."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOCACHE": str(layout.go / "build"),
        "GOMODCACHE": str(layout.go / "modules"),
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


@dataclass(frozen=True)
class Go:
    """A toolchain, and the variables that it runs with."""

    program: Path
    variables: Mapping[str, str]

    def run(self, module: Path, *words: str) -> str:
        """stdout; raises HostError with its last words."""
        command = [str(self.program), *words]
        done = subprocess.run(command, cwd=module, env=self.variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"`go {' '.join(words[:2])}` failed in {module}: {done.stderr.strip()[-600:]}")
        return done.stdout


class Meter:
    """Says how far the compile is, in bytes of source: one package is a hundred times as large as another."""

    def __init__(self, total: float, progress: Progress) -> None:
        self.total, self.progress = total, progress
        self.done = 0.0

    def follow(self, lines: Iterable[str], name: str, packages: Mapping[str, int]) -> list[str]:
        """Count the packages that `go build -v` names, one a line; returns whatever else it said."""
        count, other = 0, []
        for line in map(str.rstrip, lines):
            if " " in line:
                other.append(line)
                continue
            count += 1
            self.done += packages.get(line, 0)
            if count % 25 == 0 or count == len(packages):
                where = f"{name}: {count} of {len(packages)} packages" + (", linking" * (count == len(packages)))
                self.progress(f"{where} {percent(self.done, self.total)}")
        return other


def to_compile(go: Go, binary: Binary, version: str, progress: Progress) -> dict[str, int]:
    """Download what go.sum pins; the packages that the build cache lacks → bytes of their sources."""
    module = SOURCES / binary.module
    progress(f"{binary.name}: downloading modules")
    go.run(module, "mod", "download")
    stale = '{{if .Stale}}{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles "\t"}}{{end}}'
    listed = go.run(module, "list", "-deps", "-ldflags", linker_flags(version), "-f", stale, binary.package)
    rows = (line.split("\t") for line in listed.splitlines() if line)
    found = {name: sum((Path(place) / file).stat().st_size for file in files if file) for name, place, *files in rows}
    progress(f"{binary.name}: {len(found)} packages to compile")
    return found


def build(go: Go, binary: Binary, out: Path, version: str, packages: Mapping[str, int], meter: Meter) -> None:
    """Compile and link one binary into the directory `out`."""
    flags = ["-ldflags", linker_flags(version)]
    command = [str(go.program), "build", "-v", *flags, "-o", str(out / binary.name), binary.package]
    module = SOURCES / binary.module
    with subprocess.Popen(command, cwd=module, env=go.variables, stderr=subprocess.PIPE, text=True) as compiler:
        said = meter.follow(compiler.stderr or (), binary.name, packages)
    if compiler.returncode:
        raise HostError(f"compiling {binary.name} failed:\n" + "\n".join(said[-20:]))


def point(link: Path, target: str) -> None:
    """Let a symbolic link name `target` without a moment in which it names nothing."""
    fresh = link.with_name(link.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


@contextmanager
def only_one(lock: Path, progress: Progress) -> Iterator[None]:
    """Hold a lock file; it frees itself when its process dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"waiting: another process compiles ({lock})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
