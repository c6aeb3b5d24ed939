"""The host's own package configuration, laid out for the builds: mounted while they run, never part of an image."""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from builder.errors import BuildError
from builder.layout import CACHE, IMAGES, STORE

SUITE = "trixie"
APT = Path("/etc/apt")
DOWNLOADS = CACHE / "packages/apt"
LISTS = DOWNLOADS / "lists"
# The releases whose hosts are supported, by every name that their archive has for them.
RELEASES = {"bookworm", "trixie", "stable", "oldstable"}
ONE_LINE = re.compile(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)[ \t]*([^#\n]*)", re.MULTILINE)
# In pip's own order: the later ones win, and the environment over all of them.
PIP_CONFIGURATIONS = (
    "/etc/xdg/pip/pip.conf",
    "/etc/pip.conf",
    "~/.pip/pip.conf",
    "~/.config/pip/pip.conf",
    os.environ.get("PIP_CONFIG_FILE", ""),
)
PIP_REACH = {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries"}
CA_BUNDLES = (os.environ.get("SSL_CERT_FILE", ""), "/etc/ssl/certs/ca-certificates.crt")
# Licences stay in the images, as their terms ask; other documents, manuals and translations are read by nobody there.
DPKG_OPTIONS = (
    "--force-unsafe-io",
    "--path-exclude=/usr/share/doc/*",
    "--path-include=/usr/share/doc/*/copyright",
    "--path-exclude=/usr/share/man/*",
    "--path-exclude=/usr/share/locale/*",
    "--path-exclude=/usr/share/info/*",
)
# Options that change how packages are reached; everything else of the host is its own affair.
REACH = re.compile(r"^Acquire::(?!IndexTargets|Changelogs|Languages|GzipIndexes|CompressionTypes)", re.IGNORECASE)


def prepare() -> Path:
    """The directory that builds see at /run/build: tools, apt's and pip's configuration, the CA bundle."""
    target = STORE / "build"
    made = Path(tempfile.mkdtemp(prefix="build.", dir=STORE))
    for tool in (IMAGES / "builder/tools").iterdir():
        shutil.copy2(tool, made / tool.name)
    (made / "apt.conf").write_text(_apt_configuration())
    (made / "sources.list").write_text("\n".join(sources(SUITE)) + "\n")
    (made / "pip.conf").write_text(_pip_configuration())
    if bundle := _first(CA_BUNDLES):
        shutil.copy(bundle, made / "ca.crt")
    made.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)
    made.rename(target)
    return target


def mirrors() -> tuple[str, str | None]:
    """(archive, security archive or None) that this host takes Debian from; raises BuildError when it names none.

    Vendors name their own suites after Debian's, so an address that ends like the archive's own is preferred.
    """
    found = [(address, suites) for address, suites, components in _entries() if "main" in components]
    archives = [address for address, suites in found if RELEASES & set(suites)]
    if not archives:
        raise BuildError(
            f"no Debian archive in {APT}/sources.list or {APT}/sources.list.d: images are built from Debian packages"
        )
    security = [address for address, suites in found if {f"{name}-security" for name in RELEASES} & set(suites)]
    return min(archives, key=_unlike_debian), next(iter(security), None)


def _unlike_debian(address: str) -> bool:
    return re.search(r"/debian(/|$)", address) is None


def sources(suite: str) -> list[str]:
    """One-line apt sources of that suite, from the mirrors that the host uses."""
    archive, security = mirrors()
    lines = [f"deb {archive} {suite} main", f"deb {archive} {suite}-updates main"]
    return [*lines, f"deb {security} {suite}-security main"] if security else lines


def update_lists(mounts: Path, log: Path) -> None:
    """Refresh the package lists that all builds share, with the host's apt and the builds' sources.

    Of the host's configuration only what says how to reach packages: its hooks and extra indexes are its own affair.
    """
    (LISTS / "partial").mkdir(parents=True, exist_ok=True)
    _apt_get(mounts, log, "update")


def forget_packages(mounts: Path, log: Path) -> None:
    """Delete the downloaded packages that Debian's archive has no more; every update would leave some behind."""
    (DOWNLOADS / "archives/partial").mkdir(parents=True, exist_ok=True)
    _apt_get(mounts, log, "autoclean")


def _apt_get(mounts: Path, log: Path, verb: str) -> None:
    """The host's own apt on the cache of the builds. Raises BuildError."""
    configuration = mounts / "host-apt.conf"
    own = ['Dir::Etc::main "-";', 'Dir::Etc::parts "-";', 'Acquire::Languages "none";']
    configuration.write_text("\n".join([*_reach(), *own]) + "\n")
    options = {
        "Dir::Etc::sourcelist": mounts / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": LISTS,
        "Dir::Cache::archives": DOWNLOADS / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    command = ["apt-get", verb, *(f"-o{key}={value}" for key, value in options.items())]
    with log.open("a") as output:
        variables = {**os.environ, "APT_CONFIG": str(configuration)}
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, env=variables)
    if done.returncode:
        raise BuildError(f"apt-get {verb} for {SUITE} failed; its log: {log}")


def lists_hash() -> str:
    """Twelve hexadecimal digits over the package lists in the cache; empty when there are none.

    Over the lists, not their signed heads: those are renewed daily, whether a package changed or not.
    """
    digest = hashlib.sha256()
    lists = sorted(LISTS.glob("*_Packages*"))
    for path in lists:
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12] if lists else ""


def _entries() -> Iterator[tuple[str, list[str], list[str]]]:
    """(URI, suites, components) of every binary source, from one-line and deb822 files."""
    for path in (APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))):
        if path.suffix == ".sources":
            yield from _deb822(path.read_text())
        elif path.suffix == ".list" and path.is_file():
            for address, suite, components in ONE_LINE.findall(path.read_text()):
                yield address.rstrip("/"), [suite], components.split()


def _deb822(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = dict(re.findall(r"^(\S+):\s*(.*)$", stanza, re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            for address in fields.get("URIs", "").split():
                yield address.rstrip("/"), fields.get("Suites", "").split(), fields.get("Components", "").split()


def _reach() -> list[str]:
    """The host's options that say how packages are reached: proxies, retries, time-outs, what is checked."""
    dumped = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return [line for line in dumped.splitlines() if REACH.match(line) and not line.endswith('"";')]


def _apt_configuration() -> str:
    own = [
        'Dir::Etc::sourcelist "/run/build/sources.list";',
        'Dir::Etc::sourceparts "-";',
        'Dir::State::lists "/run/build-cache/apt/lists";',
        'Dir::Cache::archives "/run/build-cache/apt/archives";',
        'Dir::Cache::pkgcache "";',
        'Dir::Cache::srcpkgcache "";',
        'Acquire::https::CAInfo "/run/build/ca.crt";',
        'APT::Sandbox::User "root";',
        'APT::Install-Recommends "false";',
        'DPkg::Lock::Timeout "300";',
        "Dpkg::Options {",
        *(f'"{option}";' for option in DPKG_OPTIONS),
        "};",
    ]
    return "\n".join([*_reach(), *own]) + "\n"


def _pip_configuration() -> str:
    """The host's pip options that say how packages are reached, from its files and its environment, as pip.conf.

    Paths are left out, the certificate's too: builds see the host's bundle elsewhere and nothing else of its disk.
    """
    found = configparser.ConfigParser(interpolation=None)
    found.read([Path(path).expanduser() for path in PIP_CONFIGURATIONS if path])
    options = {
        key: value for section in ("global", "install") if section in found for key, value in found[section].items()
    }
    options |= {
        name.removeprefix("PIP_").lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_")
    }
    lines = [f"{key} = {value}" for key, value in sorted(options.items()) if key in PIP_REACH]
    return "\n".join(["[global]", *lines]) + "\n"


def _first(candidates: tuple[str, ...]) -> Path | None:
    paths = (Path(candidate).expanduser() for candidate in candidates if candidate)
    return next((path for path in paths if path.is_file()), None)
