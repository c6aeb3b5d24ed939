#!/usr/bin/python
"""Ansible module: bring a Helm release to a chart and values, and say truthfully whether anything changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from almagest_operator.observe.pods import trouble

DOCUMENTATION = """
module: helm_release
short_description: Install or upgrade a Helm release only when its manifests or their objects would change
options:
  name: {type: str, required: true}
  namespace: {type: str, required: true}
  chart: {type: path, required: true}
  values: {type: dict, default: {}}
  context: {type: str, required: true}
  timeout: {type: int, default: 180, description: seconds to wait for the workloads to be ready}
"""

HELM = str(Path(sys.executable).with_name("helm"))


class HelmError(Exception):
    """helm or kubectl ended with an error: its own words."""


def helm(*args: str, values: dict[str, Any] | None = None) -> str:
    """Run helm with `values` on its standard input; returns stdout, raises HelmError with stderr."""
    done = subprocess.run([HELM, *args], input=json.dumps(values or {}), capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr.strip())
    return done.stdout


def location(params: dict[str, Any]) -> list[str]:
    return ["--namespace", params["namespace"], "--kube-context", params["context"]]


def status(params: dict[str, Any]) -> str:
    """The release's status in Helm's words (`deployed`, `pending-upgrade`, …), or `absent`."""
    try:
        return str(json.loads(helm("status", params["name"], *location(params), "--output", "json"))["info"]["status"])
    except HelmError as error:
        if "not found" in str(error):
            return "absent"
        raise


def is_current(params: dict[str, Any]) -> bool:
    """Whether the release has the manifests that the chart and values render to, and the cluster has their objects."""
    deployed = helm("get", "manifest", params["name"], *location(params))
    template = ["template", params["name"], params["chart"], *location(params), "--values", "-"]
    rendered = helm(*template, values=params["values"])
    return documents(deployed) == documents(rendered) and is_live(params, rendered)


def is_live(params: dict[str, Any], manifests: str) -> bool:
    """Whether the cluster has everything as the manifests say: Helm itself looks only at what it applied once.

    Raises HelmError when they could not be compared, which is everything beyond diff(1)'s 1.
    """
    done = kubectl(params, "diff", "--filename", "-", manifests=manifests)
    if done.returncode > 1:
        raise HelmError(done.stderr.strip())
    return done.returncode == 0


def await_rollout(params: dict[str, Any]) -> None:
    """As an upgrade does it, for a release that needs none. Raises HelmError when its time is over."""
    done = kubectl(params, "rollout", "status", "deployment", *selector(params), "--timeout", f"{params['timeout']}s")
    if done.returncode:
        raise HelmError(f"{done.stdout.strip()} {done.stderr.strip()}")


def selector(params: dict[str, Any]) -> list[str]:
    return ["--selector", f"app.kubernetes.io/instance={params['name']}"]


def kubectl(params: dict[str, Any], *args: str, manifests: str = "") -> subprocess.CompletedProcess[str]:
    """Run kubectl in the release's place, with `manifests` on its standard input."""
    command = ["kubectl", "--context", params["context"], "--namespace", params["namespace"], *args]
    # A program of the user's own to look at differences need not say by its exit code whether there are any.
    variables = {name: value for name, value in os.environ.items() if name != "KUBECTL_EXTERNAL_DIFF"}
    return subprocess.run(command, input=manifests, env=variables, capture_output=True, text=True, check=False)


def release_lock(params: dict[str, Any], found: str) -> None:
    """Undo an upgrade that was killed half-way: Helm refuses to work on a pending release."""
    if found == "pending-install":
        helm("uninstall", params["name"], *location(params), "--wait")
    elif found.startswith("pending-"):
        helm("rollback", params["name"], *location(params))


def documents(manifests: str) -> set[str]:
    """The manifests as a set: Helm orders them differently when it stores them and when it prints them."""
    return {document.strip() for document in ("\n" + manifests).split("\n---\n") if document.strip()}


def upgrade(params: dict[str, Any]) -> None:
    wait = ["--create-namespace", "--wait", "--timeout", f"{params['timeout']}s", "--values", "-"]
    helm("upgrade", "--install", params["name"], params["chart"], *location(params), *wait, values=params["values"])


def troubles(params: dict[str, Any]) -> str:
    """Why pods of the release do not run, a line each, which Helm keeps to itself; empty when nothing is known."""
    done = kubectl(params, "get", "pods", *selector(params), "--output", "json")
    pods = json.loads(done.stdout)["items"] if done.returncode == 0 else []
    return "".join(f"\n{found}" for found in map(trouble, pods) if found)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "namespace": {"type": "str", "required": True},
            "chart": {"type": "path", "required": True},
            "values": {"type": "dict", "default": {}},
            "context": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    try:
        found = status(module.params)
        changed = found != "deployed" or not is_current(module.params)
        if changed and not module.check_mode:
            release_lock(module.params, found)
            upgrade(module.params)
        elif not changed:
            await_rollout(module.params)
    except HelmError as error:
        module.fail_json(msg=f"Helm release {module.params['name']}: {error}{troubles(module.params)}")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
