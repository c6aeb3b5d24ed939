"""What the operator finds when it visits an archive as its users do: through the proxy's Service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

APPLICATION = "/health/ready"
WORDPRESS = "/cms/health.php"
"""Paths behind the proxy that answer 200 when the part behind them serves (docs/contracts.md)."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. status: 0 when there was none; body: the beginning of it, or why there was none."""

    status: int
    body: str = ""

    @property
    def trouble(self) -> str:
        """Empty when it is well."""
        if self.status == 0:
            return self.body
        return "" if self.status == 200 else f"HTTP {self.status}"


@dataclass(frozen=True)
class Look:
    """application, wordpress: what is wrong with their answers, empty when they serve, or are not asked. impaired:
    component → what the application says of it; of these the application can do without."""

    application: str = ""
    wordpress: str = ""
    impaired: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return self == Look()


def judge(application: Answer, wordpress: Answer | None) -> Look:
    """From the answers to the two requests; wordpress: None where the archive has none."""
    checks = _checks(application.body)
    if application.trouble:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in checks.items())
        trouble = f"{application.trouble} ({reasons})" if reasons else application.trouble
        return Look(application=trouble, wordpress=wordpress.trouble if wordpress else "")
    return Look(wordpress=wordpress.trouble if wordpress else "", impaired=checks)


def _checks(body: str) -> Mapping[str, str]:
    """Of the application's answer the dependencies that do not answer it, with the reason; {} of any other text."""
    try:
        found = json.loads(body)["checks"]
        return {str(name): str(reason) for name, reason in sorted(found.items()) if reason != "ok"}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
