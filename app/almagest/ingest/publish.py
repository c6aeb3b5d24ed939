"""A loaded table's metadata, from its layout, its description and what the load found out."""

from __future__ import annotations

from typing import Any

from almagest.ingest.description import ColumnDescription, Description
from almagest.ingest.findings import notation
from almagest.ingest.layout import Layout
from almagest.ingest.load import Loaded
from almagest.metadata import models
from almagest.metadata.levels import Level
from almagest.metadata.publish import change


def publish(layout: Layout, description: Description, loaded: Loaded) -> bool:
    """Make the metadata of one table say what is loaded; True when anything changed. One transaction."""
    with change() as made:
        described = description.data.model_dump(exclude_none=True, exclude={"creators"})
        schema = made.save(models.Schema.objects.all(), {"name": layout.schema}, described)
        if description.data.creators is not None:
            wanted = [creator.model_dump() for creator in description.data.creators]
            made.replace_list(schema, "creators", wanted)
        values = _table(layout, description, loaded) | _levels(layout, published=description.table.published)
        table = made.save(models.Table.objects.all(), {"schema": schema, "name": layout.table}, values)
        made.replace(table.columns.all(), _columns(layout, description, loaded), table=table)
        made.replace_list(table, "foreign_keys", _foreign_keys(description))
        made.replace_list(table, "examples", _examples(description))
    return made.made


def _levels(layout: Layout, *, published: bool | None) -> dict[str, Any]:
    """The table's levels as the description wants them: what hides a table, and what takes that back. Levels that the
    operators gave it stay, and so does everything that the description does not speak of."""
    if published is None:
        return {}
    known = models.Table.objects.filter(schema__name=layout.schema, name=layout.table)
    if not published:
        return {"access_level": Level.PRIVATE, "metadata_level": Level.PRIVATE}
    if known.filter(access_level=Level.PRIVATE, access_groups=None).exists():
        return {"access_level": Level.PUBLIC, "metadata_level": Level.PUBLIC}
    return {}


def _table(layout: Layout, description: Description, loaded: Loaded) -> dict[str, Any]:
    ra, dec = layout.position or ("", "")
    return {
        "title": description.table.title,
        "description": description.table.description.strip(),
        "utype": description.table.utype,
        "order": description.table.order,
        "nrows": loaded.nrows,
        "ra_column": ra,
        "dec_column": dec,
        "epoch": description.table.epoch,
    }


def _columns(layout: Layout, description: Description, loaded: Loaded) -> list[dict[str, Any]]:
    rows = []
    for order, (column, found) in enumerate(zip(layout.columns, loaded.found.columns, strict=True)):
        described = description.columns.get(column.name, ColumnDescription())
        rows.append(
            {
                "name": column.name,
                "datatype": "unicodeChar" if found.beyond_ascii else column.datatype,
                "arraysize": column.arraysize or "",
                "xtype": column.xtype or "",
                "unit": column.unit or "",
                "ucd": column.ucd or "",
                "utype": column.utype or "",
                "description": column.description,
                "indexed": column.name in layout.indexed,
                "principal": described.principal,
                "minimum": notation(column, found.minimum),
                "maximum": notation(column, found.maximum),
                "nulls": found.nulls,
                "distinct": found.distinct,
                "order": order,
            }
        )
    return rows


def _foreign_keys(description: Description) -> list[dict[str, Any]]:
    rows = []
    for key in description.table.foreign_keys:
        schema, table = key.target.split(".")
        rows.append(
            {
                "target_schema": schema,
                "target_table": table,
                "columns": [list(pair) for pair in key.columns.items()],
                "description": key.description,
                "utype": key.utype,
            }
        )
    return rows


def _examples(description: Description) -> list[dict[str, Any]]:
    return [
        {"name": example.name, "description": example.description.strip(), "query": example.query.strip()}
        for example in description.examples
    ]
