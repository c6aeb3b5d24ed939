"""Where the pages of schemas, tables and columns are, below the site's address."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse


def schema_url(schema: str) -> str:
    """`/data/<schema>/`."""
    return reverse("pages:schema", args=[schema])


def table_url(schema: str, table: str) -> str:
    """`/data/<schema>/<table>/`."""
    return reverse("pages:table", args=[schema, table])


def column_url(schema: str, table: str, column: str) -> str:
    """The column's place in the page of its table."""
    return f"{table_url(schema, table)}#column-{quote(column)}"


def example_url(identifier: str) -> str:
    """The example's place in the page of all examples."""
    return f"{reverse('tap:examples')}#{quote(identifier)}"
