"""Jobs of UWS 1.1, one row each, with quotas, tables that users keep, and the last sweep.

`almagest.query.uws` changes the phase of a job, by compare-and-set steps: `jobs` what people ask for, `claims`, `lease`
and `recovery` what workers and the scheduler do.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from almagest.accounts.identity import Identity


class Phase(models.TextChoices):
    """Phases of UWS 1.1 §2.1.3 that our jobs can be in. ARCHIVED: only the record is left, and for a while."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    ARCHIVED = "ARCHIVED"


ACTIVE = (Phase.PENDING, Phase.QUEUED, Phase.EXECUTING)
"""Phases that are not final."""

WITHOUT_RESULT = (Phase.PENDING, Phase.ERROR, Phase.ABORTED, Phase.ARCHIVED)
"""Phases in which a job has no result: a table that is left over from one is an orphan.

(A QUEUED job may have an earlier attempt's, which the next replaces.)"""


ENDED = (Phase.COMPLETED, Phase.ERROR, Phase.ABORTED)
"""Phases that a job of nobody's or of a visitor's stays in until it is forgotten."""

NOBODYS = models.Q(user=None, owner="")
"""Jobs of askers that cannot be told from one another."""

VISITORS = models.Q(user=None) & ~models.Q(owner="")
"""Jobs of visitors, who are told from one another by their cookies alone: anybody may be any number of them."""

SHARED_SCHEMA = "results"
"""Schema of the data database for results without an owner."""


class Job(models.Model):
    """A query that runs after the request that asked for it.

    owner: of `almagest.accounts.identity.Identity`, also the name of the role that the query runs under and of the
    schema of its result table; empty for nobody's; user: the owner's account, if it has one. table_name: under which
    the owner's queries find the result, `tap_user.<name>`.
    parameters: TAP's, by upper-case name, values as sent. execution_duration: seconds that it may run; queue: the time
    class that follows from it. attempt: which run this is; a worker acts on a row only while it is the attempt that the
    worker began. alive_at: when that worker last said that it runs; it says so every few seconds.
    columns: of the result table, as dictionaries of `almagest.catalogue.Column`, in the table's order; tables:
    (schema, name) of those that it was read from; nrows: rows in it; overflow: whether a limit cut it; nbytes: that it
    takes on disk, None as soon as there is none; until the job ends, what its uploads take. uploads: tables that came
    with it (`almagest.query.uws.submission`); uploaded: how many ever did.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=63, blank=True, default="", db_default="")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    table_name = models.CharField(max_length=63, blank=True, default="", db_default="")
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
    tables = models.JSONField(default=list)
    nrows = models.BigIntegerField(null=True)
    nbytes = models.BigIntegerField(null=True)
    overflow = models.BooleanField(default=False)
    uploads = models.JSONField(default=list)
    uploaded = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "table_name"), name="job_table_name", condition=~models.Q(table_name="")
            ),
        )
        indexes = (
            # Workers and the scheduler look for these every few seconds, among very many finished jobs.
            models.Index(
                fields=("phase", "queue", "owner", "queued_at"),
                name="job_waiting_or_running",
                condition=models.Q(phase__in=("QUEUED", "EXECUTING")),
            ),
            # An owner's are counted before every new job that is not started at once.
            models.Index(fields=("owner",), name="job_pending", condition=models.Q(phase="PENDING")),
            models.Index(fields=("destruction_at",), name="job_destruction"),
            models.Index(fields=("owner", "-created_at"), name="job_owner"),
            # Whose turn it is: see `almagest.query.uws.claims`.
            models.Index(
                fields=("owner", "queue", "started_at"),
                name="job_turn",
                condition=models.Q(started_at__isnull=False),
            ),
            # What an owner's results take is summed before every new job, out of the index alone.
            models.Index(
                fields=("owner",),
                include=("nbytes", "nrows"),
                name="job_usage",
                condition=models.Q(nbytes__isnull=False),
            ),
            # The same of all visitors together.
            models.Index(
                fields=("owner",),
                include=("nbytes", "nrows"),
                name="job_usage_of_visitors",
                condition=VISITORS & models.Q(nbytes__isnull=False),
            ),
            # Of these so many are kept of each phase, the newest; of each visitor's first.
            models.Index(
                fields=("phase", "-ended_at"), name="job_ended_of_nobody", condition=NOBODYS & models.Q(phase__in=ENDED)
            ),
            models.Index(
                fields=("phase", "-ended_at"),
                name="job_ended_of_visitors",
                condition=VISITORS & models.Q(phase__in=ENDED),
            ),
            models.Index(
                fields=("owner", "phase", "-ended_at"),
                include=("id",),
                name="job_ended_of_visitor",
                condition=VISITORS & models.Q(phase__in=ENDED),
            ),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.phase}"

    @property
    def result_table(self) -> str:
        """The name of its result table in the data database, whatever queries call it."""
        return f"job_{self.id}"

    @property
    def result_schema(self) -> str:
        """The schema of its result table: its owner's, or the one that is everybody's."""
        return self.owner or SHARED_SCHEMA

    @property
    def keeper(self) -> Identity:
        """Whose rights reach the result table, and where it is."""
        if self.user_id is not None:
            return Identity(user=self.user_id)
        return Identity(visitor=self.owner)

    @property
    def finished(self) -> bool:
        """Whether its phase is its last one."""
        return self.phase not in ACTIVE


class Sweep(models.Model):
    """One row: when the last sweep began (`almagest.query.uws.sweep`), so that of all workers one does the next."""

    begun_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.begun_at)


class UserTable(models.Model):
    """A table that a user keeps (`almagest.query.tables.usertables`); its owner's queries find it as `tap_user.<name>`.

    columns: as of a Job; nbytes: that it takes on disk, None until it is whole.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=63)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=63)
    columns = models.JSONField(default=list)
    nrows = models.BigIntegerField(default=0)
    nbytes = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="user_table_name"),)

    def __str__(self) -> str:
        return f"{self.owner} {self.name}"

    @property
    def stored_name(self) -> str:
        """The name of the table in its owner's schema, whatever queries call it."""
        return f"table_{self.id}"


class Quota(models.Model):
    """What some may take that differs from `almagest.query.limits.ALLOWANCES`.

    kind and name: whom it is for; a group or a single user by name, everybody of the kind without one; nobody's and
    guests' are each one quota for all of them together. The numbers are
    those of `limits.Allowance`, None where the default holds.
    """

    class Kind(models.TextChoices):
        """Kinds of askers."""

        NOBODY = "nobody"
        GUEST = "guest"
        GUESTS = "guests"
        USER = "user"
        GROUP = "group"

    kind = models.CharField(max_length=6, choices=Kind)
    name = models.CharField(max_length=150, blank=True)
    nbytes = models.BigIntegerField(null=True)
    nrows = models.BigIntegerField(null=True)
    active = models.PositiveIntegerField(null=True)
    pending = models.PositiveIntegerField(null=True)
    executing = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="quota_whom"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()
