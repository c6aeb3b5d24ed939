"""`/api/v1/schema/`: the API as an OpenAPI 3 document, of which clients and the front end's types are generated."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from almagest.api.face import Route
from almagest.dali.problem import PROBLEM_TYPE


class SchemaRoute(Route):
    """`/schema/`."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - it is the same for everybody
        """The document."""
        return Response(document())


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document, made once a process."""
    generator = SchemaGenerator(api_version="v1")  # type: ignore[no-untyped-call] # drf-spectacular types only what is outside
    made: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call] # as above
    return _with_problems(made)


def _with_problems(made: dict[str, Any]) -> dict[str, Any]:
    """The document with problems under their own media type (RFC 9457), and requests that need no credentials."""
    for methods in made["paths"].values():
        for described in methods.values():
            told = described["responses"]["default"]
            told["description"] = "What went wrong, and what to do."
            (content,) = told["content"].values()
            told["content"] = {PROBLEM_TYPE: content}
            described["security"] = [{}, *({name: []} for name in made["components"]["securitySchemes"])]
    return made
