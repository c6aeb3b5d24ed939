"""Tables that come with a job, and tables that users keep."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("query", "0002_owners_and_quotas"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField("job", "uploads", models.JSONField(default=list)),
        migrations.AddField("job", "uploaded", models.PositiveSmallIntegerField(default=0)),
        migrations.CreateModel(
            "UserTable",
            [
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("owner", models.CharField(max_length=63)),
                ("name", models.CharField(max_length=63)),
                ("columns", models.JSONField(default=list)),
                ("nrows", models.BigIntegerField(default=0)),
                ("nbytes", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            {"constraints": [models.UniqueConstraint(fields=("owner", "name"), name="user_table_name")]},
        ),
    ]
