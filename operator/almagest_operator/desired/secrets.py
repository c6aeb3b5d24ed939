"""The archive's Secrets: what is to be generated, never a value."""

from __future__ import annotations

from almagest_operator.desired.pod import Secret
from almagest_operator.desired.scope import Part, Scope
from almagest_operator.model.resource import GeneratedSecret

PASSWORD = 32
SALT = 64

KEYS: dict[str, dict[str, int]] = {
    "appdb": {"superuser-password": PASSWORD, "owner-password": PASSWORD},
    "datadb": {
        "superuser-password": PASSWORD,
        "owner-password": PASSWORD,
        "query-password": PASSWORD,
        "job-password": PASSWORD,
    },
    "broker": {"password": PASSWORD, "erlang-cookie": PASSWORD},
    "cache": {"password": PASSWORD},
    "django": {"secret-key": SALT},
}
WORDPRESS_KEYS: dict[str, dict[str, int]] = {
    "mariadb": {"root-password": PASSWORD, "wordpress-password": PASSWORD},
    "wordpress": {"admin-password": PASSWORD, "salt": SALT},
}

STAYS = frozenset({"appdb", "datadb", "mariadb", "wordpress"})
"""Secrets whose values are written into a volume: they stay for as long as the volume does, which they open."""


def keys(scope: Scope) -> dict[str, dict[str, int]]:
    """Component → key → length of its value in characters."""
    return {**KEYS, **WORDPRESS_KEYS} if scope.archive.spec.wordpress.enabled else KEYS


def generated_secrets(scope: Scope) -> tuple[GeneratedSecret, ...]:
    """The Secrets of the archive, sorted by name."""
    return tuple(_secret(scope, component, found) for component, found in sorted(keys(scope).items()))


def all_of(component: str) -> tuple[Secret, ...]:
    """Every key of a component's Secret, as its own server mounts them."""
    return tuple(Secret(component, key) for key in {**KEYS, **WORDPRESS_KEYS}[component])


def _secret(scope: Scope, component: str, found: dict[str, int]) -> GeneratedSecret:
    metadata = scope.metadata(Part.of(component), owned=component not in STAYS)
    return GeneratedSecret({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata}, found)
