"""schema.org's Dataset for search engines (JSON-LD 1.1), as the text of a data block: no browser runs it."""

from __future__ import annotations

import json
from typing import Any

from almagest.catalogue import Schema, Table
from almagest.config.environment import environment, site
from almagest.metadata.works import Author, Work
from almagest.pages.address import schema_url, table_url

_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
"""Letters with which a text could end the data block."""

DESCRIPTION_CHARACTERS = 5000


def of_schema(schema: Schema, work: Work, tables: list[Table]) -> str:
    """The whole work."""
    parts = [{"@type": "Dataset", "name": str(table), "url": _absolute(table_url(*_path(table)))} for table in tables]
    name = schema.title or schema.name
    return _written(_dataset(name, schema.description, schema_url(schema.name), work) | {"hasPart": parts})


def of_table(table: Table, schema: Schema, work: Work) -> str:
    """One table of a work, with its columns."""
    measured = [
        {"@type": "PropertyValue", "name": c.name, "description": c.description, "unitText": c.unit or ""}
        for c in table.columns
    ]
    of_work = {"@type": "Dataset", "name": schema.title or schema.name, "url": _absolute(schema_url(schema.name))}
    dataset = _dataset(table.title or str(table), table.description, table_url(*_path(table)), work)
    return _written(dataset | {"variableMeasured": measured, "isPartOf": of_work})


def _dataset(name: str, description: str, path: str, work: Work) -> dict[str, Any]:
    said = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": name,
        "description": (description or name)[:DESCRIPTION_CHARACTERS],
        "url": _absolute(path),
        "identifier": work.doi_url,
        "license": work.licence_url or work.licence,
        "creator": [_creator(author) for author in work.authors],
        "datePublished": str(work.publication_year or ""),
        "publisher": {"@type": "Organization", "name": site().publisher} if site().publisher else "",
        "includedInDataCatalog": {"@type": "DataCatalog", "name": site().title, "url": environment().site_url},
        "isAccessibleForFree": True,
    }
    return {key: value for key, value in said.items() if value not in ("", [])}


def _creator(author: Author) -> dict[str, Any]:
    kind = "Person" if "," in author.name or author.orcid else "Organization"
    said: dict[str, Any] = {"@type": kind, "name": author.name}
    if author.orcid:
        said["@id"] = f"https://orcid.org/{author.orcid}"
    if author.affiliation:
        ror = {"@id": f"https://ror.org/{author.ror}"} if author.ror else {}
        said["affiliation"] = {"@type": "Organization", "name": author.affiliation, **ror}
    return said


def _absolute(path: str) -> str:
    return f"{environment().site_url}{path}"


def _path(table: Table) -> tuple[str, str]:
    return table.schema, table.name


def _written(dataset: dict[str, Any]) -> str:
    return json.dumps(dataset, ensure_ascii=False).translate(_ESCAPES)
