"""PostgreSQL as the archive's pods start it: first start, restarts, power failures, changed passwords."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from integration.images.conftest import Stage
from support.container import Container
from support.waiting import eventually

pytestmark = pytest.mark.integration

UID = 10011
VOLUMES = {"/var/lib/postgresql": "data", "/run/postgresql": "run"}
ENVIRONMENT = {"ALMAGEST_COMPONENT": "datadb", "ALMAGEST_DATABASE": "data", "ALMAGEST_EXTENSIONS": "pg_sphere"}
# What a shell, SQL or libpq could stumble over.
SECRET = {"superuser-password": "s'u\\p\"er $x", "owner-password": "o'w\\n\"er $y `z`"}
INDEX = """
CREATE TABLE stars (name text, place spoint);
INSERT INTO stars SELECT i::text, spoint(radians(i), radians(i / 5.0)) FROM generate_series(0, 359) AS i;
CREATE INDEX ON stars USING gist (place);
"""


def start(stage: Stage, secret: dict[str, str] = SECRET) -> Container:
    pod = stage.pod()
    pod.secret("datadb", secret, UID)
    container = stage.container(pod, "postgres", VOLUMES, ENVIRONMENT)
    container.start()
    return container


def ready(container: Container) -> None:
    def asked() -> bool:
        assert container.running, container.log
        return container.exec("pg_isready", "-h", "127.0.0.1") != ""

    eventually("PostgreSQL to be ready", asked, within=60, every=0.1)


def query(container: Container, sql: str) -> str:
    """As the superuser, over the socket."""
    return container.exec("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "data", stdin=sql).strip()


def over_network(container: Container, user: str, password: str, host: str = "127.0.0.1") -> str:
    """The current user, or the server's refusal."""
    command = ["psql", "-XAtq", "-h", host, "-U", user, "-d", "data", "-c", "SELECT current_user"]
    done = container.pod.run(*command, environment={"PGPASSWORD": password})
    return (done.stdout or done.stderr).strip()


def test_first_start_makes_role_database_and_extension(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    assert query(server, "SELECT pg_sphere_version()") == "1.5.1"
    assert query(server, "SHOW data_checksums; SHOW password_encryption; SHOW jit; SHOW wal_level").split() == [
        "on", "scram-sha-256", "off", "replica",
    ]  # fmt: skip
    query(server, INDEX)
    near = "SELECT count(*) FROM stars WHERE place <@ scircle(spoint(radians(10), radians(2)), radians(5.2))"
    assert query(server, near) == "11"
    assert over_network(server, "almagest", SECRET["owner-password"]) == "almagest"
    assert "password authentication failed" in over_network(server, "almagest", "guess")
    roles = "SELECT rolname, rolsuper, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"
    assert query(server, roles).splitlines() == ["almagest|f|t|t", "postgres|t|t|t"]
    assert query(server, "SELECT has_database_privilege('public', 'data', 'CONNECT')") == "f"


def test_superuser_stays_inside_the_pod(stage: Stage) -> None:
    """The rules as the server reads them: over the network only the loopback address, and with a password."""
    server = start(stage)
    ready(server)
    rules = "SELECT type, user_name[1], address, auth_method FROM pg_hba_file_rules ORDER BY rule_number"
    assert query(server, rules).splitlines() == [
        "local|postgres||peer",
        "host|postgres|127.0.0.1|scram-sha-256",
        "host|postgres|::1|scram-sha-256",
        "host|postgres|all|reject",
        "host|all|all|scram-sha-256",
    ]
    assert query(server, "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == "0"
    assert "password authentication failed" in over_network(server, "postgres", "guess")


def test_probes_leave_no_line_in_the_log(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    before = server.log
    for _ in range(3):
        server.exec("pg_isready", "-q", "-h", "127.0.0.1")
    assert server.log == before
    assert "password" not in before.lower()


def test_power_failure_loses_no_row(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    query(server, INDEX)
    server.restart()
    ready(server)
    assert query(server, "SELECT count(*) FROM stars") == "360"
    assert "automatic recovery" in server.log


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "before initdb is done": lambda volume: (volume / "17/data.making/base").exists(),
    "when initdb is done": lambda volume: (volume / "17/data.making/global/pg_control").exists(),
    "after the directory got its name": lambda volume: (volume / "17/data").exists(),
    "while roles and database are made": lambda volume: (volume / "17/data/postmaster.pid").exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_during_first_start_is_recovered_from(stage: Stage, moment: str) -> None:
    server = start(stage)
    volume = server.pod.volume("data", UID)
    eventually(moment, lambda: MOMENTS[moment](volume), within=60, every=0.002)
    server.kill()
    server.restart()
    ready(server)
    assert over_network(server, "almagest", SECRET["owner-password"]) == "almagest"
    assert query(server, "SELECT pg_sphere_version()") == "1.5.1"
    assert [path.name for path in (volume / "17").iterdir()] == ["data"]


def test_volume_that_outlived_its_secret_takes_the_new_one(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    server.pod.secret("datadb", {"superuser-password": "new-super", "owner-password": "new-owner"}, UID)
    server.restart()
    ready(server)
    assert over_network(server, "almagest", "new-owner") == "almagest"
    assert over_network(server, "postgres", "new-super") == "postgres"


def test_configuration_of_the_archive_overrides_the_images(stage: Stage) -> None:
    pod = stage.pod()
    pod.secret("datadb", SECRET, UID)
    pod.configuration("postgresql.conf", "work_mem = 17MB\nmax_connections = 23\n")
    server = stage.container(pod, "postgres", VOLUMES, ENVIRONMENT)
    server.start()
    ready(server)
    assert query(server, "SHOW work_mem; SHOW max_connections").split() == ["17MB", "23"]


def test_ends_at_once_when_asked(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    server.signal(server.image.configuration["StopSignal"].removeprefix("SIG"))
    assert server.wait(20) == 0
