"""`almagest-app migrate`: both databases to the state that this release needs."""

from __future__ import annotations

import sys

import psycopg
from django.core.management import call_command
from django.db import Error as DatabaseError

from almagest.config.environment import PASSWORD_KEYS, environment, queues
from almagest.metadata import grants, provision, roles

LOCK = "almagest.migrate"


def migrate() -> int:
    """Apply Django's migrations, then provision the data database; returns the exit code.

    Both run under a lock in their own database, so two at once follow each other. Each step is safe to repeat, so a
    kill at any point is healed by the next run.
    """
    settings = environment()
    passwords = {role: settings.secret(f"datadb/{PASSWORD_KEYS[role]}-password") for role in roles.READERS}
    connections = {"almagest_query": settings.connections_query, "almagest_job": settings.connections_job}
    longest = max((queue.timeout for queue in queues()), default=60.0)
    try:
        with psycopg.connect(settings.appdb_conninfo(), autocommit=True, application_name="migrate") as lock:
            lock.execute("SELECT pg_advisory_lock(hashtext(%s))", (LOCK,))
            call_command("migrate", interactive=False)
        with psycopg.connect(settings.datadb_conninfo("almagest"), autocommit=True, application_name="migrate") as data:
            provision.provision(data, passwords, connections, longest)
            grants.synchronise(data)
    except (psycopg.Error, DatabaseError, provision.ProvisionError) as error:
        print(f"almagest-app migrate: {error}".rstrip(), file=sys.stderr)
        return 1
    return 0
