"""Reading answers of the protocols in tests."""

from __future__ import annotations

import csv
import io
import warnings
from xml.etree import ElementTree as ET

from astropy.io import votable
from astropy.table import Table

VOTABLE = "{http://www.ivoa.net/xml/VOTable/v1.3}"


def table(document: bytes) -> Table:
    """The only table of a VOTable."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return votable.parse_single_table(io.BytesIO(document)).to_table()


def csv_rows(document: str) -> list[dict[str, str]]:
    """The rows of a CSV with a header line, by column."""
    return list(csv.DictReader(io.StringIO(document)))


def status(document: bytes) -> tuple[str, str]:
    """The last QUERY_STATUS of a VOTable, as a client reads it, and its text."""
    infos = [info for info in ET.fromstring(document).iter(f"{VOTABLE}INFO") if info.get("name") == "QUERY_STATUS"]
    return infos[-1].get("value", ""), infos[-1].text or ""
