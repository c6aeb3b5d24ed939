"""WordPress as the archive's pods start it: MariaDB, the installer, PHP, its nginx, and the proxy in front."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from almagest_operator.desired import nginx
from integration.images.conftest import Stage
from support.archives import ROOT
from support.container import Container, Pod
from support.waiting import eventually

pytestmark = pytest.mark.integration

MARIADB, WORDPRESS = 10014, 10015
RENDERED = Path(__file__).resolve().parents[2] / "data/render/minimal/output/proxy.yaml"
SITE = "http://archive.example:8081"
CODE = {"/srv/wordpress": "code", "/srv/wordpress/wp-content/uploads": "uploads"}
# nginx sees the same two volumes one level down, so that `/cms/` is a directory to it.
SERVED = {"/srv/site/cms": "code", "/srv/site/cms/wp-content/uploads": "uploads", "/var/cache/nginx": "http-cache"}
# What docs/images.md has loaded before and after a dump.
BEFORE, AFTER = re.findall(r"echo '(.*;)'", (ROOT / "docs/images.md").read_text())
ADMIN = "adm\"in\\'s $word"
# What the database of another machine's WordPress has unlike ours.
ELSEWHERE = """
DELETE FROM wp_options WHERE option_name LIKE 'almagest%';
UPDATE wp_options SET option_value = 'https://old.example' WHERE option_name IN ('siteurl', 'home');
UPDATE wp_options SET option_value = 'home-made' WHERE option_name IN ('template', 'stylesheet');
UPDATE wp_options SET option_value = '53496' WHERE option_name = 'db_version';
UPDATE wp_users SET user_login = 'harriet', user_nicename = 'harriet', user_pass = MD5('plates');
UPDATE wp_posts SET post_content = 'Twenty years of plates' WHERE post_name = 'hello-world';
"""
OPTIONS = "CREATE OR REPLACE TABLE wp_options (option_name TEXT, option_value TEXT); INSERT INTO wp_options VALUES"
GIF = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
ENVIRONMENT = {
    "ALMAGEST_MARIADB_HOST": "mariadb",
    "ALMAGEST_MARIADB_DATABASE": "wordpress",
    "ALMAGEST_MARIADB_USER": "wordpress",
    "ALMAGEST_SITE_URL": SITE,
    "ALMAGEST_SITE_TITLE": 'The "Gaia" archive',
    "ALMAGEST_ADMIN_USER": "admin",
    "ALMAGEST_ADMIN_EMAIL": "admin@example.org",
}


class Site:
    """The two pods of WordPress and the proxy, in one network. mariadb: the server, once it was started."""

    mariadb: Container

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        config = next(part for part in yaml.safe_load_all(RENDERED.read_text()) if part["kind"] == "ConfigMap")
        main = config["data"]["nginx.conf"].replace("listen 8080", "listen 8081")
        names = re.findall(r"server ([\w-]+):", main)
        self.pod = stage.pod("mariadb", *names)
        self.pod.secret("mariadb", {"wordpress-password": "w'p"}, WORDPRESS)
        self.admin_password(ADMIN)
        self.pod.configuration("nginx.conf", nginx.wordpress())
        self.pod.configuration("proxy.conf", main)

    def database(self) -> Container:
        pod = self.pod.neighbour("mariadb")
        pod.secret("mariadb", {"root-password": "r", "wordpress-password": "w'p"}, MARIADB)
        volumes = {"/var/lib/mysql": "data", "/run/mysqld": "run"}
        variables = {"ALMAGEST_DATABASE": "wordpress", "ALMAGEST_USER": "wordpress"}
        self.mariadb = self._start(pod, "mariadb", volumes, variables, (), "mariadb")
        return self.mariadb

    def admin_password(self, password: str) -> None:
        """What the Secret holds from the next start on."""
        self.pod.secret("wordpress", {"admin-password": password, "salt": "s" * 64}, WORDPRESS)

    def sql(self, text: str) -> list[str]:
        """Rows of WordPress's database, seen by its own user, as docs/images.md loads a dump into it."""
        client = 'MYSQL_PWD="$(cat /run/secrets/almagest/mariadb/wordpress-password)" mariadb -u wordpress -N wordpress'
        return self.mariadb.exec("sh", "-c", client, stdin=text).splitlines()

    def dump(self) -> str:
        """Tables and rows by their names' order, as mariadb-dump writes them, which the image does not have."""
        text = ""
        for table in self.sql("SHOW TABLES"):
            values = ", ',', ".join(f"QUOTE({row.split()[0]})" for row in self.sql(f"DESCRIBE {table}"))
            ((_, made),) = (row.split("\t") for row in self.sql(f"SHOW CREATE TABLE {table}"))
            rows = self.sql(f"SELECT CONCAT('INSERT INTO {table} VALUES (', {values}, ');') FROM {table}")
            text += "\n".join([f"{made};", *rows, ""])
        return re.sub(r"\\(.)", lambda escaped: {"n": "\n", "t": "\t"}.get(escaped[1], escaped[1]), text)

    def install(self, **changes: str) -> Container:
        return self._start(self.pod, "wordpress", CODE, {**ENVIRONMENT, **changes}, ("install",), "install")

    def serve(self) -> None:
        """PHP, nginx beside it, and the proxy."""
        self._start(self.pod, "wordpress", CODE, ENVIRONMENT, ("serve",), "php")
        self._start(self.pod, "proxy", SERVED, {}, (), "http")
        self._start(self.pod, "proxy", {"/var/cache/nginx": "cache"}, {}, ("/etc/almagest/proxy.conf",), "proxy")
        for port in (9000, 8080, 8081):
            eventually(f"port {port}", partial(self.pod.answers, port), within=30, every=0.1)

    def get(self, path: str, *options: str) -> tuple[int, str]:
        """Status and body of a page through the proxy, with the Host header that a user's browser sends."""
        command = ["curl", "-s", "-w", "\n%{http_code}", "-H", f"Host: {SITE.removeprefix('http://')}", *options]
        body, _, code = self.pod.run(*command, f"http://127.0.0.1:8081{path}").stdout.rpartition("\n")
        return int(code), body

    def _start(self, pod: Pod, image: str, *given: Any) -> Container:
        container = self.stage.container(pod, image, *given)
        container.start()
        return container


def log_in(site: Site, password: str = ADMIN) -> str:
    """The administrator's cookies, in a file."""
    jar = str(site.pod.directory / "cookies")
    form = ("--data-urlencode", "log=admin", "--data-urlencode", f"pwd={password}", "-d", "testcookie=1")
    code, _ = site.get("/cms/wp-login.php", *form, "-b", "wordpress_test_cookie=WP%20Cookie%20check", "-c", jar)
    assert code == 302
    return jar


def refuses(site: Site) -> str:
    """The one line with which the installer leaves alone what is there."""
    installer = site.install()
    assert installer.wait(60) == 1, installer.log
    line = installer.log.splitlines()[-1]
    assert line.startswith("WordPress: neither a site of this archive nor a dump that was loaded to its end: ")
    return line


@pytest.fixture
def site(stage: Stage) -> Site:
    """An installed and served site."""
    made = Site(stage)
    made.database()
    installer = made.install()
    assert installer.wait(120) == 0, installer.log
    assert installer.log.strip() == "WordPress: installed"
    made.serve()
    return made


def test_visitors_and_the_administrator_get_their_pages(site: Site) -> None:
    code, page = site.get("/cms/")
    assert (code, "<title>The &quot;Gaia&quot; archive</title>" in page) == (200, True)
    for asset in re.findall(rf'(?:src|href)="{SITE}(/cms/[^"?]+\.(?:js|css))', page):
        assert site.get(asset)[0] == 200, asset
    assert site.get("/cms/hello-world/")[0] == 200
    assert site.get("/cms/nothing-here")[0] == 404
    assert site.get("/cms/wp-json/")[0] == 200
    code, page = site.get("/cms/wp-admin/", "-b", log_in(site))
    assert (code, "Dashboard" in page) == (200, True)


def test_php_answers_the_kubelet_through_nginx_and_nobody_else_from_outside(site: Site) -> None:
    answer = site.pod.run("curl", "-s", "-w", " %{http_code}", "http://127.0.0.1:8080/health/php")
    assert answer.stdout == "pong 200"
    listening = site.pod.run("ss", "--listening", "--tcp", "--numeric", "--no-header", "sport = :9000").stdout
    assert listening.split()[3] == "127.0.0.1:9000"
    assert site.get("/health/php")[0] != 200, "the site has no such page"


def test_health_is_that_of_the_site_in_its_database(site: Site) -> None:
    assert site.get("/cms/health.php") == (200, "ok\n")
    site.mariadb.signal("STOP")
    eventually("a database that hangs to be told", lambda: site.get("/cms/health.php", "-m", "20")[0] >= 500)
    site.mariadb.signal("CONT")
    eventually("all to be well again", lambda: site.get("/cms/health.php")[0] == 200)
    site.sql("DELETE FROM wp_options WHERE option_name = 'siteurl'")
    assert site.get("/cms/health.php")[0] == 503
    site.mariadb.kill()
    assert site.get("/cms/health.php")[0] >= 500


def test_an_upload_goes_to_the_volume_and_comes_back(site: Site) -> None:
    jar = log_in(site)
    _, page = site.get("/cms/wp-admin/media-new.php", "-b", jar)
    (nonce,) = re.findall(r'name="_wpnonce" value="(\w+)"', page)
    picture = site.pod.directory / "star.gif"
    picture.write_bytes(GIF)
    fields = (f"async-upload=@{picture}", f"_wpnonce={nonce}", "html-upload=Upload")
    site.get("/cms/wp-admin/media-new.php", "-b", jar, *(part for field in fields for part in ("-F", field)))
    uploads = site.pod.directory / "volumes/uploads"
    (uploaded,) = uploads.rglob("star.gif")
    assert site.get(f"/cms/wp-content/uploads/{uploaded.relative_to(uploads)}")[0] == 200


def test_what_nobody_should_reach_is_refused(site: Site) -> None:
    for path in ("wp-config.php", "wp-admin/install.php", "xmlrpc.php", ".htaccess", "wp-content/uploads/evil.php"):
        assert site.get(f"/cms/{path}")[0] in {403, 404}, path


def test_the_rest_of_the_site_says_that_it_is_away(site: Site) -> None:
    """The application is not there: the proxy starts all the same, and answers for itself."""
    assert site.get("/health/proxy") == (200, "ok\n")
    code, page = site.get("/tap/sync")
    assert (code, "does not answer at this moment" in page) == (503, True)


def test_installing_again_changes_title_and_address_only(site: Site) -> None:
    installer = site.install(ALMAGEST_SITE_TITLE="Another title")
    assert installer.wait(60) == 0, installer.log
    assert installer.log.strip().splitlines()[-1] == "WordPress: already installed"
    assert "<title>Another title</title>" in site.get("/cms/")[1]


def test_installer_waits_for_the_database_and_says_no_password(stage: Stage) -> None:
    made = Site(stage)
    installer = made.install()
    code = made.pod.directory / "volumes/code/wp-config.php"
    eventually("the code to be laid out", code.exists, within=30, every=0.1)
    assert installer.running
    made.database()
    assert installer.wait(120) == 0, installer.log
    assert installer.log.strip() == "WordPress: installed"


@pytest.fixture
def interrupted(stage: Stage) -> Site:
    """A site whose installer was killed in the middle."""
    made = Site(stage)
    made.database()
    installer = made.install()
    tables = made.pod.directory / "mariadb/volumes/data/data/wordpress/wp_posts.frm"
    eventually("the first tables", tables.exists, within=90, every=0.005)
    installer.kill()
    return made


def test_installer_killed_in_the_middle_ends_its_work_the_next_time(interrupted: Site) -> None:
    again = interrupted.install()
    assert again.wait(120) == 0, again.log
    interrupted.serve()
    log_in(interrupted)
    assert interrupted.get("/cms/")[0] == 200, interrupted.mariadb.log


def test_installation_that_was_killed_is_begun_afresh_at_another_address(interrupted: Site) -> None:
    interrupted.sql(f"{OPTIONS} ('siteurl', '{SITE}/cms')")
    again = interrupted.install(ALMAGEST_SITE_URL="http://archive.example:30080")
    assert again.wait(120) == 0, again.log
    assert again.log.strip() == "WordPress: installed"


def test_site_that_was_loaded_after_a_killed_installation_is_left_alone(interrupted: Site) -> None:
    interrupted.sql(f"{OPTIONS} ('siteurl', 'https://old.example')")
    tables = interrupted.sql("SHOW TABLES")
    refuses(interrupted)
    assert interrupted.sql("SHOW TABLES") == tables


def test_a_site_that_came_in_a_dump_is_adopted(site: Site) -> None:
    site.sql(BEFORE + site.dump() + ELSEWHERE + AFTER)
    installer = site.install()
    assert installer.wait(60) == 0, installer.log
    assert installer.log.strip().splitlines()[-1] == "WordPress: adopted the site that was there"
    code, page = site.get("/cms/hello-world/")
    assert (code, "Twenty years of plates" in page) == (200, True)
    assert "old.example" not in page, "links lead to the archive"
    code, page = site.get("/cms/wp-admin/", "-b", log_in(site))
    assert (code, "Dashboard" in page) == (200, True)
    assert sorted(site.sql("SELECT user_login FROM wp_users")) == ["admin", "harriet"]
    again = site.install()
    assert again.wait(60) == 0, again.log
    assert again.log.strip().splitlines()[-1] == "WordPress: already installed"


def test_a_dump_is_adopted_only_when_it_was_loaded_to_its_end(site: Site) -> None:
    """Also one of another Almagest, whose options say that its site is finished."""
    dump = site.dump()
    half = dump[: dump.index("CREATE TABLE `wp_posts`")]
    site.sql(BEFORE + half)
    assert "wp_options" in refuses(site)
    site.admin_password("of another archive")
    site.sql(BEFORE + dump + AFTER)
    installer = site.install()
    assert installer.wait(60) == 0, installer.log
    assert installer.log.strip().splitlines()[-1] == "WordPress: adopted the site that was there"
    log_in(site, "of another archive")


def test_half_a_dump_over_a_site_is_left_alone(site: Site) -> None:
    """The options are the other site's, the users still ours."""
    site.sql(ELSEWHERE.partition("UPDATE wp_users")[0])
    refuses(site)
    assert site.sql("SELECT user_login FROM wp_users") == ["admin"]
    assert site.sql("SELECT option_value FROM wp_options WHERE option_name = 'siteurl'") == ["https://old.example"]


@pytest.mark.parametrize("left", ["wp_posts", "wp_options"])
def test_tables_that_are_no_whole_site_are_left_alone(stage: Stage, left: str) -> None:
    made = Site(stage)
    made.database()
    eventually("MariaDB to listen", partial(made.pod.answers, 3306), within=90, every=0.2)
    made.sql(f"CREATE TABLE {left} (option_name TEXT, option_value TEXT); INSERT INTO {left} VALUES ('siteurl', 'x')")
    assert f"end: {left};" in refuses(made)
    assert made.sql(f"SELECT option_name FROM {left}") == ["siteurl"]


def test_another_password_in_the_secret_opens_the_site(site: Site) -> None:
    site.admin_password("another 'one")
    installer = site.install()
    assert installer.wait(60) == 0, installer.log
    log_in(site, "another 'one")


@pytest.mark.parametrize("record", ["kept", "lost"])
def test_a_password_chosen_by_hand_outlives_a_restart(site: Site, record: str) -> None:
    """Also of a site that knows of no password of the Secret, from before there was a record of it."""
    site.sql("UPDATE wp_users SET user_pass = MD5('my own')")
    if record == "lost":
        site.sql("DELETE FROM wp_options WHERE option_name = 'almagest_admin_password'")
    installer = site.install()
    assert installer.wait(60) == 0, installer.log
    log_in(site, "my own")
