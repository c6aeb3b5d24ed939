"""A quota of jobs that were created and never started."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("query", "0004_origin")]

    operations: ClassVar = [
        migrations.AddField("quota", "pending", models.PositiveIntegerField(null=True)),
        migrations.AddIndex(
            "job", models.Index(fields=["owner"], name="job_pending", condition=models.Q(phase="PENDING"))
        ),
    ]
