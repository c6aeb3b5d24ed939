"""Paths of the workbench."""

from __future__ import annotations

from django.urls import path

from almagest.workbench import views

app_name = "query"
urlpatterns = [
    path("", views.workbench, name="workbench"),
    path("jobs/", views.workbench, name="jobs"),
    path("jobs/<str:job_id>/", views.workbench, name="job"),
]
