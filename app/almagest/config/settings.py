"""Django's settings in a running archive: the project plus what the environment says."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from almagest.config.environment import LOST_MILLISECONDS, environment
from almagest.config.logging import configuration
from almagest.config.project import *  # noqa: F403 - Django reads settings as one flat module

_environment = environment()
_https = urlsplit(_environment.site_url).scheme == "https"

SECRET_KEY = _environment.secret("django/secret-key")
ALLOWED_HOSTS = _environment.hosts
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(_environment.site_url))]
CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https and _environment.environment == "production" else 0

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _environment.appdb_host,
        "PORT": _environment.appdb_port,
        "NAME": _environment.appdb_name,
        "USER": _environment.appdb_user,
        "PASSWORD": _environment.secret("appdb/owner-password"),
        "OPTIONS": {
            "connect_timeout": 5,
            "tcp_user_timeout": LOST_MILLISECONDS,
            "application_name": f"almagest {_environment.archive}",
            "pool": {"min_size": 1, "max_size": _environment.appdb_connections, "timeout": 5},
        },
    }
}

# Migration and ingest are given no way to the cache, so they have Django's own, which lives as long as the process.
if _environment.has_secret("cache/password"):
    _password = quote(_environment.secret("cache/password"), safe="")
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://:{_password}@{_environment.cache_host}:{_environment.cache_port}/0",
            "KEY_PREFIX": "almagest",
            # It answers within a millisecond or is away, and what it holds may be missing.
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
    }

STATIC_ROOT = _environment.static_dir
# A process that serves no pages needs none, and an installation may have been built without.
STATICFILES_DIRS = [("frontend", _environment.frontend_dir)] if _environment.frontend_dir.is_dir() else []
LOGGING = configuration(_environment.log_level)
