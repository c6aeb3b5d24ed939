"""The common ground of the models: their configuration, and the scalar types with units."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

Schema = dict[str, Any]

QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
DURATION = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
_FACTORS = {
    "": 1.0,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "Pi": 2**50,
}


class Model(BaseModel):
    """A piece of a spec: camelCase outside, snake_case inside, immutable, no unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Lenient(Model):
    """A piece of an object that others write to as well: it drops unknown fields instead of refusing them."""

    model_config = ConfigDict(extra="ignore")


def amount(quantity: str) -> float:
    """A Kubernetes quantity as a number in its base unit (bytes or cores): `1Gi` → 1073741824.0, `250m` → 0.25."""
    match = re.match(QUANTITY, quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity such as 10Gi, 500m or 2")
    suffix = match.group(2) or ""
    return float(quantity.removesuffix(suffix)) * _FACTORS[suffix] if suffix else float(quantity)


def seconds(duration: str) -> int:
    """A duration such as `30s`, `1h` or `1h30m` in seconds."""
    parts = re.findall(r"([0-9]+)([hms])", duration)
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


def rule(expression: str, message: str, field_path: str = "") -> Schema:
    """One CEL rule of `x-kubernetes-validations`; the API server evaluates it, see `model/crd.py`."""
    found = {"rule": expression, "message": message}
    return {**found, "fieldPath": field_path} if field_path else found


def _bare_number(value: object) -> object:
    """YAML reads `cpu: 2` as a number; a quantity is text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    Field(pattern=QUANTITY, max_length=20, json_schema_extra={"x-kubernetes-int-or-string": True}),
    BeforeValidator(_bare_number),
]
"""An amount of bytes or cores as Kubernetes writes it; a bare whole number is accepted too."""

_DURATIONS = "from 1s to 168h"


def _within_a_week(duration: str) -> str:
    if not 1 <= seconds(duration) <= 168 * 3600:
        raise ValueError(f"{duration} is not {_DURATIONS}")
    return duration


Duration = Annotated[
    str,
    Field(
        pattern=DURATION,
        min_length=2,
        max_length=20,
        json_schema_extra={
            "x-kubernetes-validations": [
                rule("duration(self) >= duration('1s') && duration(self) <= duration('168h')", _DURATIONS)
            ]
        },
    ),
    AfterValidator(_within_a_week),
]
"""A length of time such as 30s, 5m or 1h30m."""

Text = Annotated[str, Field(max_length=10_000)]
"""Prose for people, up to ten thousand characters."""

StorageClassName = Annotated[
    str,
    Field(
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        json_schema_extra={"x-kubernetes-validations": [rule("self == oldSelf", "a volume cannot change its class")]},
    ),
]
"""The StorageClass of a volume."""
