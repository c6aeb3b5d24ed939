"""Every command that the documentation shows is run, or is named here with the test that runs it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.conftest import ROOT, Archive
from support.cluster import CACHE, apply, kubectl, namespace, release_images, restricted_pod
from support.registry import run_registry

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    # pyvo leaves sockets open, which the garbage collector finds in some later test.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

ELSEWHERE = {
    "make up": "test_1_user",
    "make down": "test_4_down",
    "make test": "runs this",
    "make lint": "a stage of make test",
    "make types": "a stage of make test",
    "images/build build --refresh        # everything again, if Debian has newer packages": (
        "integration/images/test_refresh on a cache of its own: here it would change the images under the archive"
    ),
    "make bench": "test_2_bench runs parts of it; all of it takes minutes and writes into these documents",
}


def commands() -> list[tuple[str, str]]:
    """(document, command) for every console line of the README and the docs, those run elsewhere left out."""
    found = []
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.findall(r"^```console\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL):
            lines = re.findall(r"^\$ (.+)$", block, re.MULTILINE)
            found += [(str(document.relative_to(ROOT)), line) for line in lines if line not in ELSEWHERE]
    return found


@pytest.fixture(scope="module", autouse=True)
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The registry that the documentation pushes to."""
    with run_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.mark.parametrize(("document", "command"), commands())
def test_command_of_the_documentation_works(archive: Archive, document: str, command: str) -> None:
    done = subprocess.run(["bash", "-euc", command], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{document}: $ {command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def test_pushed_images_are_in_the_registry_under_the_names_of_the_catalogue(archive: Archive, registry: str) -> None:
    """OCI distribution specification 1.1, pulling manifests."""
    catalogue = yaml.safe_load((CACHE / "images/pushed.yaml").read_text())["spec"]["images"]
    assert catalogue.keys() == release_images().keys()
    for name, reference in catalogue.items():
        repository, _, digest = reference.removeprefix(f"{registry}/").partition("@")
        assert repository == f"almagest/{name}"
        assert digest == release_images()[name].partition("@")[2], "the same bytes as here"
        address = f"http://{registry}/v2/{repository}/manifests/{digest}"
        asked = urllib.request.Request(address, headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert f"sha256:{hashlib.sha256(answer.read()).hexdigest()}" == digest


def test_image_that_the_node_once_pulled_still_runs_under_the_name_it_was_loaded_with(archive: Archive) -> None:
    """As after `make up CLUSTER=existing` and then `make up`, with the registry gone."""
    pulled = yaml.safe_load((CACHE / "images/pushed.yaml").read_text())["spec"]["images"]["pause"]
    loaded = release_images()["pause"]
    with namespace(f"almagest-test-pull-{time.monotonic_ns() % 100000}") as name:
        for number, image in enumerate((pulled, loaded)):
            apply(restricted_pod(name, f"pause-{number}", image, 65532))
            kubectl("wait", "--for=condition=Ready", f"pod/pause-{number}", "-n", name, "--timeout=60s")
        kubectl("delete", "pods", "--all", "-n", name)


def test_readme_query_is_python_that_runs(archive: Archive, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        script = tmp_path / f"block{number}.py"
        script.write_text(block.replace("http://127.0.0.1:30080/tap", archive.tap))
        subprocess.run(["python", script], check=True, capture_output=True, text=True, timeout=60)
