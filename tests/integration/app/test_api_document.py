"""Made-up requests of everything that the OpenAPI document allows, and of what it does not: each is answered as the
document says, and none makes the server fail."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from support.archive import Archive

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]

Operation = schemathesis.APIOperation[Any, Any, Any, Any]

bounded = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def operations(archive: Archive) -> list[Operation]:
    """Of the document that the archive serves, none of which runs a query of the made-up texts for long."""
    document = requests.get(f"{archive.url}/api/v1/schema/", timeout=60).json()
    found = list(schemathesis.openapi.from_dict(document).get_all_operations())
    return [each.ok() for each in found if isinstance(each, Ok)]


def test_made_up_requests_are_answered_as_the_document_says(archive: Archive, operations: list[Operation]) -> None:
    assert len(operations) > 15
    asked, failures = set(), []
    for operation in operations:
        for mode in MODES:
            strategy = operation.as_strategy(generation_mode=mode)

            @bounded
            @given(case=strategy)
            def answered(case: schemathesis.Case[Any]) -> None:
                answer = case.call(base_url=archive.url, timeout=60)
                case.validate_response(answer, checks=CHECKS)

            try:
                answered()
                asked.add(operation.label)
            except (Unsatisfiable, schemathesis.errors.SerializationNotPossible):
                # Of a route without parameters no request is wrong; a body of bytes is for the test below.
                continue
            except FailureGroup as group:
                failures += [f"{operation.label}: {failure.title}: {failure.message}" for failure in group.exceptions]
    assert not failures, "\n".join(failures)
    assert asked == {operation.label for operation in operations}


@bounded
@given(data=st.data())
def test_bytes_that_are_no_request_are_refused(archive: Archive, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(["jobs", "check", "search", "resolve", "tables/x", "jobs/x", "jobs/x/abort"]))
    method = data.draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]))
    body = data.draw(st.binary(max_size=200))
    query = data.draw(st.text(alphabet="abqn=&%+;0fF[]", max_size=40))
    url = f"{archive.url}/api/v1/{path}?{query}"
    answer = requests.request(method, url, data=body, timeout=60, allow_redirects=False)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
