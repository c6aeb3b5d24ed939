"""By what the operator's objects and its writes are known: labels of Kubernetes' recommendation, and field managers."""

from __future__ import annotations

OPERATOR = "almagest-operator"
"""The program: its label, its Lease, its Helm release."""

PART = "app.kubernetes.io/name"
"""What kind of part an object belongs to, e.g. `worker`: a node of the graph."""

INSTANCE = "app.kubernetes.io/instance"
"""The archive's name."""

COMPONENT = "app.kubernetes.io/component"
"""Which part, e.g. `worker-short`."""

ALMAGEST = "almagest"
"""The application that every object is a part of."""

PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"

SELECTOR = f"{MANAGED_BY}={OPERATOR}"
"""Label selector of everything that the operator makes."""

FIELD_MANAGER = OPERATOR
"""Owns the fields of all manifests."""

STATUS_MANAGER = f"{OPERATOR}-status"
"""Owns the status of Archives."""

SECRET_MANAGER = f"{OPERATOR}-secrets"
"""Owns the values of generated Secrets, so that applying a Secret's labels never takes a value away."""
