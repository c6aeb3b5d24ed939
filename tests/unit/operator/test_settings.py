"""Settings, log lines, and the small things around the loop."""

from __future__ import annotations

import json
import logging
import re

import pytest

from almagest_operator import logging as jsonlog
from almagest_operator.apply.values import draw
from almagest_operator.handlers import bearer_token
from almagest_operator.model.dns import DNS
from almagest_operator.settings import InvalidSettingError, Settings, from_environment


def test_defaults_watch_everything_without_election() -> None:
    found = from_environment({"POD_NAME": "x"})
    assert found == Settings(identity="x")
    assert not found.elects


def test_namespaces_are_split_and_sorted() -> None:
    assert from_environment({"WATCH_NAMESPACE": " b, a,,b"}).watch_namespaces == ("a", "b")


def test_two_replicas_elect() -> None:
    assert from_environment({"OPERATOR_REPLICAS": "2"}).elects


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCURRENCY", "0"),
        ("HEALTH_PORT", "http"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("DNS_PEERS", "10.96.0.10"),
        ("DNS_PEERS", "[{}]"),
        ("DNS_PEERS", "[{'ports': []}]"),
        ("DNS_PORTS", "dns"),
        ("DNS_PORTS", "0"),
    ],
)
def test_a_wrong_setting_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidSettingError, match="^" + re.escape(f"{name}={value!r}: ")):
        from_environment({name: value})


def test_name_servers_are_the_usual_ones_unless_they_are_named() -> None:
    assert from_environment({"DNS_PEERS": "[]", "DNS_PORTS": ""}).dns == DNS()
    found = from_environment({"DNS_PEERS": '[{"ipBlock": {"cidr": "10.96.0.10/32"}}]', "DNS_PORTS": "53, 1053"}).dns
    assert found == DNS(({"ipBlock": {"cidr": "10.96.0.10/32"}},), (53, 1053))


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "abc"])
def test_the_token_is_found_however_it_is_introduced(header: str) -> None:
    assert bearer_token(header) == "abc"


def test_certificates_need_no_token() -> None:
    assert bearer_token(None) is None


def test_a_log_line_is_json_with_its_context() -> None:
    record = logging.makeLogRecord(
        {"name": "n", "levelno": 20, "levelname": "INFO", "msg": "%s is up", "args": ("it",), "more": 1}
    )
    with jsonlog.context(archive="ns/gaia"), jsonlog.context(reconcile="1"):
        line = json.loads(jsonlog.JsonFormatter().format(record))
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "n",
        "message": "it is up",
        "archive": "ns/gaia",
        "reconcile": "1",
        "more": 1,
    }
    assert "archive" not in json.loads(jsonlog.JsonFormatter().format(record))


def test_values_are_drawn_for_missing_keys_alone_and_never_twice_the_same() -> None:
    first, second = draw({"a": 32, "b": 64}, existing=["b"]), draw({"a": 32})
    assert set(first) == {"a"}
    assert first != second
