"""The last page of `make up`: where the archive is, how to reach it, and the answer to a real query.

The demo archive is asked for its brightest stars around the Pleiades, any other for rows of its first table, through
pyvo as any astronomer would ask.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pyvo
from astropy.table import Table

DEMO = "gaiadr3.bright"
PLEIADES = """SELECT TOP 9 source_id, ra, dec, phot_g_mean_mag, phot_bp_mean_mag, phot_rp_mean_mag
FROM gaiadr3.bright
WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1.0))
ORDER BY phot_g_mean_mag"""
TABLES = "SELECT table_name FROM tap_schema.tables WHERE schema_name <> 'tap_schema' ORDER BY table_index"

Ask = Callable[[str], Table]
"""Sends one ADQL query to the archive; raises DALAccessError when it does not answer."""


@dataclass(frozen=True)
class Archive:
    """What `almagest status --output json` says: absolute URLs that answer on this machine."""

    name: str
    namespace: str
    context: str
    site: str
    tap: str


def observe(name: str, namespace: str, context: str) -> Archive:
    """Ask the cluster where the archive answers; raises CalledProcessError with almagest's own words on stderr."""
    command = ["almagest", "status", name, "-n", namespace, "--context", context, "--output", "json"]
    status = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    return Archive(name, namespace, context, status["endpoints"]["site"], status["endpoints"]["tap"])


def page(archive: Archive) -> str:
    """Where everything is."""
    return f"""
The archive {archive.name} is up.

  Site      {archive.site}
  TAP       {archive.tap}
  kubectl   kubectl --context {archive.context} -n {archive.namespace} get archives,pods
  almagest  almagest status {archive.name} -n {archive.namespace}
"""


def answer(ask: Ask) -> str:
    """A query that the archive answers, with its rows. Raises DALAccessError when it has tables and answers none."""
    names = [str(name) for name in ask(TABLES)["table_name"]]
    if DEMO in names:
        return shown("the brightest sources within 1° of the Pleiades", PLEIADES, ask(PLEIADES))
    refusal = None
    for name in names:
        query = f"SELECT TOP 5 * FROM {name}"  # noqa: S608  the archive itself gave the name, as queries write it
        try:
            return shown(f"rows of {name}", query, ask(query))
        except pyvo.dal.DALQueryError as error:
            refusal = error
    if refusal:
        raise refusal
    return "\nIt has no tables yet.\n"


def shown(what: str, query: str, table: Table) -> str:
    """At most 160 characters wide: a table may have hundreds of columns."""
    lines = "\n".join(f"    {line}" for line in query.splitlines())
    rows = "\n".join(f"    {line}" for line in table.pformat(max_width=160))
    return f"\nAsked just now through pyvo, {what}:\n\n{lines}\n\n{rows}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--context", default="almagest")
    arguments = parser.parse_args()
    try:
        archive = observe(arguments.name, arguments.namespace, arguments.context)
    except subprocess.CalledProcessError as error:
        return error.returncode
    sys.stdout.write(page(archive))
    sys.stdout.flush()
    service = pyvo.dal.TAPService(archive.tap)
    try:
        sys.stdout.write(answer(lambda query: service.search(query).to_table()))
    except pyvo.dal.DALAccessError as error:
        sys.stderr.write(f"the archive is ready, but its TAP service did not answer the query: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
