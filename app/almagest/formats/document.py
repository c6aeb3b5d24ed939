"""The parts of a VOTable 1.4 around its rows: fields with their metadata, frames, origin, services, and the status."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from almagest.adql.catalogue import Column
from almagest.formats import markup
from almagest.formats.about import About, Input, ServiceDescriptor
from almagest.formats.complexes import votable_type
from almagest.formats.format import Status
from almagest.formats.markup import DECLARATION, Markup, element, escaped, optional
from almagest.formats.sql import is_text, is_timestamp

MEDIA_TYPE = "application/x-votable+xml"

VOTABLE = {"version": "1.4", "xmlns": "http://www.ivoa.net/xml/VOTable/v1.3"}
"""Attributes of the root. The namespace of VOTable 1.3 holds for all later versions (VOTable 1.4 §3.1)."""

_OPENING = f'{DECLARATION}<VOTABLE{markup.attributes(VOTABLE)}>\n<RESOURCE type="results">\n'
_CLOSING = "</VOTABLE>\n"
_FRAME, _TIME = "_frame", "_time"
_POSITIONS = ("pos.eq", "pos.pm", "pos.parallax")
_SHAPES = ("point", "circle", "polygon")


def error_document(message: str) -> bytes:
    """A query that failed (DALI 1.1 §4.4.2), to be sent as `MEDIA_TYPE`."""
    return (_OPENING + _status(Status.ERROR, message) + "</RESOURCE>\n" + _CLOSING).encode()


NO_NULLS: Mapping[str, int] = {}


def head(
    columns: Sequence[Column], about: About, nulls: Mapping[str, int] = NO_NULLS, elements: Mapping[str, int] = NO_NULLS
) -> str:
    """Everything before the rows. nulls, elements: datatype → the number that says NULL, where the serialisation has no
    other word for a scalar and for an element of an array."""
    told = "".join(f"<INFO{_attributes(name=name, value=value)}/>\n" for name, value in about.items())
    links = "".join(
        f"<LINK{_attributes(href=link.href, title=link.title, **{'content-role': link.content_role})}/>\n"
        for link in about.links
    )
    frames = "".join(_frames(columns, about))
    asked = {given.column for service in about.services for given in service.inputs}
    fields = "".join(
        _field(
            column,
            (elements if column.arraysize else nulls).get(column.datatype),
            _identifier(number, column) if column.name in asked else None,
        )
        for number, column in enumerate(columns, 1)
    )
    status = '<INFO name="QUERY_STATUS" value="OK"/>\n'
    return f"{_OPENING}{status}{told}{frames}{links}<TABLE>\n{fields}<DATA>\n"


def foot(status: Status, message: str, columns: Sequence[Column], about: About) -> str:
    """Everything after them."""
    said = "" if status is Status.OK else _status(status, message)
    services = "".join(_service(service, columns) for service in about.services)
    return f"</DATA>\n</TABLE>\n{said}</RESOURCE>\n{services}{_CLOSING}"


def descriptor(service: ServiceDescriptor, named: Mapping[str, str], utype: str = "adhoc:service") -> Markup:
    """The RESOURCE that tells clients how to call a service (DataLink 1.1 §4.1); it stands beside that of the results.

    named: name → XML ID of the columns that inputs may be taken from.
    """
    told = {
        "accessURL": service.access_url,
        "standardID": service.standard_id,
        "contentType": service.content_type,
    }
    return element(
        "RESOURCE",
        {"type": "meta", "utype": utype, "ID": service.id, "name": service.name},
        optional("DESCRIPTION", service.description),
        *(_text_param(name, value) for name, value in told.items() if value),
        element("GROUP", {"name": "inputParams"}, *(_input(given, named) for given in service.inputs)),
    )


def _text_param(name: str, value: str) -> Markup:
    return element("PARAM", {"name": name, "datatype": "char", "arraysize": "*", "value": value})


def _status(status: Status, message: str) -> str:
    # astroquery finds the message by this very spelling and order of attributes.
    return f'<INFO name="QUERY_STATUS" value="{status.value}">{escaped(message)}</INFO>\n'


def _frames(columns: Sequence[Column], about: About) -> Iterator[str]:
    if any(placed(column) for column in columns):
        frame = about.coordinates
        yield f"<COOSYS{_attributes(ID=_FRAME, system=frame.system, epoch=frame.epoch)}/>\n"
    if any(is_timestamp(column) for column in columns):
        yield f"<TIMESYS{_attributes(ID=_TIME, timescale='UTC', refposition='UNKNOWN')}/>\n"


def placed(column: Column) -> bool:
    """Whether a column is about places in the frame: coordinates, their errors and motions, shapes."""
    ucd = (column.ucd or "").lower()
    return column.xtype in _SHAPES or any(word.startswith(_POSITIONS) for word in ucd.split(";"))


def _identifier(number: int, column: Column) -> str:
    """The ID of a column that a service takes: its name where XML allows that, because astropy calls columns so."""
    return column.name if re.fullmatch("[A-Za-z][A-Za-z0-9_]*", column.name) else f"_col{number}"


def _field(column: Column, null: int | None, identifier: str | None) -> str:
    datatype, arraysize, xtype = votable_type(column)
    attributes = _attributes(
        ID=identifier,
        name=column.name,
        datatype=datatype,
        arraysize=arraysize,
        xtype=xtype,
        unit=column.unit,
        ucd=column.ucd,
        utype=column.utype,
        ref=_TIME if is_timestamp(column) else _FRAME if placed(column) else None,
    )
    inner = f"<DESCRIPTION>{escaped(column.description)}</DESCRIPTION>" if column.description else ""
    inner += _values(column, null)
    return f"<FIELD{attributes}>{inner}</FIELD>\n" if inner else f"<FIELD{attributes}/>\n"


def _values(column: Column, null: int | None) -> str:
    """The range of the column's values (VOTable 1.4 §4.6), as counted when the table was published."""
    ranged = not is_text(column)
    least = f'<MIN value="{column.minimum}"/>' if ranged and column.minimum is not None else ""
    most = f'<MAX value="{column.maximum}"/>' if ranged and column.maximum is not None else ""
    attributes = _attributes(null=None if null is None else str(null))
    if least or most:
        return f"<VALUES{attributes}>{least}{most}</VALUES>"
    return f"<VALUES{attributes}/>" if attributes else ""


def _service(service: ServiceDescriptor, columns: Sequence[Column]) -> str:
    """The service's RESOURCE: its inputs refer to the columns of this table."""
    named = {column.name: _identifier(number, column) for number, column in enumerate(columns, 1)}
    return f"{descriptor(service, named)}\n"


def _input(given: Input, named: Mapping[str, str]) -> Markup:
    attributes = {
        "name": given.name,
        "datatype": given.datatype,
        "arraysize": given.arraysize,
        "unit": given.unit,
        "ucd": given.ucd,
        "ref": named.get(given.column or ""),
        "value": given.value,
    }
    return element("PARAM", attributes, optional("DESCRIPTION", given.description))


def _attributes(**named: str | None) -> str:
    """Those that say something."""
    return markup.attributes({name: value or None for name, value in named.items()})
