"""Who publishes the archive and what people read about it; handed to the application as `site.json`."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, field_validator

from almagest_operator.model.base import Model, Text, rule

_HOSTNAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"


class Contact(Model):
    """Whom users write to."""

    name: Annotated[str, Field(max_length=200, description="Person, group or help desk.")] = ""
    email: Annotated[
        str,
        Field(
            max_length=254,
            pattern=r"^[^@\s]+@[^@\s]+$",
            description="Address that users write to; shown publicly and given to the IVOA registry.",
        ),
    ]
    url: Annotated[
        str | None, Field(max_length=2000, pattern=r"^https?://", description="Page that says more, e.g. a help desk.")
    ] = None


class Site(Model):
    """Name, people and terms of the archive."""

    model_config = ConfigDict(
        json_schema_extra={"x-kubernetes-validations": [rule("self.title.trim() != ''", "title is blank", ".title")]}
    )

    title: Annotated[str, Field(min_length=1, max_length=200, description="Name of the archive, as on its home page.")]
    description: Annotated[Text, Field(description="What the archive holds, in a paragraph or two.")] = ""
    hostname: Annotated[
        str | None,
        Field(
            max_length=253,
            pattern=_HOSTNAME,
            description="Host name that users type. Required for Ingress; a NodePort falls back on the node's address.",
        ),
    ] = None
    publisher: Annotated[str, Field(min_length=1, max_length=200, description="Institution that publishes it.")]
    contact: Annotated[Contact, Field(description="Whom users write to.")]
    authority: Annotated[
        str | None,
        Field(
            max_length=253,
            pattern=r"^[a-z0-9][-a-z0-9.]{2,}$",
            description="IVOA authority identifier, the first part of every `ivo://` name that the archive gives.",
        ),
    ] = None
    acknowledgement: Annotated[Text, Field(description="Sentence that papers using the data are asked to print.")] = ""

    @field_validator("title")
    @classmethod
    def _title_is_not_blank(cls, title: str) -> str:
        if not title.strip():
            raise ValueError("title is blank")
        return title
