"""The deployed archive that is measured: its addresses, the stars in it, psql beside its data database."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from load.bench import stars
from support.cluster import CACHE, CONTEXT, get, kubectl
from support.footprint import pss
from support.processes import command_line
from support.waiting import eventually

ARCHIVE, NAMESPACE = "gaia", "gaia-dev"
PSQL = "psql -X -q -h /run/postgresql -U postgres -d data -v ON_ERROR_STOP=1"


def tap() -> str:
    """The TAP address of the running archive."""
    return str(get("archive", ARCHIVE, "-n", NAMESPACE)["status"]["endpoints"]["tap"])


def load() -> None:
    """Hand the stars to the archive as a data set of its spec, unless it has them all, and wait until it is settled:
    another data set is another configuration, with which every process starts again."""
    if _loaded() != stars.ROWS:
        _hand_over()
    eventually("the archive to be settled", _settled, within=300, every=1)


def _hand_over() -> None:
    path = stars.write(CACHE / "bench")
    for file in (path, path.with_name(f"{path.name}.yaml")):
        _put(file)
    datasets = get("archive", ARCHIVE, "-n", NAMESPACE)["spec"]["datasets"]
    if stars.TABLE not in [dataset["table"] for dataset in datasets]:
        datasets.append({"table": stars.TABLE, "source": f"file:bench/{path.name}"})
        patch = json.dumps({"spec": {"datasets": datasets}})
        kubectl("patch", "archive", ARCHIVE, "-n", NAMESPACE, "--type=merge", "--patch", patch)
    eventually(f"{stars.TABLE} to be loaded", lambda: _loaded() == stars.ROWS, within=300, every=1)


def seconds(statements: str) -> float:
    """Time that psql in the database's own pod needs for these, its start not included."""
    done = subprocess.run(
        _exec(f"{NAMESPACE}/{ARCHIVE}-datadb-0", f"{PSQL} -o /dev/null | grep ^Time:"),
        input=f"\\timing on\n{statements}\n", capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    return sum(float(found) for found in re.findall(r"^Time: ([\d.]+) ms", done.stdout, re.MULTILINE)) / 1000


def web() -> list[int]:
    """Process ids of the web server."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if "almagest-app serve" in (command_line(int(entry.name)) or "")
    ]


def web_memory() -> int:
    """Bytes that the web server's processes hold, pages shared counted once."""
    return sum(pss(pid) for pid in web())


def _settled() -> bool:
    found = get("archive", ARCHIVE, "-n", NAMESPACE)
    told = {condition["type"]: condition["status"] for condition in found["status"]["conditions"]}
    current = found["status"]["observedGeneration"] == found["metadata"]["generation"]
    return bool(current and told["Ready"] == "True" and told["Progressing"] == "False")


def _loaded() -> int:
    counted = subprocess.run(
        _exec(f"{NAMESPACE}/{ARCHIVE}-datadb-0", f"{PSQL} -At -c 'SELECT count(*) FROM {stars.TABLE}'"),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return int(counted.stdout) if counted.returncode == 0 else 0


def _put(file: Path) -> None:
    """Write a file to the archive's files volume."""
    target = f"/var/lib/almagest/files/bench/{file.name}"
    command = _exec(f"{NAMESPACE}/deployment/{ARCHIVE}-scheduler", f"mkdir -p $(dirname {target}) && cat > {target}")
    with file.open("rb") as content:
        subprocess.run(command, stdin=content, check=True, timeout=300)


def _exec(where: str, script: str) -> list[str]:
    namespace, _, pod = where.partition("/")
    return ["kubectl", "--context", CONTEXT, "exec", "-i", "-n", namespace, pod, "--", "sh", "-c", script]
