"""A release: one word that means a digest for every image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from almagest_operator.model.base import Lenient, Model, rule
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.metadata import Metadata

ARCHIVE_IMAGES = ("app", "mariadb", "postgres", "proxy", "rabbitmq", "redis", "wordpress")
"""The images that an archive's pods run."""

ImageReference = Annotated[str, Field(max_length=1024, pattern=r"^[^\s@]+@sha256:[0-9a-f]{64}$")]

_COMPLETE = rule(
    f"[{', '.join(repr(name) for name in ARCHIVE_IMAGES)}].all(name, name in self.images)",
    f"images must name {', '.join(ARCHIVE_IMAGES)}",
    ".images",
)


class ArchiveReleaseSpec(Model):
    """The images of one release."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_COMPLETE]})

    images: Annotated[
        dict[str, ImageReference],
        Field(max_length=50, description="Name of an image → its reference by digest, `…@sha256:…`."),
    ]


class ArchiveRelease(Lenient):
    """The catalogue entry that `Archive.spec.release` names; cluster-scoped, its name is the release's version."""

    api_version: Literal["almagest.science/v1alpha1"] = "almagest.science/v1alpha1"
    kind: Literal["ArchiveRelease"] = "ArchiveRelease"
    metadata: Metadata
    spec: ArchiveReleaseSpec

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> ArchiveRelease:
        """From the API server's JSON; InvalidSpec names the field that is wrong."""
        try:
            return cls.model_validate(manifest)
        except ValidationError as error:
            raise InvalidSpec.of(error) from error

    @property
    def name(self) -> str:
        return self.metadata.name

    def image(self, name: str) -> str:
        """The image's reference by digest; KeyError cannot happen once `desired.validate` passed."""
        return self.spec.images[name]
