"""Paths under /auth/."""

from __future__ import annotations

from django.urls import path

from almagest.accounts import views

app_name = "accounts"

urlpatterns = [path("login", views.login, name="login"), path("logout", views.logout, name="logout")]
