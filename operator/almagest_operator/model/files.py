"""The volume of files: sources of data sets."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from almagest_operator.model.base import Model, Quantity, StorageClassName, rule


class AccessMode(enum.StrEnum):
    ONCE = "ReadWriteOnce"
    MANY = "ReadWriteMany"


class Files(Model):
    """A volume made for the archive, or one that exists already."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [
                rule("has(self.storage) != has(self.existingClaim)", "give either storage or existingClaim"),
                rule(
                    "!has(self.existingClaim) || !(has(self.storageClassName) || has(self.accessMode))",
                    "storageClassName and accessMode belong to storage; an existing claim has its own",
                ),
                rule(
                    "!(has(self.storage) && has(oldSelf.storage)) || "
                    "has(self.storageClassName) == has(oldSelf.storageClassName)",
                    "a volume cannot change its class",
                    ".storageClassName",
                ),
                rule(
                    "!(has(self.storage) && has(oldSelf.storage)) || "
                    "(has(self.accessMode) ? self.accessMode : 'ReadWriteOnce') == "
                    "(has(oldSelf.accessMode) ? oldSelf.accessMode : 'ReadWriteOnce')",
                    "a volume cannot change its access mode",
                    ".accessMode",
                ),
            ]
        }
    )

    storage: Annotated[
        Quantity | None, Field(description="Size of the volume to be made; may grow where its class allows it.")
    ] = None
    existing_claim: Annotated[
        str | None,
        Field(
            max_length=253, min_length=1, description="PersistentVolumeClaim in the same namespace to be used instead."
        ),
    ] = None
    storage_class_name: Annotated[
        StorageClassName | None,
        Field(description="StorageClass of the volume; the cluster's default when it is left out. Cannot change."),
    ] = None
    access_mode: Annotated[
        AccessMode | None,
        Field(
            description="ReadWriteOnce, the default: loads of data sets and the scheduler, through which files are put "
            "there, run on one node. ReadWriteMany: on any, if the class can."
        ),
    ] = None

    @model_validator(mode="after")
    def _one_of(self) -> Files:
        if (self.storage is None) == (self.existing_claim is None):
            raise ValueError("give either storage or existingClaim")
        if self.existing_claim is not None and (self.storage_class_name or self.access_mode):
            raise ValueError("storageClassName and accessMode belong to storage; an existing claim has its own")
        return self
