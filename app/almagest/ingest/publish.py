"""A loaded table's metadata, from its layout, its description and what the load found out."""

from __future__ import annotations

from typing import Any

from almagest.ingest.description import ColumnDescription, Description
from almagest.ingest.findings import notation
from almagest.ingest.layout import Layout
from almagest.ingest.load import Loaded
from almagest.metadata import models
from almagest.metadata.publish import change


def is_published(layout: Layout, description: Description) -> bool:
    """Whether everybody may read the table: as described, else as it was; a new table may be read."""
    if description.table.published is not None:
        return description.table.published
    known = models.Table.objects.filter(schema__name=layout.schema, name=layout.table)
    return known.values_list("published", flat=True).first() is not False


def publish(layout: Layout, description: Description, loaded: Loaded, *, published: bool) -> bool:
    """Make the metadata of one table say what is loaded; True when anything changed. One transaction."""
    with change() as made:
        described = description.data.model_dump(exclude_none=True, exclude={"creators"})
        schema = made.save(models.Schema.objects.all(), {"name": layout.schema}, described)
        if description.data.creators is not None:
            wanted = [{"name": name, "order": order} for order, name in enumerate(description.data.creators)]
            made.replace(schema.creators.all(), wanted, schema=schema)
        values = _table(layout, description, loaded, published=published)
        table = made.save(models.Table.objects.all(), {"schema": schema, "name": layout.table}, values)
        made.replace(table.columns.all(), _columns(layout, description, loaded), table=table)
    return made.made


def _table(layout: Layout, description: Description, loaded: Loaded, *, published: bool) -> dict[str, Any]:
    ra, dec = layout.position or ("", "")
    return {
        "title": description.table.title,
        "description": description.table.description.strip(),
        "utype": description.table.utype,
        "order": description.table.order,
        "nrows": loaded.nrows,
        "published": published,
        "ra_column": ra,
        "dec_column": dec,
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
