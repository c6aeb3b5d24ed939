"""`almagest-app quota` and `user remove`: what operators let people store and run, and what they take from them."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import asdict

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from almagest.config.environment import ConfigurationError
from almagest.query import limits, quotas
from almagest.query.models import Job, Quota
from almagest.query.uws import jobs

UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(rf"(\d{{1,15}})\s*({'|'.join(UNITS)})")
_NUMBERS = ("nrows", "active", "pending", "executing")
_HEADER = ("WHO", "BYTES", "ROWS", "ACTIVE", "PENDING", "EXECUTING")


def parse_size(text: str) -> int:
    """A number of bytes as an operator writes it, e.g. `20GiB`. Raises ConfigurationError."""
    if not (found := _SIZE.fullmatch(text)):
        raise ConfigurationError(f"{text!r} is no size such as 500MiB or 20GiB")
    return int(found[1]) * UNITS[found[2]]


def show() -> int:
    """Print the defaults and what differs from them; a dash where the default holds."""
    rows: list[tuple[str, ...]] = [_HEADER]
    rows += [_row(kind, asdict(allowance)) for kind, allowance in limits.ALLOWANCES.items()]
    for quota in Quota.objects.order_by("kind", "name"):
        whom = f"{quota} (changed)" if not quota.name else str(quota)
        rows.append(_row(whom, {name: getattr(quota, name) for name in ("nbytes", *_NUMBERS)}))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADER))]
    for row in rows:
        print("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
    return 0


def change(kind: str, name: str, wanted: Mapping[str, int | None]) -> int:
    """Let a kind of askers, a group or one user have so much from now on.

    wanted: numbers of `limits.Allowance` by name, None where nothing changes; without any of them the default holds
    again.
    """
    if problem := _unknown(kind, name):
        print(f"almagest-app quota: {problem}", file=sys.stderr)
        return 1
    changes = {field: value for field, value in wanted.items() if value is not None}
    if changes:
        Quota.objects.update_or_create(kind=kind, name=name, defaults=changes)
    else:
        Quota.objects.filter(kind=kind, name=name).delete()
    return 0


def remove_user(name: str) -> int:
    """Forget a user with tokens, jobs and tables; the account in the data database, and what it holds there, go with
    the next sweeps."""
    user = get_user_model().objects.filter(username=name).first()
    if user is None:
        print(f"almagest-app user remove: there is no user {name!r}", file=sys.stderr)
        return 1
    with transaction.atomic():
        for job in Job.objects.filter(user=user).only("pk"):
            jobs.delete(job)
        Quota.objects.filter(kind=Quota.Kind.USER, name=name).delete()
        user.delete()
    return 0


def _unknown(kind: str, name: str) -> str | None:
    """What is wrong with this quota's name."""
    match kind:
        case Quota.Kind.USER if name and not get_user_model().objects.filter(username=name).exists():
            return f"there is no user {name!r}"
        case Quota.Kind.GROUP if not Group.objects.filter(name=name).exists():
            return f"there is no group {name!r}"
        case Quota.Kind.NOBODY | Quota.Kind.GUEST | Quota.Kind.GUESTS if name:
            return f"a quota of {kind} takes no name"
    return None


def _row(whom: str, numbers: Mapping[str, int | None]) -> tuple[str, ...]:
    nbytes = numbers["nbytes"]
    told = [f"{numbers[name]:,}" if numbers[name] is not None else "-" for name in _NUMBERS]
    return (whom, "-" if nbytes is None else quotas.size(nbytes), *told)
