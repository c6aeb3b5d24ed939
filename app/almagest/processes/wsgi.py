"""The WSGI application that the web server calls."""

from __future__ import annotations

from functools import partial

import django
from django.core.handlers.wsgi import WSGIHandler

from almagest.config.environment import use_settings
from almagest.dali.body import Request
from almagest.query import limits


class Handler(WSGIHandler):
    """Django's, with requests of our own."""

    request_class = partial(Request, most=limits.BODY_BYTES)  # type: ignore[assignment] # Django only calls it


use_settings()
django.setup(set_prefix=False)
application = Handler()
