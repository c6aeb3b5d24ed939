"""The desired state of a whole archive: the objects of all its components."""

from __future__ import annotations

from dataclasses import dataclass

from almagest_operator.desired.accounts import accounts
from almagest_operator.desired.application import configuration, files
from almagest_operator.desired.broker import broker
from almagest_operator.desired.cache import cache
from almagest_operator.desired.database import databases
from almagest_operator.desired.endpoints import endpoints
from almagest_operator.desired.exposure import ingress
from almagest_operator.desired.ingest import ingests
from almagest_operator.desired.mariadb import mariadb
from almagest_operator.desired.migration import migration
from almagest_operator.desired.policies import policies
from almagest_operator.desired.proxy import proxy
from almagest_operator.desired.scheduler import scheduler
from almagest_operator.desired.scope import Scope
from almagest_operator.desired.secrets import generated_secrets
from almagest_operator.desired.validate import validate
from almagest_operator.desired.web import web
from almagest_operator.desired.wordpress import wordpress
from almagest_operator.desired.worker import workers
from almagest_operator.model.archive import Archive
from almagest_operator.model.facts import Facts
from almagest_operator.model.release import ArchiveRelease
from almagest_operator.model.resource import GeneratedSecret, Resource
from almagest_operator.model.status import Endpoints


@dataclass(frozen=True)
class Desired:
    """What is to be: every object sorted by stage and key, the Secrets to be drawn, and where the archive will be."""

    resources: tuple[Resource, ...]
    secrets: tuple[GeneratedSecret, ...]
    endpoints: Endpoints


def build(archive: Archive, release: ArchiveRelease | None, facts: Facts) -> Desired:
    """The desired state of an archive. release: the catalogue's entry for `spec.release`, None when there is none.

    Raises InvalidSpec when the archive cannot be built from this release in this cluster.
    """
    scope = Scope(archive, validate(archive, release, facts), facts)
    return Desired(_resources(scope), generated_secrets(scope), endpoints(archive, facts))


def _resources(scope: Scope) -> tuple[Resource, ...]:
    found = (
        *accounts(scope),
        *policies(scope),
        configuration(scope),
        *files(scope),
        *databases(scope),
        *broker(scope),
        *cache(scope),
        *migration(scope),
        *ingests(scope),
        *web(scope),
        *workers(scope),
        *scheduler(scope),
        *(wordpress(scope) if scope.archive.spec.wordpress.enabled else ()),
        *(mariadb(scope) if scope.archive.spec.wordpress.enabled else ()),
        *proxy(scope),
        *ingress(scope),
    )
    return tuple(sorted(found, key=lambda resource: (resource.stage, resource.key)))
