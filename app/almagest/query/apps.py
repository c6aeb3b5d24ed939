"""Django's name for this package."""

from __future__ import annotations

from django.apps import AppConfig


class Query(AppConfig):
    """Jobs live in the application's database, their results in the data database's schema `results`."""

    name = "almagest.query"
    label = "query"
