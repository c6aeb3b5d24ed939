"""What `almagest render` writes is read by kubectl as it was meant."""

from __future__ import annotations

import json
import random
import string

import pytest

from almagest_operator.model.text import as_yaml
from support.apiserver import ApiServer

pytestmark = pytest.mark.integration

LOOK_ALIKE = (
    "12e45", "1e10", "1E5", "0o17", "-0o7", "0O7", "0b1", "0B1", "0x1F", "0X1", "1_0", "1_000.5", ".5", "1.", "+1",
    "-1", "1e+5", "1e", "1e1_0", "1.5e3", "12.e4", "08", "09", "0123", "12345678901234567890", "1:30", "12:30:45",
    "2001-01-01", ".inf", ".NaN", "y", "n", "Y", "N", "yes", "on", "off", "true", "True", "null", "~", "=", "<<",
    "", " ", "-", "- a", "a: b", "#", "&a", "*a", "!a", "0.1.0",
    "10.0.0.1", "1d", "é", "🔭", "a\nb", "'", '"', "@", "`", "%", "\t",
)  # fmt: skip


def test_every_text_is_a_text(server: ApiServer) -> None:
    drawn = random.Random(20261201)
    digests = ["".join(drawn.choices("0123456789e", k=length)) for length in (3, 6, 10, 12) for _ in range(200)]
    words = ["".join(drawn.choices(string.hexdigits + "_.+-xob", k=4)) for _ in range(400)]
    texts = {f"k{number}": text for number, text in enumerate((*LOOK_ALIKE, *digests, *words))}
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"}, "data": texts}
    read = server.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", stdin=as_yaml(whole))
    assert json.loads(read)["data"] == texts
