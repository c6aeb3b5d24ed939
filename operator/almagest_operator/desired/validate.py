"""What only the operator can judge about a spec, because it takes the catalogue, the cluster or two fields at once."""

from __future__ import annotations

from almagest_operator.desired import connections
from almagest_operator.desired.workload import server_claim
from almagest_operator.model.archive import Archive
from almagest_operator.model.base import amount
from almagest_operator.model.errors import InvalidSpec
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ARCHIVE_IMAGES, ArchiveRelease
from almagest_operator.model.sizing import Resources

RESERVED_SCHEMAS = frozenset({"information_schema", "public", "results", "tap_schema", "tap_upload"})
"""Schemas of the data database that are not the publisher's to fill; all that begin with `pg_` are PostgreSQL's."""


def validate(archive: Archive, release: ArchiveRelease | None, facts: Facts) -> ArchiveRelease:
    """Raise InvalidSpec if the archive cannot be built from this release in this cluster; return the release.

    release: the catalogue's entry for `spec.release`, None when there is none.
    """
    found = _release(archive, release)
    _datasets(archive)
    _storage_classes(archive, facts)
    for field, resources in _resources(archive).items():
        _limits_hold_requests(field, resources)
    connections.validate(archive.spec)
    return found


def _release(archive: Archive, release: ArchiveRelease | None) -> ArchiveRelease:
    wanted = archive.spec.release
    if release is None:
        raise InvalidSpec(
            "spec.release", f"there is no ArchiveRelease {wanted!r}", "`kubectl get archivereleases` lists them"
        )
    missing = sorted(set(ARCHIVE_IMAGES) - set(release.spec.images))
    if missing:
        raise InvalidSpec(
            "spec.release",
            f"the ArchiveRelease {wanted!r} names no image for {', '.join(missing)}",
            "build and publish the release again",
        )
    return release


def _datasets(archive: Archive) -> None:
    for index, dataset in enumerate(archive.spec.datasets):
        field = f"spec.datasets[{index}]"
        schema = dataset.table.partition(".")[0]
        if schema in RESERVED_SCHEMAS or schema.startswith("pg_"):
            raise InvalidSpec(f"{field}.table", f"the schema {schema!r} is reserved", "choose a schema of your own")
        if ".." in dataset.source.split("/"):
            raise InvalidSpec(f"{field}.source", "'..' leads out of the files volume", "give a path below it")


def _storage_classes(archive: Archive, facts: Facts) -> None:
    """Whether each volume that is still to be made can be: one that is there keeps its class, gone or not."""
    if facts.storage_classes is None:
        return
    for field, (claim, name) in _claims(archive).items():
        if claim in facts.claims:
            continue
        if name is not None and name not in facts.storage_classes:
            known = ", ".join(sorted(facts.storage_classes)) or "none"
            raise InvalidSpec(f"{field}.storageClassName", f"there is no StorageClass {name!r}", f"there are: {known}")
        if name is None and facts.default_storage_class is None:
            raise InvalidSpec(
                f"{field}.storageClassName",
                "none is given and the cluster has no default StorageClass",
                "name one, or annotate one with storageclass.kubernetes.io/is-default-class=true",
            )


def _claims(archive: Archive) -> dict[str, tuple[str, str | None]]:
    """Field of the spec → the claim that is made from it, and the StorageClass that it names."""
    spec, name = archive.spec, archive.name
    claims = {
        "spec.databases.app": (server_claim(f"{name}-appdb"), spec.databases.app.storage_class_name),
        "spec.databases.data": (server_claim(f"{name}-datadb"), spec.databases.data.storage_class_name),
        "spec.broker": (server_claim(f"{name}-broker"), spec.broker.storage_class_name),
    }
    if spec.files.existing_claim is None:
        claims["spec.files"] = (f"{name}-files", spec.files.storage_class_name)
    if spec.wordpress.enabled:
        claims["spec.wordpress"] = (f"{name}-uploads", spec.wordpress.storage_class_name)
        mariadb = spec.wordpress.mariadb.storage_class_name
        claims["spec.wordpress.mariadb"] = (server_claim(f"{name}-mariadb"), mariadb)
    return claims


def _resources(archive: Archive) -> dict[str, Resources]:
    spec = archive.spec
    return {
        "spec.proxy": spec.proxy.resources,
        "spec.web": spec.web.resources,
        **{f"spec.queues[{index}]": queue.resources for index, queue in enumerate(spec.queues)},
        "spec.databases.app": spec.databases.app.resources,
        "spec.databases.data": spec.databases.data.resources,
        "spec.broker": spec.broker.resources,
        "spec.cache": spec.cache.resources,
        "spec.wordpress": spec.wordpress.resources,
        "spec.wordpress.mariadb": spec.wordpress.mariadb.resources,
    }


def _limits_hold_requests(field: str, resources: Resources) -> None:
    for what in ("cpu", "memory"):
        request, limit = getattr(resources.requests, what), getattr(resources.limits, what)
        if request is not None and limit is not None and amount(request) > amount(limit):
            raise InvalidSpec(
                f"{field}.resources.requests.{what}", f"{request} is more than the limit of {limit}", "raise the limit"
            )
