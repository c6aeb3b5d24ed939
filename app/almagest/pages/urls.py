"""Paths of the pages."""

from __future__ import annotations

from django.urls import path

from almagest.pages import views

app_name = "pages"
urlpatterns = [
    path("", views.home, name="home"),
    path("tables/<str:schema>.<str:table>", views.table, name="table"),
    path("robots.txt", views.robots, name="robots"),
]
