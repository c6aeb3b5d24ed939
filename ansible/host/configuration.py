"""The configuration files of the node's programs, as pure functions of its facts.

JSON stands where the programs document YAML: it is a subset, and needs no quoting rules.
"""

from __future__ import annotations

import json
from typing import Any

from host.node import Node

Document = dict[str, Any]


def as_json(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


def kubeconfig(node: Node, user: str) -> str:
    """Names the certificate by file: clients read it again when it was renewed."""
    cluster = {"server": node.api, "certificate-authority": f"{node.pki}/ca.crt"}
    credentials = {"client-certificate": f"{node.pki}/{user}.crt", "client-key": f"{node.pki}/{user}.key"}
    return as_json(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "almagest", "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": "almagest", "context": {"cluster": "almagest", "user": user}}],
            "current-context": "almagest",
        }
    )


def containerd(node: Node) -> str:
    """Version 2 of containerd's format, which 1.6 (Debian 12) and 1.7 (Debian 13) read.

    restrict_oom_score_adj, oom_score 0: a virtual machine's root may lack CAP_SYS_RESOURCE, without which a process
    cannot be made less likely to be killed than its parent.
    """
    return f"""version = 2
root = "{node.state}/containerd"
state = "{node.run}/containerd"
oom_score = 0

[grpc]
  address = "{node.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{node.state}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{node.sandbox_image}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  netns_mounts_under_state_dir = true

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = "{node.run}/runc"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{node.etc}/cni"
"""


def pod_network(node: Node) -> str:
    """One bridge for all pods; their addresses are remembered below the state directory."""
    bridge = {
        "type": "bridge",
        "bridge": node.pod_link,
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": f"{node.run}/addresses",
            "ranges": [[{"subnet": str(node.pods)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return as_json({"cniVersion": "1.0.0", "name": "almagest", "plugins": [bridge]})


def resolver(node: Node) -> str:
    """The host's name servers, as pods with `dnsPolicy: Default` see them."""
    return "".join(f"nameserver {server}\n" for server in node.name_servers)


def kubelet(node: Node) -> str:
    """KubeletConfiguration v1beta1.

    Images never vanish: no registry may be there to bring them back, so neither their age nor a full disk removes one.
    Those named `localhost/…` were loaded here and can be pulled from nowhere. Once the same bytes came from a registry,
    the kubelet would want to see credentials for every name of them that it has not pulled itself.
    """
    return as_json(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": node.address,
            "healthzBindAddress": "127.0.0.1",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{node.pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{node.pki}/kubelet.crt",
            "tlsPrivateKeyFile": f"{node.pki}/kubelet.key",
            "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
            "clusterDNS": [node.dns],
            "clusterDomain": node.domain,
            "resolvConf": f"{node.etc}/resolv.conf",
            "podLogsDir": f"{node.log}/pods",
            "volumePluginDir": f"{node.state}/kubelet/volumeplugins",
            "containerLogMaxSize": "10Mi",
            "containerLogMaxFiles": 3,
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {"memory.available": "100Mi"},
            "imagePullCredentialsVerificationPolicy": "NeverVerifyAllowlistedImages",
            "preloadedImagesVerificationAllowlist": ["localhost/*"],
            "serializeImagePulls": False,
            "shutdownGracePeriod": "0s",
        }
    )


def kube_proxy(node: Node) -> str:
    """KubeProxyConfiguration v1alpha1. iptables mode: with nftables NodePorts would not answer on 127.0.0.1.

    Zeroes leave the connection tracking as the host has it; its limits belong to the host, not to a guest.
    """
    return as_json(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": str(node.pods),
            "hostnameOverride": node.name,
            "bindAddress": node.address,
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            "oomScoreAdj": 0,
            "clientConnection": {"kubeconfig": f"{node.etc}/kube-proxy.kubeconfig"},
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }
    )


def admission() -> str:
    """What the API server checks before it stores: namespaces that say nothing get the baseline pod security level.

    kube-system is exempt, because the volume provisioner's helper mounts host paths.
    """
    pod_security = {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "baseline", "enforce-version": "latest", "warn": "restricted", "audit": "restricted"},
        "exemptions": {"namespaces": ["kube-system"]},
    }
    return as_json(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AdmissionConfiguration",
            "plugins": [{"name": "PodSecurity", "configuration": pod_security}],
        }
    )


WRITES = ["create", "update", "patch", "delete", "deletecollection"]
CONTROL_PLANE = ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]


def audit(node: Node) -> str:
    """Every write with its user, verb and resource, without bodies, which could hold secrets.

    Left out is only the heartbeat of the cluster's own parts: leases, and the node's status.
    """
    coordination = {"group": "coordination.k8s.io", "resources": ["leases"]}
    node_user = f"system:node:{node.name}"
    heartbeat = {"level": "None", "users": [*CONTROL_PLANE, node_user], "resources": [coordination]}
    node_status = {"level": "None", "users": [node_user], "resources": [{"group": "", "resources": ["nodes/status"]}]}
    return as_json(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [heartbeat, node_status, {"level": "Metadata", "verbs": WRITES}, {"level": "None"}],
        }
    )
