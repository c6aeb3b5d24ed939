"""Published schemas, tables and columns with what VODataService 1.2 and TAP 1.1 §4 say about them.

The rows describe tables of the *data* database; `almagest.ingest` writes them after the table itself. Everything that
changes what a visitor may see goes through `almagest.metadata.publish`, which also moves the revision on.
"""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone

from almagest.metadata.levels import Level


class Guarded(models.Model):
    """Something with a level for its data and another one for its metadata.

    access_groups, metadata_groups: whose members a private level admits; without any it admits nobody.
    """

    access_level = models.CharField(max_length=8, choices=Level, default=Level.PUBLIC)
    access_groups = models.ManyToManyField(Group, related_name="+", blank=True)
    metadata_level = models.CharField(max_length=8, choices=Level, default=Level.PUBLIC)
    metadata_groups = models.ManyToManyField(Group, related_name="+", blank=True)

    class Meta:
        abstract = True


class Schema(Guarded):
    """A schema of the data database and the work that it holds: one catalogue release, its authors and its terms."""

    name = models.CharField(max_length=63, unique=True)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    utype = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=200, blank=True, help_text="name of the licence, e.g. CC BY-SA 3.0 IGO")
    licence_url = models.URLField(blank=True)
    acknowledgement = models.TextField(blank=True, help_text="what users are asked to write in their papers")
    reference_url = models.URLField(blank=True, help_text="a page about the catalogue")
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("order", "name")

    def __str__(self) -> str:
        return self.name


class Creator(models.Model):
    """An author of a schema's data, in the order of citation."""

    schema = models.ForeignKey(Schema, models.CASCADE, related_name="creators")
    name = models.CharField(max_length=200)
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("order",)
        constraints = (models.UniqueConstraint(fields=("schema", "order"), name="creator_order_unique"),)

    def __str__(self) -> str:
        return self.name


class Table(Guarded):
    """A table of the data database.

    ra_column, dec_column: ICRS degrees, float8, with a pgSphere index on `spoint(radians(ra), radians(dec))`; both
    or none.
    """

    schema = models.ForeignKey(Schema, models.CASCADE, related_name="tables")
    name = models.CharField(max_length=63)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    utype = models.CharField(max_length=200, blank=True)
    nrows = models.BigIntegerField()
    ra_column = models.CharField(max_length=63, blank=True)
    dec_column = models.CharField(max_length=63, blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("schema", "order", "name")
        constraints = (
            models.UniqueConstraint(fields=("schema", "name"), name="table_name_unique"),
            models.CheckConstraint(
                condition=models.Q(ra_column="", dec_column="") | ~models.Q(ra_column="") & ~models.Q(dec_column=""),
                name="table_position_complete",
            ),
        )

    def __str__(self) -> str:
        return f"{self.schema.name}.{self.name}"


class ForeignKey(models.Model):
    """Columns of a table that name rows of another one, by whose name they can be joined; it may be loaded later.

    columns: pairs [here, there] of names.
    """

    table = models.ForeignKey(Table, models.CASCADE, related_name="foreign_keys")
    target_schema = models.CharField(max_length=63)
    target_table = models.CharField(max_length=63)
    columns = models.JSONField()
    description = models.TextField(blank=True)
    utype = models.CharField(max_length=200, blank=True)
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("order",)
        constraints = (models.UniqueConstraint(fields=("table", "order"), name="foreign_key_order_unique"),)

    def __str__(self) -> str:
        return f"{self.table} → {self.target_schema}.{self.target_table}"


class Column(Guarded):
    """A column, with the fields of TAP_SCHEMA.columns. indexed: a condition on it is fast; principal: shown first."""

    table = models.ForeignKey(Table, models.CASCADE, related_name="columns")
    name = models.CharField(max_length=63)
    datatype = models.CharField(max_length=12)
    arraysize = models.CharField(max_length=20, blank=True)
    xtype = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=80, blank=True)
    ucd = models.CharField(max_length=200, blank=True)
    utype = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    indexed = models.BooleanField(default=False)
    principal = models.BooleanField(default=False)
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("order",)
        constraints = (models.UniqueConstraint(fields=("table", "name"), name="column_name_unique"),)

    def __str__(self) -> str:
        return self.name


class Function(Guarded):
    """A function that queries may call and that has a level. name: as in ADQL. One without a row is everybody's."""

    name = models.CharField(max_length=63, unique=True)

    def __str__(self) -> str:
        return self.name


class Revision(models.Model):
    """One row that counts the changes to the published metadata, so that every process knows when its copy is old.

    changed: when the last one was made.
    """

    number = models.BigIntegerField(default=0)
    changed = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.number)


class Example(models.Model):
    """A query worth trying, which came with the description of a table (DALI examples 1.0)."""

    table = models.ForeignKey(Table, models.CASCADE, related_name="examples")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    query = models.TextField()
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("table", "order")
        constraints = (models.UniqueConstraint(fields=("table", "order"), name="example_order_unique"),)

    def __str__(self) -> str:
        return self.name
