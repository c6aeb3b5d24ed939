"""Users, groups and levels as an operator sets them, by `almagest-app`'s commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg

from support.application import Application

TABLES = ("open", "members", "secret")
_DESCRIBE = """
from almagest.metadata import models
from almagest.metadata.publish import change
with change() as made:
    schema = made.save(models.Schema.objects.all(), {"name": "vault"}, {})
    for name in ("open", "members", "secret"):
        table = made.save(models.Table.objects.all(), {"schema": schema, "name": name}, {"nrows": 1})
        columns = (("id", "int"), ("size", "double"), ("note", "unicodeChar"))
        rows = [{"name": c, "datatype": t, "arraysize": "*" if c == "note" else "", "order": i}
                for i, (c, t) in enumerate(columns)]
        made.replace(table.columns.all(), rows, table=table)
"""
_MEMBER = """
from almagest.accounts.models import User
from django.contrib.auth.models import Group
user, group = User.objects.get(username={user!r}), Group.objects.get(name={group!r})
user.groups.{verb}(group)
print(user.pk)
"""
_ADMIT = """
import psycopg
from almagest.accounts.authentication import of
from almagest.accounts.models import User
from almagest.config.environment import environment
from almagest.metadata.accounts import admit
identity = of(User.objects.get(username={user!r}))
with psycopg.connect(environment().datadb_conninfo("almagest_query"), autocommit=True) as data:
    admit(data, identity)
print(identity.owner)
"""
_SYNCHRONISE = """
import psycopg
from almagest.config.environment import environment
from almagest.metadata import grants
with psycopg.connect(environment().datadb_conninfo({role!r}), autocommit=True) as data:
    print(grants.synchronise(data))
"""


@dataclass
class Access:
    """The schema `vault` with tables of one row, and the users `rita`, who is in the group `readers`, and `otto`, who
    is in `others`."""

    application: Application
    passwords: dict[str, str] = field(default_factory=dict)

    @classmethod
    def prepared(cls, application: Application) -> Access:
        """With the users and tables; all tables are public at first."""
        self = cls(application)
        with self.application.data() as owner:
            owner.execute("CREATE SCHEMA IF NOT EXISTS vault")
            for table in TABLES:
                owner.execute(f"DROP TABLE IF EXISTS vault.{table}")
                row = "1 AS id, 2.5::float8 AS size, 'a note'::text AS note"
                owner.execute(f"CREATE TABLE vault.{table} AS SELECT {row}")
        self.python(_DESCRIBE)
        for name, group in (("rita", "readers"), ("otto", "others")):
            self.run("group", "add", group)
            self.passwords[name] = self.run("user", "add", name, "--group", group).strip()
        for name in ("vault", *(f"vault.{table}" for table in TABLES), "vault.open.note"):
            self.level(name, "public", of="both")
        self.synchronise()
        return self

    def run(self, *words: str, stdin: str = "") -> str:
        """What a command printed; it has to succeed."""
        return self.application.console.must(*words, stdin=stdin)

    def python(self, code: str) -> str:
        """What a piece of the application's own code printed."""
        return self.application.console.python(code)

    def level(self, name: str, level: str, *groups: str, of: str = "data") -> None:
        """Give an object a level."""
        self.run("access", name, level, "--of", of, *(word for group in groups for word in ("--group", group)))

    def join(self, user: str, group: str) -> None:
        self.python(_MEMBER.format(user=user, group=group, verb="add"))

    def leave(self, user: str, group: str) -> None:
        self.python(_MEMBER.format(user=user, group=group, verb="remove"))

    def account(self, user: str) -> str:
        """The user's role in the data database, which exists from now on."""
        return self.python(_ADMIT.format(user=user)).strip()

    def synchronise(self, role: str = "almagest") -> int:
        """Bring the rights in line with the levels, as this role of the data database; returns how many changed."""
        return int(self.python(_SYNCHRONISE.format(role=role)))

    def readable(self, role: str) -> set[str]:
        """The tables of `vault` that a role can read in the data database."""
        with self.application.data(role) as data:
            return {table for table in TABLES if _reads(data, f"SELECT * FROM vault.{table}")}


def _reads(data: psycopg.Connection[Any], statement: str) -> bool:
    try:
        return bool(data.execute(statement).fetchall())
    except psycopg.errors.InsufficientPrivilege:
        return False
