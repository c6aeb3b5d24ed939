"""How the world reaches the archive."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from almagest_operator.model.base import Model, rule


class ExposureType(enum.StrEnum):
    NODE_PORT = "NodePort"
    CLUSTER_IP = "ClusterIP"
    INGRESS = "Ingress"


class TLS(Model):
    """The certificate of the host name."""

    secret_name: Annotated[
        str, Field(min_length=1, max_length=253, description="Secret of type kubernetes.io/tls in the same namespace.")
    ]


class Exposure(Model):
    """The way in: a port of the node, an Ingress, or a Service for somebody else's router."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                rule("!has(self.nodePort) || self.type == 'NodePort'", "nodePort needs type NodePort", ".nodePort"),
                rule(
                    "self.type == 'Ingress' || !(has(self.tls) || has(self.ingressClassName) || has(self.annotations))",
                    "tls, ingressClassName and annotations need type Ingress",
                ),
            ]
        }
    )

    type: Annotated[
        ExposureType,
        Field(
            description="NodePort: plain HTTP on a port of every node. Ingress: HTTPS at `site.hostname`. "
            "ClusterIP: a Service only, for a router of your own."
        ),
    ] = ExposureType.CLUSTER_IP
    node_port: Annotated[
        int | None, Field(ge=30000, le=32767, description="The node's port; the cluster picks one when it is left out.")
    ] = None
    ingress_class_name: Annotated[
        str | None, Field(max_length=253, description="IngressClass; the cluster's default when it is left out.")
    ] = None
    annotations: Annotated[
        dict[str, Annotated[str, Field(max_length=4096)]] | None,
        Field(max_length=50, description="Annotations of the Ingress, e.g. to name a cert-manager issuer."),
    ] = None
    tls: Annotated[
        TLS | None, Field(description="Certificate; the ingress controller's own default when it is left out.")
    ] = None

    @model_validator(mode="after")
    def _fields_of_the_type(self) -> Exposure:
        if self.node_port is not None and self.type is not ExposureType.NODE_PORT:
            raise ValueError("nodePort needs type NodePort")
        ingress_only = (self.tls, self.ingress_class_name, self.annotations)
        if self.type is not ExposureType.INGRESS and any(field is not None for field in ingress_only):
            raise ValueError("tls, ingressClassName and annotations need type Ingress")
        return self
