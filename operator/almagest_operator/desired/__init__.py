"""From what an archive is to the manifests that make it so. Pure: the same input gives the same bytes, always."""

from almagest_operator.desired.archive import Desired, build

__all__ = ["Desired", "build"]
