"""Tables to be loaded when the archive starts."""

from __future__ import annotations

import enum
from typing import Annotated

from pydantic import Field

from almagest_operator.model.base import Model


class Format(enum.StrEnum):
    CSV = "csv"
    FITS = "fits"
    HDF5 = "hdf5"
    PARQUET = "parquet"
    VOTABLE = "votable"


class Dataset(Model):
    """One table and where its rows come from."""

    table: Annotated[
        str,
        Field(
            min_length=3,
            max_length=127,
            pattern=r"^[a-z][a-z0-9_]{0,62}\.[a-z][a-z0-9_]{0,62}$",
            description="`schema.table`, unique in the archive.",
        ),
    ]
    source: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=r"^(demo:(gaia|hipparcos|openngc)|file:[^/].*)$",
            description="`demo:gaia`, `demo:hipparcos`, `demo:openngc`, or `file:` and a path below the files volume,"
            " with `*` for several.",
        ),
    ]
    format: Annotated[
        Format | None, Field(description="Format of the file; told from its name when it is left out.")
    ] = None
