"""WordPress below `/cms/`: PHP, an nginx beside it, and a volume for the uploads."""

from __future__ import annotations

from dataclasses import replace

from almagest_operator.desired import nginx
from almagest_operator.desired.endpoints import site_url
from almagest_operator.desired.graph import PORTS
from almagest_operator.desired.pod import Claim, Container, Pod, Probes, Secret, config_map, volume_name
from almagest_operator.desired.proxy import CACHE_DIR, COMMAND, HEALTHY
from almagest_operator.desired.proxy import UID as NGINX_UID
from almagest_operator.desired.scope import Part, Scope, resource
from almagest_operator.desired.secrets import all_of
from almagest_operator.desired.sizes import size
from almagest_operator.desired.workload import claim, deployment, service
from almagest_operator.model.resource import Resource, Stage
from almagest_operator.model.sizing import Resources

UID = 10015
WORDPRESS = Part.of("wordpress")
CODE_DIR = "/srv/wordpress"
UPLOADS = "/wp-content/uploads"
SITE_DIR = "/srv/site/cms"


def wordpress(scope: Scope) -> tuple[Resource, ...]:
    """One Deployment of two containers, its Service, configuration and uploads' claim.

    The init container lays out the code and installs the site; it does nothing the second time. The uploads' volume is
    held by one node, so the old pod goes before the new one comes.
    """
    wanted = scope.archive.spec.wordpress
    config = config_map(scope, WORDPRESS, {nginx.PROXY_CONF: nginx.wordpress()})
    uploads = Claim("uploads", scope.name("uploads"))
    php = Container(
        name="wordpress",
        image="wordpress",
        uid=UID,
        command=("/usr/local/bin/entrypoint", "serve"),
        size=size("wordpress", scope.archive.spec.environment, wanted.resources),
        env=_environment(scope),
        # PHP listens to its own pod alone, so the question goes through nginx.
        probes=Probes({"httpGet": {"path": nginx.PHP_HEALTH, "port": PORTS["wordpress"]}}),
        writable=("/tmp", CODE_DIR),  # noqa: S108 - an emptyDir of the container's own
        mounts={CODE_DIR + UPLOADS: uploads},
        config=False,
    )
    # The uploads are mounted only later: their mount point must be a directory that `install` made.
    install = replace(php, name="install", command=("/usr/local/bin/entrypoint", "install"), probes=None, mounts={})
    pod = Pod(
        WORDPRESS,
        (php, _http(scope, uploads)),
        init=(install,),
        config=config,
        secrets=(Secret("mariadb", "wordpress-password"), *all_of("wordpress")),
        grace=60,
    )
    return (
        resource(Stage.FOUNDATIONS, config),
        service(scope, WORDPRESS),
        claim(scope, Part.of("uploads"), "uploads", wanted),
        deployment(scope, pod, overlap=False),
    )


def _http(scope: Scope, uploads: Claim) -> Container:
    """nginx, which reads the code and the uploads where their URLs say, and none of the secrets."""
    return Container(
        name="http",
        image="proxy",
        uid=NGINX_UID,
        command=COMMAND,
        size=size("http", scope.archive.spec.environment, Resources()),
        port=PORTS["wordpress"],
        probes=HEALTHY,
        writable=("/tmp", CACHE_DIR),  # noqa: S108 - an emptyDir of the container's own
        mounts={
            SITE_DIR: Claim(volume_name(CODE_DIR), read_only=True),
            SITE_DIR + UPLOADS: replace(uploads, read_only=True),
        },
        secrets=False,
    )


def _environment(scope: Scope) -> dict[str, str]:
    site = scope.archive.spec.site
    return {
        "ALMAGEST_MARIADB_HOST": scope.name("mariadb"),
        "ALMAGEST_MARIADB_DATABASE": "wordpress",
        "ALMAGEST_MARIADB_USER": "wordpress",
        "ALMAGEST_SITE_URL": site_url(scope.archive, scope.facts),
        "ALMAGEST_SITE_TITLE": site.title,
        "ALMAGEST_ADMIN_USER": "admin",
        "ALMAGEST_ADMIN_EMAIL": site.contact.email,
    }
