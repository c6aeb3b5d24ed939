"""The WSGI application that the web server calls."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

from almagest.config.environment import use_settings
from almagest.dali.body import UNREADABLE, MeasuredBodies
from almagest.query import limits


class Request(WSGIRequest):
    """A request that can be made of whatever comes."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Where a charset is named, Django reads the address here, outside everything that answers what is wrong with
        # it. Whoever reads it later finds the same; a content type that is none is as one that was not sent.
        self.content_type, self.content_params = "", {}
        with suppress(*UNREADABLE):
            super()._set_content_type_params(meta)  # type: ignore[misc] # the stubs leave it out


class Handler(WSGIHandler):
    """Django's, with such requests."""

    request_class = Request


use_settings()
django.setup(set_prefix=False)
application = MeasuredBodies(Handler(), limits.BODY_BYTES)
