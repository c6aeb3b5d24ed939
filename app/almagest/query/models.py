"""Jobs of UWS 1.1, one row each. Only `almagest.query.jobs` changes their phase."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now


class Phase(models.TextChoices):
    """Phases of UWS 1.1 §2.1.3 that our jobs can be in."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"


ACTIVE = (Phase.PENDING, Phase.QUEUED, Phase.EXECUTING)
"""Phases that something or somebody will still change."""


class Job(models.Model):
    """A query that runs after the request that asked for it.

    parameters: TAP's, by upper-case name, values as sent. execution_duration: seconds that it may run; queue: the time
    class that follows from it. attempt: which run this is; a worker acts on a row only while it is the attempt that the
    worker began. alive_at: when that worker last said that it runs; it says so every few seconds.
    columns: of the result table `results."job_<id>"`, as dictionaries of `almagest.adql.catalogue.Column`, in the order
    of the table's columns c1, c2, …; nrows: rows in it; overflow: whether a limit cut it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.PENDING)
    run_id = models.CharField(max_length=64, blank=True)
    parameters = models.JSONField(default=dict)
    queue = models.CharField(max_length=63)
    execution_duration = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now())
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    destruction_at = models.DateTimeField()
    attempt = models.PositiveSmallIntegerField(default=0)
    alive_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    error_is_transient = models.BooleanField(default=False)
    columns = models.JSONField(null=True)
    nrows = models.BigIntegerField(null=True)
    overflow = models.BooleanField(default=False)

    class Meta:
        indexes = (
            # The scheduler looks for these every few seconds, among very many finished jobs.
            models.Index(
                fields=("phase",), name="job_waiting_or_running", condition=models.Q(phase__in=("QUEUED", "EXECUTING"))
            ),
            models.Index(fields=("destruction_at",), name="job_destruction"),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.phase}"

    @property
    def result_table(self) -> str:
        """The name of its result table in the schema `results`."""
        return f"job_{self.id}"

    @property
    def finished(self) -> bool:
        """Whether its phase is its last one."""
        return self.phase not in ACTIVE
