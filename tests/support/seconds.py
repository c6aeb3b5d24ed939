"""A table each of whose rows takes a second to read: queries that last as long as a test wants and compute nothing.

Its rows stand behind a policy that sleeps, which binds every role but the table's owner.
"""

from __future__ import annotations

from pathlib import Path

from support.application import Application
from support.cluster import kubectl

FOR_EVER = "SELECT COUNT(*) AS n FROM trial.seconds"
"""An hour."""

# Only a superuser may sleep: readers' roles, and the owner's, are kept from it.
_SLOWLY = """
CREATE FUNCTION trial.a_second() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
  AS 'BEGIN PERFORM pg_catalog.pg_sleep(1); RETURN true; END';
GRANT EXECUTE ON FUNCTION trial.a_second() TO PUBLIC;
ALTER TABLE trial.seconds ENABLE ROW LEVEL SECURITY;
CREATE POLICY slowly ON trial.seconds USING (trial.a_second())
"""


def lasting(seconds: int) -> str:
    """A query of that many rows, 1, 2, 3…, and seconds."""
    return f"SELECT TOP {seconds} n FROM trial.seconds"


def publish(application: Application) -> None:
    """Ingest the table `trial.seconds` and make it slow."""
    rows = Path(application.environment()["ALMAGEST_FILES_DIR"]) / "seconds.csv"
    rows.write_text("\n".join(["n", *map(str, range(1, 3601))]))
    application.console.must("ingest", f"file:{rows.name}", "--table", "trial.seconds")
    psql = ("psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "data", "-v", "ON_ERROR_STOP=1", "-c", _SLOWLY)
    kubectl("exec", "-n", application.services.namespace, "datadb", "--", *psql)
