"""The WSGI application that the web server calls."""

from __future__ import annotations

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from almagest.config.environment import use_settings

use_settings()
application: WSGIHandler = get_wsgi_application()
