"""ServiceAccounts: an identity for each part, without a token, because none of them speaks to the API server."""

from __future__ import annotations

from almagest_operator.desired.graph import parts
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.model.resource import Resource, Stage


def accounts(scope: Scope) -> tuple[Resource, ...]:
    """One ServiceAccount a part."""
    return tuple(_account(scope, name) for name in parts(scope.archive.spec))


def _account(scope: Scope, name: str) -> Resource:
    manifest = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": scope.metadata(Part.of(name)),
        "automountServiceAccountToken": False,
    }
    return resource(Stage.FOUNDATIONS, manifest)
