"""What users are told about PostgreSQL's errors."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from almagest.query.errors import (
    BusyError,
    ForbiddenError,
    InternalError,
    QueryError,
    QueryTimeoutError,
    RefusedByDatabaseError,
)
from almagest.query.failures import explain


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (errors.QueryCanceled(), QueryTimeoutError),
        (errors.LockNotAvailable(), BusyError),
        (errors.DivisionByZero(), RefusedByDatabaseError),
        (errors.NumericValueOutOfRange(), RefusedByDatabaseError),
        (errors.DiskFull(), RefusedByDatabaseError),
        (errors.ConfigurationLimitExceeded(), RefusedByDatabaseError),
        (errors.StatementTooComplex(), RefusedByDatabaseError),
        (errors.InternalError_(), RefusedByDatabaseError),
        (errors.AdminShutdown(), BusyError),
        (errors.CrashShutdown(), BusyError),
        (psycopg.OperationalError("connection to server at 10.0.0.7 failed"), BusyError),
        (errors.InsufficientPrivilege(), ForbiddenError),
        (errors.UndefinedTable(), InternalError),
        (errors.ReadOnlySqlTransaction(), InternalError),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else type(value).__name__,
)
def test_each_kind_has_its_words(error: psycopg.Error, told: type[QueryError]) -> None:
    explained = explain(error, "Take a job.")
    assert type(explained) is told
    assert "10.0.0.7" not in str(explained)


def test_a_timeout_says_what_to_do() -> None:
    assert str(explain(errors.QueryCanceled(), "Take a job.")).endswith("Take a job.")


def test_what_is_too_large_is_told() -> None:
    told = str(explain(errors.ProgramLimitExceeded("row is too big: size 12824, maximum size 8160"), ""))
    assert "row is too big: size 12824" in told
