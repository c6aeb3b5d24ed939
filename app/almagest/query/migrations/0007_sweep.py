"""When the last sweep began, for all workers to see."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models.functions import Now


def first_sweep(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("query", "Sweep").objects.create()


class Migration(migrations.Migration):
    dependencies: ClassVar = [("query", "0006_visitors_together")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Sweep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begun_at", models.DateTimeField(db_default=Now())),
            ],
        ),
        migrations.RunPython(first_sweep),
    ]
