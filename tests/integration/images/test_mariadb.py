"""MariaDB as the archive's pods start it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from integration.images.conftest import Stage
from support.container import Container
from support.waiting import eventually

pytestmark = pytest.mark.integration

UID = 10014
VOLUMES = {"/var/lib/mysql": "data", "/run/mysqld": "run"}
ENVIRONMENT = {"ALMAGEST_DATABASE": "wordpress", "ALMAGEST_USER": "wordpress"}
SECRET = {"root-password": "r'o\\t \"$x", "wordpress-password": "w'p\\n \"$y"}


def start(stage: Stage) -> Container:
    pod = stage.pod()
    pod.secret("mariadb", SECRET, UID)
    pod.configuration("mariadb.cnf", "[mariadbd]\ninnodb_buffer_pool_size = 32M\nmax_connections = 50\n")
    container = stage.container(pod, "mariadb", VOLUMES, ENVIRONMENT)
    container.start()
    return container


def ready(server: Container) -> None:
    def listening() -> bool:
        assert server.running, server.log
        return server.pod.answers(3306)

    eventually("MariaDB to listen", listening, within=90, every=0.2)


def query(
    server: Container, sql: str, user: str = "wordpress", password: str | None = None, host: str = "127.0.0.1"
) -> str:
    """Rows, or the server's refusal; the password goes by a file, as an argument would be public."""
    given = SECRET["wordpress-password"] if password is None else password
    quoted = given.replace("\\", "\\\\").replace('"', '\\"')
    options = f'[client]\nuser={user}\nhost={host}\nsocket=/run/mysqld/mysqld.sock\npassword="{quoted}"\n'
    server.exec("sh", "-c", "cat > /tmp/client.cnf", stdin=options)
    try:
        return server.exec(
            "mariadb", "--defaults-file=/tmp/client.cnf", "--skip-column-names", "wordpress", stdin=sql
        ).strip()
    except AssertionError as refused:
        return str(refused)


def test_first_start_makes_database_and_user(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    assert query(server, "SELECT current_user()") == "wordpress@%"
    assert query(server, "SELECT @@character_set_database, @@innodb_buffer_pool_size") == f"utf8mb4\t{32 * 2**20}"
    assert "denied" in query(server, "SELECT 1 FROM mysql.global_priv")
    assert "Access denied" in query(server, "SELECT 1", password="guess")


def test_root_comes_by_the_socket_and_with_its_password_only(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    root = {"user": "root", "password": SECRET["root-password"]}
    logins = "SELECT user, host FROM mysql.user ORDER BY 1"
    assert query(server, logins, **root, host="localhost").split() == [
        "mariadb.sys", "localhost", "root", "localhost", "wordpress", "%",
    ]  # fmt: skip
    assert "Access denied" in query(server, "SELECT 1", **root)
    assert "Access denied" in query(server, "SELECT 1", user="root", password="", host="localhost")


def test_power_failure_loses_no_row(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    query(server, "CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2), (3)")
    server.restart()
    ready(server)
    assert query(server, "SELECT count(*) FROM t") == "3"


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "while the directory is made": lambda volume: (volume / "data.making/ibdata1").exists(),
    "after the directory got its name": lambda volume: (volume / "data").exists(),
    "while the database is made": lambda volume: (volume / "data/ibtmp1").exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_during_first_start_is_recovered_from(stage: Stage, moment: str) -> None:
    server = start(stage)
    volume = server.pod.volume("data", UID)
    eventually(moment, lambda: MOMENTS[moment](volume), within=60, every=0.002)
    server.restart()
    ready(server)
    assert query(server, "SELECT current_user()") == "wordpress@%"
    assert [path.name for path in volume.iterdir()] == ["data"]


@pytest.mark.parametrize("size", [0, 24576])
def test_kill_before_the_first_bytes_of_the_log_of_transactions_is_recovered_from(stage: Stage, size: int) -> None:
    """It is made anew at each start; for an instant it has its name, and its size, but nothing in it."""
    server = start(stage)
    ready(server)
    query(server, "CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2), (3)")
    server.signal("KILL")
    server.wait(30)
    log = server.pod.volume("data", UID) / "data/tc.log"
    assert log.read_bytes()[:4].hex() == "fe230574", "the head by which a log that is to be kept is known"
    log.write_bytes(bytes(size))
    server.start()
    ready(server)
    assert query(server, "SELECT count(*) FROM t") == "3"


def test_volume_that_outlived_its_secret_takes_the_new_one(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    server.pod.secret("mariadb", {"root-password": "new-root", "wordpress-password": "new"}, UID)
    server.restart()
    ready(server)
    assert query(server, "SELECT 1", password="new") == "1"
    assert query(server, "SELECT 1", user="root", password="new-root", host="localhost") == "1"
    assert "Access denied" in query(server, "SELECT 1")


def test_ends_when_asked(stage: Stage) -> None:
    server = start(stage)
    ready(server)
    # It listens before its start is over, and until then a signal may pass it by; the kubelet's SIGKILL would follow.
    assert query(server, "SELECT 1") == "1"
    server.signal("TERM")
    assert server.wait(30) == 0
