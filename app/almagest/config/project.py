"""The Django project as it is everywhere: applications, middleware, security. It needs no environment, so that type
checks and tests of pure parts can load it; `settings` adds what differs from one archive to the next."""

from __future__ import annotations

from typing import Any

DEBUG = False

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "almagest.accounts",
    "almagest.metadata",
    "almagest.pages",
    "almagest.query",
    "almagest.tap",
    "almagest.conesearch",
    "almagest.datalink",
    "almagest.workbench",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "almagest.processes.headers.ResponseHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "almagest.processes.urls"
WSGI_APPLICATION = "almagest.processes.wsgi.application"
APPEND_SLASH = False  # VO clients post to exact URLs, and a redirect would lose the body

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["almagest.pages.context.site"]},
    }
]

# What every route has, `almagest.api.face` says; this is what it cannot.
REST_FRAMEWORK: dict[str, Any] = {
    "EXCEPTION_HANDLER": "almagest.api.face.failed",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_PERMISSION_CLASSES": [],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Almagest",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "EXTENSIONS_INFO": {},
}

AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MAX_AGE = 3600
# Django puts a hash into the names of its files, Vite into those of the front end.
WHITENOISE_IMMUTABLE_FILE_TEST = r"(\.[0-9a-f]{12}\.\w+|/frontend/assets/[^/]+)$"

# The proxy is the only way in (a network policy keeps it so); it sets both headers itself and passes none from outside.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
USE_X_FORWARDED_HOST = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Every cookie is named almagest_*: the proxy keeps those from WordPress.
CSRF_COOKIE_NAME = "almagest_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "almagest.accounts.sessions"
SESSION_COOKIE_NAME = "almagest_session"
SESSION_COOKIE_SAMESITE = "Lax"
