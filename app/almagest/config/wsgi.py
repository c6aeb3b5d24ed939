"""The WSGI application that the web server calls."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

from almagest.config.body import MeasuredBodies
from almagest.config.environment import use_settings
from almagest.query import limits

use_settings()
application = MeasuredBodies(get_wsgi_application(), limits.BODY_BYTES)
