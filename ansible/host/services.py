"""The long-running programs of the node and its daily job, as pure data: what to run, with which files, how often.

`supervision` renders them for s6 or systemd. A service whose command or files differ from the last time is restarted,
and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from host import configuration
from host.node import Node


@dataclass(frozen=True)
class Service:
    """One supervised program. files: absolute path → content, written before it starts; every: seconds, for a job."""

    name: str
    command: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    every: int | None = None


def services(node: Node) -> tuple[Service, ...]:
    """All of them, in the order in which they need each other; each waits or restarts until its needs are met."""
    return (
        container_runtime(node),
        etcd(node),
        api_server(node),
        controller_manager(node),
        scheduler(node),
        kubelet(node),
        proxy(node),
        network_policy(node),
        maintenance(node),
    )


def flags(**values: str | int) -> tuple[str, ...]:
    return tuple(f"--{name.replace('_', '-')}={value}" for name, value in values.items())


def container_runtime(node: Node) -> Service:
    path = f"{node.etc}/containerd.toml"
    files = {
        path: configuration.containerd(node),
        f"{node.etc}/cni/10-almagest.conflist": configuration.pod_network(node),
    }
    return Service("containerd", ("/usr/bin/containerd", "--config", path), files)


def etcd(node: Node) -> Service:
    """One member, reachable from this host alone; it syncs every write to disk before it answers."""
    command = flags(
        name=node.name,
        data_dir=f"{node.state}/etcd",
        listen_client_urls="https://127.0.0.1:2379",
        advertise_client_urls="https://127.0.0.1:2379",
        listen_peer_urls="https://127.0.0.1:2380",
        initial_advertise_peer_urls="https://127.0.0.1:2380",
        initial_cluster=f"{node.name}=https://127.0.0.1:2380",
        client_cert_auth="true",
        trusted_ca_file=f"{node.pki}/etcd.crt",
        cert_file=f"{node.pki}/etcd-server.crt",
        key_file=f"{node.pki}/etcd-server.key",
        peer_client_cert_auth="true",
        peer_trusted_ca_file=f"{node.pki}/etcd.crt",
        peer_cert_file=f"{node.pki}/etcd-server.crt",
        peer_key_file=f"{node.pki}/etcd-server.key",
        snapshot_count=10000,
    )
    return Service("etcd", (f"{node.programs}/etcd", *command))


def api_server(node: Node) -> Service:
    audit, admission = f"{node.etc}/audit.json", f"{node.etc}/admission.json"
    pki = node.pki
    command = flags(
        advertise_address=node.address,
        bind_address=node.address,
        secure_port=6443,
        etcd_servers="https://127.0.0.1:2379",
        etcd_cafile=f"{pki}/etcd.crt",
        etcd_certfile=f"{pki}/etcd-client.crt",
        etcd_keyfile=f"{pki}/etcd-client.key",
        client_ca_file=f"{pki}/ca.crt",
        tls_cert_file=f"{pki}/apiserver.crt",
        tls_private_key_file=f"{pki}/apiserver.key",
        kubelet_client_certificate=f"{pki}/apiserver-kubelet-client.crt",
        kubelet_client_key=f"{pki}/apiserver-kubelet-client.key",
        kubelet_certificate_authority=f"{pki}/ca.crt",
        kubelet_preferred_address_types="InternalIP",
        requestheader_client_ca_file=f"{pki}/front-proxy.crt",
        requestheader_allowed_names="front-proxy-client",
        requestheader_extra_headers_prefix="X-Remote-Extra-",
        requestheader_group_headers="X-Remote-Group",
        requestheader_username_headers="X-Remote-User",
        proxy_client_cert_file=f"{pki}/front-proxy-client.crt",
        proxy_client_key_file=f"{pki}/front-proxy-client.key",
        service_account_issuer=f"https://kubernetes.default.svc.{node.domain}",
        service_account_key_file=f"{pki}/sa.pub",
        service_account_signing_key_file=f"{pki}/sa.key",
        service_cluster_ip_range=str(node.services),
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        admission_control_config_file=admission,
        allow_privileged="true",
        audit_policy_file=audit,
        audit_log_path=f"{node.log}/audit/audit.log",
        audit_log_maxsize=20,
        audit_log_maxbackup=5,
        profiling="false",
    )
    files = {
        audit: configuration.audit(node),
        admission: configuration.admission(),
        f"{node.etc}/admin.kubeconfig": configuration.kubeconfig(node, "admin"),
    }
    return Service("kube-apiserver", (f"{node.programs}/kube-apiserver", *command), files)


def controller_manager(node: Node) -> Service:
    path = f"{node.etc}/controller-manager.kubeconfig"
    pki = node.pki
    command = flags(
        kubeconfig=path,
        authentication_kubeconfig=path,
        authorization_kubeconfig=path,
        bind_address="127.0.0.1",
        tls_cert_file=f"{pki}/controller-manager.crt",
        tls_private_key_file=f"{pki}/controller-manager.key",
        allocate_node_cidrs="true",
        cluster_cidr=str(node.pods),
        node_cidr_mask_size=node.pods.prefixlen,
        service_cluster_ip_range=str(node.services),
        cluster_signing_cert_file=f"{pki}/ca.crt",
        cluster_signing_key_file=f"{pki}/ca.key",
        root_ca_file=f"{pki}/ca.crt",
        service_account_private_key_file=f"{pki}/sa.key",
        use_service_account_credentials="true",
        leader_elect="false",
        profiling="false",
    )
    files = {path: configuration.kubeconfig(node, "controller-manager")}
    return Service("kube-controller-manager", (f"{node.programs}/kube-controller-manager", *command), files)


def scheduler(node: Node) -> Service:
    path = f"{node.etc}/scheduler.kubeconfig"
    command = flags(
        kubeconfig=path,
        authentication_kubeconfig=path,
        authorization_kubeconfig=path,
        bind_address="127.0.0.1",
        tls_cert_file=f"{node.pki}/scheduler.crt",
        tls_private_key_file=f"{node.pki}/scheduler.key",
        leader_elect="false",
        profiling="false",
    )
    files = {path: configuration.kubeconfig(node, "scheduler")}
    return Service("kube-scheduler", (f"{node.programs}/kube-scheduler", *command), files)


def kubelet(node: Node) -> Service:
    path, config, resolver = (f"{node.etc}/{name}" for name in ("kubelet.kubeconfig", "kubelet.json", "resolv.conf"))
    command = flags(
        kubeconfig=path,
        config=config,
        hostname_override=node.name,
        node_ip=node.address,
        root_dir=f"{node.state}/kubelet",
        cert_dir=f"{node.state}/kubelet/pki",
    )
    files = {
        path: configuration.kubeconfig(node, "kubelet"),
        config: configuration.kubelet(node),
        resolver: configuration.resolver(node),
    }
    return Service("kubelet", (f"{node.programs}/kubelet", *command), files)


def proxy(node: Node) -> Service:
    path, config = f"{node.etc}/kube-proxy.kubeconfig", f"{node.etc}/kube-proxy.json"
    files = {path: configuration.kubeconfig(node, "kube-proxy"), config: configuration.kube_proxy(node)}
    return Service("kube-proxy", (f"{node.programs}/kube-proxy", f"--config={config}"), files)


def network_policy(node: Node) -> Service:
    """kube-router for its firewall alone; routes and services are others' work."""
    path = f"{node.etc}/kube-router.kubeconfig"
    command = flags(
        kubeconfig=path,
        hostname_override=node.name,
        run_firewall="true",
        run_router="false",
        run_service_proxy="false",
        run_loadbalancer="false",
        service_cluster_ip_range=str(node.services),
        service_node_port_range="30000-32767",
        health_port=0,
        metrics_port=0,
    )
    files = {path: configuration.kubeconfig(node, "kube-router")}
    return Service("kube-router", (f"{node.programs}/kube-router", *command), files)


def maintenance(node: Node) -> Service:
    """Once a day: renew certificates, give etcd's free pages back to the disk."""
    command = (*python(node), "-m", "host.maintenance", str(node.state), str(node.programs))
    return Service("maintenance", command, every=86400)


def python(node: Node) -> tuple[str, ...]:
    """Debian's own Python with the modules beside the state: neither the cache nor the repository need be there."""
    return ("/usr/bin/env", f"PYTHONPATH={node.state}/lib", "/usr/bin/python3")
