"""What `/tap/capabilities` declares: each value from where it holds."""

from __future__ import annotations

from almagest import adql, formats
from almagest.config.environment import queues
from almagest.query import limits
from almagest.tap.address import base_url
from almagest.vo import vosi

SECURITY = ("ivo://ivoa.net/sso#BasicAA", "ivo://ivoa.net/sso#cookie")
"""Identifiers of the ways to log in (SSO 2.0 §3); tokens have none yet, and are announced in WWW-Authenticate."""

UPLOADS = ("inline", "http", "https")
"""The ways to send a table along."""


ADQL = vosi.Language(
    "ADQL",
    "Astronomical Data Query Language 2.1",
    {"2.0": "ivo://ivoa.net/std/ADQL#v2.0", "2.1": "ivo://ivoa.net/std/ADQL#v2.1"},
    {
        **{kind: dict.fromkeys(forms, "") for kind, forms in adql.FEATURES.items()},
        "features-udf": {function.form: function.description for function in adql.UDFS},
    },
)

POSTGRESQL = vosi.Language(
    "PostgreSQL",
    "ADQL 2.1 with a part of PostgreSQL's SQL: window functions, arrays, inner WITH, casts by ::, LIMIT",
    {"17": None},
    {},
)

_IVO_IDS = {
    "votable": vosi.OUTPUT_BINARY2,
    "votable/b2": vosi.OUTPUT_BINARY2,
    "votable/b": vosi.OUTPUT_BINARY,
    "votable/td": vosi.OUTPUT_TABLEDATA,
}


def service() -> vosi.Service:
    """This archive's TAP service."""
    slowest = max(queue.timeout for queue in queues())
    return vosi.Service(
        url=base_url(),
        languages=[ADQL, POSTGRESQL],
        formats=[_output(short, known) for short, known in formats.FORMATS.items()],
        duration=vosi.Limits(int(queues()[0].timeout), int(slowest)),
        retention=vosi.Limits(int(limits.RETENTION.total_seconds()), int(limits.MAX_RETENTION.total_seconds())),
        rows=vosi.Limits(limits.DEFAULT_ROWS, limits.MAX_ROWS),
        uploads=UPLOADS,
        upload=vosi.Limits(limits.UPLOAD_BYTES, limits.UPLOAD_BYTES),
        security=SECURITY,
    )


def _output(short: str, known: formats.Format) -> vosi.OutputFormat:
    return vosi.OutputFormat(known.media_type, (short,), _IVO_IDS.get(short))
