"""Documents as YAML: read as they were meant, and written in one place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from almagest_operator.model.text import as_yaml

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("text", ["12e4567890", "0o17", "08", "1e+5", "y", ".5", "0X1", "yes", "1:30", "", "~"])
def test_what_somebody_may_take_for_a_number_or_a_truth_value_has_quotes(text: str) -> None:
    assert as_yaml({"a": text}) == f"a: '{text}'\n"


@pytest.mark.parametrize("text", ["sha256:0e1", "0.1.0", "10.0.0.1", "gaia", "1d", "100m", "2Gi", "yesterday"])
def test_other_texts_have_none(text: str) -> None:
    assert as_yaml({"a": text}) == f"a: {text}\n"


def test_values_stay_what_they_are() -> None:
    values = [1, -1, 1.5, 1e30, True, False, None, "1", "text"]
    assert yaml.safe_load(as_yaml(values)) == values


def test_nothing_for_kubectl_is_written_otherwise() -> None:
    sources = [*(ROOT / "operator").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    texts = {path: path.read_text() for path in sources if path.name not in ("text.py", Path(__file__).name)}
    otherwise = [
        str(path.relative_to(ROOT))
        for path, text in texts.items()
        if ("stdin=yaml." in text or "operator" in path.relative_to(ROOT).parts[:1]) and "yaml.safe_dump" in text
    ]
    assert otherwise == []
