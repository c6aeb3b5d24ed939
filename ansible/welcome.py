"""The last page of `make up`: where the archive is, how to reach it, and the answer to a real query.

The query is a cone search around the Pleiades for the demo archive's brightest stars, asked through pyvo as any
astronomer would ask it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass

import pyvo

PLEIADES = """SELECT TOP 9 source_id, ra, dec, phot_g_mean_mag, phot_bp_mean_mag, phot_rp_mean_mag
FROM gaiadr3.bright
WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(56.75, 24.12, 1.0))
ORDER BY phot_g_mean_mag"""


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
    """The text for the terminal, with the table that the archive's TAP service returned just now."""
    table = pyvo.dal.TAPService(archive.tap).search(PLEIADES).to_table()
    rows = "\n".join(f"    {line}" for line in table.pformat(max_width=-1))
    query = "\n".join(f"    {line}" for line in PLEIADES.splitlines())
    return f"""
The archive {archive.name} is up.

  Site      {archive.site}
  TAP       {archive.tap}
  kubectl   kubectl --context {archive.context} -n {archive.namespace} get archives,pods
  almagest  almagest status {archive.name} -n {archive.namespace}

Asked just now through pyvo, the brightest sources within 1° of the Pleiades:

{query}

{rows}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--context", default="almagest")
    arguments = parser.parse_args()
    try:
        archive = observe(arguments.name, arguments.namespace, arguments.context)
        sys.stdout.write(page(archive))
    except subprocess.CalledProcessError as error:
        return error.returncode
    except pyvo.dal.DALAccessError as error:
        sys.stderr.write(f"the archive is ready, but its TAP service did not answer the query: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
