"""What every page has in common: who asks is known, and wrong credentials get a page that says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from almagest.accounts.authentication import identify
from almagest.accounts.errors import AccountError
from almagest.dali.problem import finished, problem

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A page to look at, or one that says why the credentials that came with the request are refused.

    What it shows depends on who asks, so no cache between us and them may keep it.
    """

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponse:
        try:
            identify(request)
            response = view(request, **named)
        except AccountError as error:
            told = problem(error, request.path)
            response = finished(render(request, "pages/refused.html", {"error": error}, status=told.status), told)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ("Authorization", "Cookie"))
        return response

    return answer
