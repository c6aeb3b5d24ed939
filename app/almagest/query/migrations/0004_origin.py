"""Which tables a job's result was read from, so that a download can name their authors."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("query", "0003_uploads")]

    operations: ClassVar = [migrations.AddField("job", "tables", models.JSONField(default=list))]
