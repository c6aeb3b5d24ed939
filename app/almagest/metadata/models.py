"""Published schemas, tables and columns with what VODataService 1.2 and TAP 1.1 §4 say about them.

The rows describe tables of the *data* database; `almagest.ingest` writes them after the table itself. Everything that
changes what a visitor may see goes through `almagest.metadata.publish`, which also moves the revision on.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models.functions import Now
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


class Described(models.Model):
    """Something that people describe: in the description file of an ingest, or with an editor.

    edited: the fields that an editor has said something about, each with what the description file says of it; all
    others are the file's. Only `almagest.metadata.edit` and `publish` write it.
    """

    edited = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True


class Schema(Guarded, Described):
    """A schema of the data database and the work that it holds: one catalogue release, its authors and its terms.

    doi: without an address before it, e.g. 10.5270/esa-qa4lep3; publication_year: of the work, as it is cited.
    """

    name = models.CharField(max_length=63, unique=True)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    utype = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=200, blank=True, help_text="name of the licence, e.g. CC BY-SA 3.0 IGO")
    licence_url = models.URLField(blank=True)
    acknowledgement = models.TextField(blank=True, help_text="what users are asked to write in their papers")
    reference_url = models.URLField(blank=True, help_text="a page about the catalogue")
    doi = models.CharField(max_length=200, blank=True)
    publication_year = models.PositiveSmallIntegerField(null=True, blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("order", "name")
        permissions = (("edit_metadata", "may edit what is said of schemas, tables and columns"),)

    def __str__(self) -> str:
        return self.name


class Creator(models.Model):
    """An author of a schema's data, in the order of citation. affiliation: where they work; ror: its identifier."""

    schema = models.ForeignKey(Schema, models.CASCADE, related_name="creators")
    name = models.CharField(max_length=200)
    orcid = models.CharField(max_length=19, blank=True, help_text="e.g. 0000-0002-1825-0097")
    affiliation = models.CharField(max_length=300, blank=True)
    ror = models.CharField(max_length=9, blank=True, help_text="without an address, e.g. 03mrbr458")
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("order",)
        constraints = (models.UniqueConstraint(fields=("schema", "order"), name="creator_order_unique"),)

    def __str__(self) -> str:
        return self.name


class Table(Guarded, Described):
    """A table of the data database.

    ra_column, dec_column: ICRS degrees, float8, with a pgSphere index on `spoint(radians(ra), radians(dec))`; both
    or none. epoch: the Julian year that positions hold for, e.g. J2016.0.
    """

    schema = models.ForeignKey(Schema, models.CASCADE, related_name="tables")
    name = models.CharField(max_length=63)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    utype = models.CharField(max_length=200, blank=True)
    nrows = models.BigIntegerField()
    ra_column = models.CharField(max_length=63, blank=True)
    dec_column = models.CharField(max_length=63, blank=True)
    epoch = models.CharField(max_length=12, blank=True)
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


class Column(Guarded, Described):
    """A column, with the fields of TAP_SCHEMA.columns. indexed: a condition on it is fast; principal: shown first.

    minimum, maximum: of the values that are there, as a VOTable writes them, empty where they have no order worth
    telling (texts, truth values); nulls: rows without a value, counted; distinct: about how many values, estimated;
    None: nobody looked.
    """

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
    minimum = models.CharField(max_length=40, blank=True)
    maximum = models.CharField(max_length=40, blank=True)
    nulls = models.BigIntegerField(null=True, blank=True)
    distinct = models.BigIntegerField(null=True, blank=True)
    order = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("order",)
        constraints = (models.UniqueConstraint(fields=("table", "name"), name="column_name_unique"),)

    def __str__(self) -> str:
        return self.name


class Link(models.Model):
    """Something that belongs to rows of a table: a spectrum, a page, a paper (DataLink 1.1 §3.2).

    key: of the row, as text, in the column that identifies its table's rows; empty for every row. access_url: `{key}`
    in it stands for the row's key. semantics: `#term` of the core vocabulary, or a full URI; content_length: bytes.
    """

    class Authentication(models.TextChoices):
        """Whether the address asks who comes: never, if they like to say, always."""

        FALSE = "false"
        OPTIONAL = "optional"
        TRUE = "true"

    table = models.ForeignKey(Table, models.CASCADE, related_name="links")
    key = models.CharField(max_length=200, blank=True)
    semantics = models.CharField(max_length=200)
    access_url = models.CharField(max_length=2000)
    description = models.TextField(blank=True)
    content_type = models.CharField(max_length=200, blank=True)
    content_length = models.BigIntegerField(null=True, blank=True)
    content_qualifier = models.CharField(max_length=200, blank=True)
    local_semantics = models.CharField(max_length=200, blank=True)
    link_auth = models.CharField(max_length=8, choices=Authentication.choices, blank=True)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("table", "key", "order")
        indexes = (models.Index(fields=("table", "key"), name="link_by_row"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(content_length__isnull=True) | models.Q(content_length__gte=0),
                name="link_length_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.semantics} {self.access_url}"


class Function(Guarded):
    """A function that queries may call and that has a level. name: as in ADQL. One without a row is everybody's."""

    name = models.CharField(max_length=63, unique=True)

    def __str__(self) -> str:
        return self.name


class Edit(models.Model):
    """One change of one field by an editor, for whoever asks what happened and wants it undone.

    name: `schema`, `schema.table` or `schema.table.column`; editor: None for the command line, and for an account that
    is gone; origin: what the field follows afterwards.
    """

    class Origin(models.TextChoices):
        """Where the value of a field comes from."""

        DESCRIPTION = "description", "the description file"
        EDITOR = "editor", "an editor"

    name = models.CharField(max_length=200)
    field = models.CharField(max_length=40)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    origin = models.CharField(max_length=11, choices=Origin)
    editor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    edited_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-edited_at", "-pk")
        indexes = (models.Index(fields=("name", "-edited_at"), name="edit_by_name"),)

    def __str__(self) -> str:
        return f"{self.name} {self.field}"


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
