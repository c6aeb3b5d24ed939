"""Columns of tables and results, as VOTable calls their properties."""

from __future__ import annotations

from almagest import catalogue
from almagest.api.face import Told


class Column(Told):
    """A column. datatype, arraysize, xtype: VOTable's; unit: VOUnits 1.1; ucd: UCD1+; empty for what is not there."""

    name: str
    datatype: str
    arraysize: str
    xtype: str
    unit: str
    ucd: str
    utype: str
    description: str


def column(known: catalogue.Column) -> Column:
    """The column as the API tells it."""
    return Column(**properties(known))


def properties(known: catalogue.Column) -> dict[str, str]:
    """The same by the names of its properties."""
    return {
        "name": known.name,
        "datatype": known.datatype,
        "arraysize": known.arraysize or "",
        "xtype": known.xtype or "",
        "unit": known.unit or "",
        "ucd": known.ucd or "",
        "utype": known.utype or "",
        "description": known.description,
    }
