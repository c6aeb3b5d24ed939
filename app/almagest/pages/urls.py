"""Paths of the pages."""

from __future__ import annotations

from django.urls import path

from almagest.pages import data, moved, search, views

app_name = "pages"
urlpatterns = [
    path("", views.home, name="home"),
    path("docs/", views.docs, name="docs"),
    path("data/", data.overview, name="data"),
    path("data/<str:schema>/", data.schema, name="schema"),
    path("data/<str:schema>/<str:table>/", data.table, name="table"),
    path("search", search.search, name="search"),
    path("robots.txt", views.robots, name="robots"),
    # Addresses that this site or its predecessor published, and those without their last slash.
    path("data", moved.to_data),
    path("metadata/", moved.to_data),
    path("data/<str:schema>", moved.to_schema),
    path("metadata/<str:schema>/", moved.to_schema),
    path("data/<str:schema>/<str:table>", moved.to_table),
    path("metadata/<str:schema>/<str:table>/", moved.to_table),
    path("serve/table/<str:schema>/<str:table>/", moved.to_table),
    path("tables/<str:schema>.<str:table>", moved.to_table),
    path("query/<uuid:job>/", moved.to_job),
]
