"""What `/tap/capabilities` declares: each value from where it holds."""

from __future__ import annotations

from almagest import adql, formats
from almagest.accounts.authentication import SECURITY
from almagest.config.environment import queues
from almagest.metadata.catalogue import Holdings
from almagest.query import limits
from almagest.tap.address import base_url
from almagest.vo import tap

UPLOADS = ("inline", "http", "https")
"""The ways to send a table along."""


POSTGRESQL = tap.Language(
    "PostgreSQL",
    "ADQL 2.1 with a part of PostgreSQL's SQL: window functions, arrays, inner WITH, casts by ::, LIMIT",
    {"17": None},
    {},
)

_IVO_IDS = {
    "votable": tap.OUTPUT_BINARY2,
    "votable/b2": tap.OUTPUT_BINARY2,
    "votable/b": tap.OUTPUT_BINARY,
    "votable/td": tap.OUTPUT_TABLEDATA,
}


def service(holdings: Holdings) -> tap.Service:
    """This archive's TAP service, as those may know it who see these holdings."""
    slowest = max(queue.timeout for queue in queues())
    return tap.Service(
        url=base_url(),
        languages=[_adql(holdings.hidden), POSTGRESQL],
        formats=[_output(short, known) for short, known in formats.FORMATS.items()],
        duration=tap.Limits(int(queues()[0].timeout), int(slowest)),
        retention=tap.Limits(int(limits.RETENTION.total_seconds()), int(limits.MAX_RETENTION.total_seconds())),
        rows=tap.Limits(limits.DEFAULT_ROWS, limits.MAX_ROWS),
        uploads=UPLOADS,
        upload=tap.Limits(limits.UPLOAD_BYTES, limits.UPLOAD_BYTES),
        security=SECURITY,
    )


def _adql(hidden: frozenset[str]) -> tap.Language:
    """ADQL without these functions."""

    def shown(form: str) -> bool:
        return form.partition("(")[0].upper() not in hidden

    return tap.Language(
        "ADQL",
        "Astronomical Data Query Language 2.1",
        {"2.0": "ivo://ivoa.net/std/ADQL#v2.0", "2.1": "ivo://ivoa.net/std/ADQL#v2.1"},
        {
            **{kind: {form: "" for form in forms if shown(form)} for kind, forms in adql.FEATURES.items()},
            "features-udf": {udf.form: udf.description for udf in adql.UDFS if shown(udf.form)},
        },
    )


def _output(short: str, known: formats.Format) -> tap.OutputFormat:
    return tap.OutputFormat(known.media_type, (short,), _IVO_IDS.get(short))
