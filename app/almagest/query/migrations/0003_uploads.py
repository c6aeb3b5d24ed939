"""What a job's tables of UPLOAD are called and hold."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("query", "0002_owners_and_quotas")]

    operations: ClassVar = [
        migrations.AddField("job", "uploads", models.JSONField(default=list)),
        migrations.AddField("job", "uploaded", models.PositiveSmallIntegerField(default=0)),
    ]
