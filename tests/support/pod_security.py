"""The `restricted` Pod Security Standard of Kubernetes 1.36, as a list of what a pod violates."""

from __future__ import annotations

from collections.abc import Iterator

from support.cluster import Manifest

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HOST = ("hostNetwork", "hostPID", "hostIPC")


def violations(pod: Manifest) -> list[str]:
    """Every rule that a pod spec breaks, empty when it passes."""
    found = [field for field in HOST if pod.get(field)]
    found += [f"volume {volume['name']}" for volume in pod.get("volumes", []) if not set(volume) - {"name"} <= VOLUMES]
    for container in (*pod.get("initContainers", []), *pod["containers"]):
        found += [f"{container['name']}: {rule}" for rule in _container(pod.get("securityContext", {}), container)]
    return found


def _container(pod: Manifest, container: Manifest) -> Iterator[str]:
    own = container.get("securityContext", {})
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
        yield "capabilities"
    if not own.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield "runAsNonRoot"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "runAsUser"
    profile = own.get("seccompProfile", pod.get("seccompProfile", {}))
    if profile.get("type") not in {"RuntimeDefault", "Localhost"}:
        yield "seccompProfile"
    if any("hostPort" in port for port in container.get("ports", [])):
        yield "hostPort"
