"""Keeps the node's programs running: under systemd where it is process 1, else s6 (docs/decisions/supervision.md).

Both get the same `Service` descriptions. Definitions are written only when they differ, and only what differs restarts.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from host import processes
from host.errors import HostError
from host.node import Node
from host.services import Service, python

LOG_FILES, LOG_BYTES = 5, 10_000_000
UNITS = Path("/etc/systemd/system")
DESCRIPTION = "Description=Almagest: "
"""How each unit of ours begins."""
RETRY = 3600
"""Seconds after which a job that failed is tried again; its next turn may be a day away."""


def has_systemd() -> bool:
    """systemd's own test (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def put(path: Path, content: str, mode: int = 0o600) -> bool:
    """Write a file when it differs; whether it did."""
    if path.is_file() and path.read_text() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(content)
    fresh.chmod(mode)
    fresh.replace(path)
    return True


def run_script(service: Service) -> str:
    """s6's `run`: become the program. A job becomes a sleep after its work, and s6 begins it anew when that ends."""
    command = shlex.join(service.command)
    if service.every is None:
        return f"#!/bin/sh\nexec 2>&1\nexec {command}\n"
    failed = f"echo '{service.name} failed, and is tried again in {RETRY} s'\nexec sleep {RETRY}"
    return f"#!/bin/sh\nexec 2>&1\n{command} && exec sleep {service.every}\n{failed}\n"


def log_script(node: Node, service: Service) -> str:
    return f"#!/bin/sh\nexec s6-log -b -- n{LOG_FILES} s{LOG_BYTES} T {shlex.quote(f'{node.log}/{service.name}')}\n"


def s6_files(node: Node, service: Service) -> dict[Path, str]:
    home = node.state / "services" / service.name
    return {home / "run": run_script(service), home / "log" / "run": log_script(node, service)}


def write_s6(node: Node, wanted: Sequence[Service]) -> list[str]:
    """Write what differs; the names of the services that must restart for it."""
    changed = []
    for service in wanted:
        (node.log / service.name).mkdir(parents=True, exist_ok=True)
        differs = [put(Path(path), content) for path, content in service.files.items()]
        differs += [put(path, content, 0o700) for path, content in s6_files(node, service).items()]
        if any(differs):
            changed.append(service.name)
    return changed


def drop_s6(node: Node, wanted: Sequence[Service]) -> list[str]:
    """End and forget services that an older version had."""
    names = {service.name for service in wanted}
    homes = [home for home in (node.state / "services").glob("[!.]*") if home.name not in names]
    for home in homes:
        subprocess.run(["s6-svc", "-wD", "-T", "10000", "-xd", home], capture_output=True, check=False)
        shutil.rmtree(home)
    return [home.name for home in homes]


def apply_s6(node: Node, wanted: Sequence[Service]) -> list[str]:
    """Bring the supervision tree to the wanted services; the names of those that were started or restarted."""
    scan = node.state / "services"
    scan.mkdir(parents=True, exist_ok=True, mode=0o700)
    changed = write_s6(node, wanted)
    if not processes.supervisor(node.state):
        start_s6(node, scan)
        return [service.name for service in wanted]
    dropped = drop_s6(node, wanted)
    fresh = [name for name in changed if not (scan / name / "supervise").is_dir()]
    if fresh or dropped:
        subprocess.run(["s6-svscanctl", "-an", scan], check=True)
    for name in changed:
        if name not in fresh:
            subprocess.run(["s6-svc", "-r", scan / name], check=True)
    return changed + dropped


def start_s6(node: Node, scan: Path) -> None:
    """In a session of its own: neither the terminal's end nor `make`'s signals reach it."""
    for stale in [*scan.glob("*/supervise"), *scan.glob("*/log/supervise"), *scan.glob("*/event"), scan / ".s6-svscan"]:
        shutil.rmtree(stale, ignore_errors=True)
    with (node.log / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            ["s6-svscan", "-t0", scan],
            cwd=scan,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def unit_name(service: Service) -> str:
    return f"almagest-{service.name}"


def systemd_units(service: Service) -> Mapping[str, str]:
    """Unit files by name; a job is a oneshot with a timer."""
    command = shlex.join(word.replace("%", "%%").replace("$", "$$") for word in service.command)
    name = unit_name(service)
    head = f"[Unit]\n{DESCRIPTION}{service.name}\nAfter=network-online.target almagest-node.service\n"
    if service.every is not None:
        timer = f"[Timer]\nOnActiveSec=1min\nOnUnitActiveSec={service.every}\n\n[Install]\nWantedBy=timers.target\n"
        again = f"Restart=on-failure\nRestartSec={RETRY}\n"
        return {
            f"{name}.service": f"{head}\n[Service]\nType=oneshot\nExecStart={command}\n{again}",
            f"{name}.timer": f"[Unit]\n{DESCRIPTION}{service.name}, every {service.every} s\n\n{timer}",
        }
    # KillMode=process: the containers outlive a restart of their runtime, as Debian's own unit of containerd has it.
    keep = "Delegate=yes\nKillMode=process\n" if service.name == "containerd" else ""
    body = f"ExecStart={command}\nRestart=always\nRestartSec=1\nLimitNOFILE=1048576\nTasksMax=infinity\n{keep}"
    need = "Requires=almagest-node.service\nStartLimitIntervalSec=0\n"
    return {f"{name}.service": f"{head}{need}\n[Service]\n{body}\n[Install]\nWantedBy=multi-user.target\n"}


def node_unit(node: Node) -> str:
    """Bridges and kernel settings, before anything else of ours after a boot."""
    command = shlex.join([*python(node), "-m", "host.prepare", str(node.state)])
    service = f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={command}\n"
    unit = f"[Unit]\n{DESCRIPTION}addresses and kernel settings of the node\nAfter=network.target\n"
    return f"{unit}\n{service}\n[Install]\nWantedBy=multi-user.target\n"


def apply_systemd(node: Node, wanted: Sequence[Service]) -> list[str]:
    """Install, enable and start the units; the names of those that were started or restarted."""
    changed = ["node"] if put(UNITS / "almagest-node.service", node_unit(node), 0o644) else []
    for service in wanted:
        differs = [put(Path(path), content) for path, content in service.files.items()]
        differs += [put(UNITS / name, content, 0o644) for name, content in systemd_units(service).items()]
        if any(differs):
            changed.append(service.name)
    if changed:
        systemctl("daemon-reload")
    units = [name for service in wanted for name in systemd_units(service) if not is_job_body(service, name)]
    stopped = [unit for unit in ["almagest-node.service", *units] if not is_active(unit)]
    if changed or stopped:
        systemctl("enable", "almagest-node.service", *units)
        systemctl("start", "almagest-node.service", *units)
    restart = [f"almagest-{name}.service" for name in changed if f"almagest-{name}.service" not in stopped]
    restart = [unit for unit in restart if unit in units]
    if restart:
        systemctl("restart", *restart)
    return sorted({*changed, *(unit.removeprefix("almagest-").rsplit(".", 1)[0] for unit in stopped)})


def is_job_body(service: Service, unit: str) -> bool:
    return service.every is not None and unit.endswith(".service")


def is_active(unit: str) -> bool:
    return subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0


def systemctl(*arguments: str) -> None:
    """Raises HostError with systemd's own words."""
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"`systemctl {arguments[0]}` failed: {done.stderr.strip()}")


def installed_units() -> list[Path]:
    """Those that we wrote: somebody else's may be called so too."""
    found = sorted(UNITS.glob("almagest-*")) if has_systemd() else []
    return [unit for unit in found if DESCRIPTION in unit.read_text()]


def release() -> None:
    """Tell systemd to start nothing of ours again, without waiting for the ends; s6 ends with its processes."""
    if names := [unit.name for unit in installed_units()]:
        systemctl("--quiet", "disable", *names)
        systemctl("stop", "--no-block", *names)


def forget() -> bool:
    """Remove systemd's units once their processes are gone."""
    units = installed_units()
    for unit in units:
        unit.unlink()
    if units:
        systemctl("daemon-reload")
        subprocess.run(["systemctl", "reset-failed", "almagest-*"], capture_output=True, check=False)  # none may be
    return bool(units)
