"""Addresses that moved: those of earlier releases, and those of the system that archives had before."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from almagest.pages.address import schema_url, table_url


@require_safe
def to_data(_: HttpRequest) -> HttpResponsePermanentRedirect:
    """To the page of all schemas."""
    return HttpResponsePermanentRedirect(reverse("pages:data"))


@require_safe
def to_schema(_: HttpRequest, schema: str) -> HttpResponsePermanentRedirect:
    """To the page of a schema, whether there is one or not: that page knows."""
    return HttpResponsePermanentRedirect(schema_url(schema))


@require_safe
def to_table(_: HttpRequest, schema: str, table: str) -> HttpResponsePermanentRedirect:
    """To the page of a table, whether there is one or not."""
    return HttpResponsePermanentRedirect(table_url(schema, table))


@require_safe
def to_job(_: HttpRequest, job: uuid.UUID) -> HttpResponsePermanentRedirect:
    """To a job in the workbench."""
    return HttpResponsePermanentRedirect(f"/query/?job={job}")
