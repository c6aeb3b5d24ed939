"""Paths under /auth/."""

from __future__ import annotations

from django.urls import path

from almagest.auth import views

app_name = "auth"

urlpatterns = [path("login", views.login, name="login"), path("logout", views.logout, name="logout")]
