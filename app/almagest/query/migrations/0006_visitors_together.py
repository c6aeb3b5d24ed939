"""A quota of all visitors together, and what is counted for it and for jobs that have ended."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

NOBODYS = models.Q(("owner", ""), ("user", None))
VISITORS = models.Q(("user", None), models.Q(("owner", ""), _negated=True))
ENDED = models.Q(("phase__in", ("COMPLETED", "ERROR", "ABORTED")))


class Migration(migrations.Migration):
    dependencies: ClassVar = [("query", "0005_pending")]

    operations: ClassVar = [
        migrations.AlterField(
            "quota",
            "kind",
            models.CharField(
                choices=[
                    ("nobody", "Nobody"),
                    ("guest", "Guest"),
                    ("guests", "Guests"),
                    ("user", "User"),
                    ("group", "Group"),
                ],
                max_length=6,
            ),
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                fields=["owner"],
                include=("nbytes", "nrows"),
                name="job_usage_of_visitors",
                condition=VISITORS & models.Q(("nbytes__isnull", False)),
            ),
        ),
        migrations.AddIndex(
            "job", models.Index(fields=["phase", "-ended_at"], name="job_ended_of_nobody", condition=NOBODYS & ENDED)
        ),
        migrations.AddIndex(
            "job", models.Index(fields=["phase", "-ended_at"], name="job_ended_of_visitors", condition=VISITORS & ENDED)
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                fields=["owner", "phase", "-ended_at"],
                include=("id",),
                name="job_ended_of_visitor",
                condition=VISITORS & ENDED,
            ),
        ),
    ]
