"""Ingest: one Job a data set, done once for a table, source and format."""

from __future__ import annotations

from almagest_operator.desired.application import APPDB, DJANGO, OWNER, process
from almagest_operator.desired.scope import LABEL_LIMIT, Part, Scope, digest, short_name
from almagest_operator.desired.workload import job
from almagest_operator.model.dataset import Dataset
from almagest_operator.model.resource import Resource, Stage


def ingests(scope: Scope) -> tuple[Resource, ...]:
    """The Jobs of all data sets."""
    return tuple(ingest(scope, dataset) for dataset in scope.archive.spec.datasets)


def ingest(scope: Scope, dataset: Dataset) -> Resource:
    """A Job whose name carries what it loads, and not the release: a new release loads nothing again."""
    slug = dataset.table.replace(".", "-").replace("_", "-")
    part = Part("ingest", f"ingest-{slug}"[:LABEL_LIMIT].rstrip("-"))
    pod = process(
        scope,
        part,
        "ingest",
        "--dataset",
        dataset.table,
        secrets=(APPDB, OWNER, DJANGO),
        files=True,
        restart="Never",
    )
    name = short_name(scope.archive.name, f"ingest-{slug}", digest(dataset.model_dump(mode="json")))
    return job(scope, pod, name, Stage.INGEST)
