"""The operator's settings: environment variables, read here and nowhere else."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

FIELD_MANAGER = "almagest-operator"
STATUS_MANAGER = "almagest-operator-status"


class InvalidSettingError(ValueError):
    """An environment variable that cannot be understood: its name, its value, what would do."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name}={value!r}: {wanted}")


@dataclass(frozen=True)
class Settings:
    """watch_namespaces: empty means the whole cluster; replicas: of the operator's Deployment, see `elects`;
    proxy_address: where the operator reaches an archive's proxy, empty for its Service's own address in the cluster."""

    watch_namespaces: tuple[str, ...] = ()
    replicas: int = 1
    pod_namespace: str = "almagest-system"
    identity: str = field(default_factory=socket.gethostname)
    health_port: int = 8080
    proxy_address: str = ""
    concurrency: int = 10
    log_level: str = "INFO"
    log_format: str = "json"

    @property
    def elects(self) -> bool:
        """A single replica with `strategy: Recreate` needs no Lease, whose renewal is a write every two seconds."""
        return self.replicas > 1


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises InvalidSettingError with the variable's name.

    WATCH_NAMESPACE: comma separated; OPERATOR_REPLICAS, HEALTH_PORT, CONCURRENCY: numbers; POD_NAMESPACE, POD_NAME:
    from the downward API; PROXY_ADDRESS: `host:port`; LOG_LEVEL: DEBUG, INFO, WARNING or ERROR; LOG_FORMAT: json or
    text.
    """
    defaults = Settings()
    namespaces = (name.strip() for name in environment.get("WATCH_NAMESPACE", "").split(","))
    return Settings(
        watch_namespaces=tuple(sorted({name for name in namespaces if name})),
        replicas=_number(environment, "OPERATOR_REPLICAS", defaults.replicas),
        pod_namespace=environment.get("POD_NAMESPACE", defaults.pod_namespace),
        identity=environment.get("POD_NAME", defaults.identity),
        health_port=_number(environment, "HEALTH_PORT", defaults.health_port),
        proxy_address=_address(environment, "PROXY_ADDRESS"),
        concurrency=_number(environment, "CONCURRENCY", defaults.concurrency),
        log_level=_word(environment, "LOG_LEVEL", defaults.log_level, ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=_word(environment, "LOG_FORMAT", defaults.log_format, ("json", "text")),
    )


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "") or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise InvalidSettingError(name, text, "a whole number from 1 up is wanted")
    return int(text)


def _address(environment: Mapping[str, str], name: str) -> str:
    text = environment.get(name, "")
    host, _, port = text.rpartition(":")
    if text and not (host and port.isdecimal()):
        raise InvalidSettingError(name, text, "host:port is wanted")
    return text


def _word(environment: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = environment.get(name, "") or default
    if text not in choices:
        raise InvalidSettingError(name, text, f"one of {', '.join(choices)} is wanted")
    return text
