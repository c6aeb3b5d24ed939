"""The migration: schemas, roles and metadata brought to the release before any of its processes start."""

from __future__ import annotations

from almagest_operator.desired.application import APPDB, DJANGO, JOB, OWNER, QUERY, process
from almagest_operator.desired.connections import budget
from almagest_operator.desired.pod import config_hash, secrets_hash
from almagest_operator.desired.scope import Part, Scope, digest, short_name
from almagest_operator.desired.workload import job
from almagest_operator.model.resource import Resource, Stage

MIGRATE = Part.of("migrate")


def migration(scope: Scope) -> tuple[Resource, ...]:
    """A Job whose name carries the release, its image and the settings that the databases depend on.

    Those are the queues, the data sets, the passwords of the roles that it makes and the connections that it allows
    them; a new title runs no migration.
    """
    use = budget(scope.archive.spec).use
    limits = {"ALMAGEST_CONNECTIONS_QUERY": str(use.query), "ALMAGEST_CONNECTIONS_JOB": str(use.job)}
    secrets = (APPDB, OWNER, QUERY, JOB, DJANGO)
    pod = process(
        scope,
        MIGRATE,
        "migrate",
        secrets=secrets,
        variables=limits,
        restart="Never",
    )
    files = config_hash(pod, "queues.json", "datasets.json")
    settings = digest([scope.release.name, scope.release.image("app"), files, secrets_hash(scope, secrets), limits])
    return (job(scope, pod, short_name(scope.archive.name, "migrate", settings), Stage.MIGRATION),)
