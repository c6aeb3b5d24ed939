"""The CustomResourceDefinitions, made from the models: one source for schema, defaults, rules and documentation.

`python -m almagest_operator.model.crd` writes them where the chart takes them from. Kubernetes wants a *structural*
schema, narrower than what pydantic writes: no `$ref`, no `anyOf` with null, every list typed. What is absent is
absent, never null. The rules that JSON Schema cannot say are CEL expressions, evaluated by the API server; each of them
has its equal in the models, except those about change, which only the API server sees.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from almagest_operator.model.archive import Archive, ArchiveSpec
from almagest_operator.model.base import Schema
from almagest_operator.model.release import ArchiveRelease, ArchiveReleaseSpec
from almagest_operator.model.resource import GROUP, Manifest
from almagest_operator.model.status import ArchiveStatus
from almagest_operator.model.text import as_yaml

VERSION = "v1alpha1"
CHART = Path(__file__).parents[3] / "charts/almagest-operator"
_KEPT = (
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-validations",
)


def crds() -> dict[str, Manifest]:
    """File name → definition."""
    ready = ".status.conditions[?(@.type=='Ready')]"
    archive = _definition(
        kind="Archive",
        plural="archives",
        short="arc",
        scope="Namespaced",
        schema=_object(Archive, {"spec": ArchiveSpec, "status": ArchiveStatus}),
        columns=[
            _column("Ready", f"{ready}.status", "Whether the archive serves."),
            _column("Reason", f"{ready}.reason", "Why, in a word."),
            _column("Release", ".status.release", "The release that serves."),
            _column("URL", ".status.endpoints.site", "The home page."),
            _column("Age", ".metadata.creationTimestamp", "Time since its creation.", kind="date"),
            _column("Environment", ".spec.environment", "dev, test or production.", wide=True),
            _column("Message", f"{ready}.message", "Why, in a sentence.", wide=True),
        ],
    )
    release = _definition(
        kind="ArchiveRelease",
        plural="archivereleases",
        short="arcrel",
        scope="Cluster",
        schema=_object(ArchiveRelease, {"spec": ArchiveReleaseSpec}),
        columns=[_column("Age", ".metadata.creationTimestamp", "Time since its creation.", kind="date")],
    )
    return {"archives.yaml": archive, "archivereleases.yaml": release}


def structural(model: type[BaseModel]) -> Schema:
    """The structural schema of a model, with descriptions, defaults, bounds and CEL rules."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _structural(schema, schema.get("$defs", {}))


def render(manifest: Manifest) -> str:
    """The text of a file that is made and not written."""
    plain = json.loads(json.dumps(manifest))  # without shared parts, which YAML would write as anchors
    text = as_yaml(plain)
    return (
        f"# Made from operator/almagest_operator/model by `python -m almagest_operator.model.crd`; do not edit.\n{text}"
    )


def main() -> None:
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else CHART / "files/crds"
    directory.mkdir(parents=True, exist_ok=True)
    for name, manifest in crds().items():
        (directory / name).write_text(render(manifest))


def _definition(kind: str, plural: str, short: str, scope: str, schema: Schema, columns: list[Schema]) -> Manifest:
    version: Manifest = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "additionalPrinterColumns": columns,
    }
    if "status" in schema["properties"]:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # Removing the chart must not remove every archive with it.
        "metadata": {"name": f"{plural}.{GROUP}", "annotations": {"helm.sh/resource-policy": "keep"}},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                "categories": ["almagest"],
            },
            "versions": [version],
        },
    }


def _object(kind: type[BaseModel], parts: dict[str, type[BaseModel]]) -> Schema:
    """The schema of a whole object, of which the API server knows the metadata itself."""
    extra = kind.model_config.get("json_schema_extra")
    return {
        "type": "object",
        "description": _sentence(kind),
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            **{name: structural(part) for name, part in parts.items()},
        },
        **(extra if isinstance(extra, dict) else {}),
    }


def _column(name: str, path: str, description: str, *, kind: str = "string", wide: bool = False) -> Schema:
    """Wide ones are shown by `kubectl get -o wide` only."""
    column: Schema = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return {**column, "priority": 1} if wide else column


def _structural(schema: Schema, definitions: Schema) -> Schema:
    """One node: follow `$ref`, drop the null of an optional field, keep what Kubernetes knows."""
    schema = _without_null(_resolved(schema, definitions), definitions)
    result: Schema = {"description": _first_paragraph(schema["description"])} if "description" in schema else {}
    result.update({key: schema[key] for key in _KEPT if key in schema})
    if schema.get("x-kubernetes-int-or-string"):
        del result["type"]
        result["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "properties" in schema:
        result["properties"] = {
            name: _structural(field, definitions) for name, field in sorted(schema["properties"].items())
        }
    elif isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _structural(schema["additionalProperties"], definitions)
    if schema.get("type") == "array":
        result.update(_list(schema, definitions))
    default = _default(schema, result.get("properties", {}))
    return result if default is None else {**result, "default": default}


def _list(schema: Schema, definitions: Schema) -> Schema:
    """A list that is a map by some key can be changed by several writers; any other is replaced whole."""
    keys = schema.get("x-kubernetes-list-map-keys")
    kind: Schema = (
        {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys}
        if keys
        else {"x-kubernetes-list-type": "atomic"}
    )
    return {"items": _structural(schema["items"], definitions), **kind}


def _default(schema: Schema, properties: Schema) -> object:
    """The default as the API server should write it; None for one that says nothing.

    Of an object whose fields have these defaults themselves, only the braces, so that each default has one home.
    """
    default = _said(schema.get("default"))
    if isinstance(default, dict) and all("default" in properties.get(name, {}) for name in default):
        return {} if default else None
    return default


def _said(default: object) -> object:
    """A default without its empty parts: those would only swell every stored object."""
    if isinstance(default, dict):
        parts = {name: _said(part) for name, part in default.items()}
        return {name: part for name, part in parts.items() if part not in (None, "", {}, [])}
    if isinstance(default, list):
        return [_said(part) for part in default] or None
    return None if default == "" else default


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """The node that `$ref` points to, with what stands beside the reference laid over it."""
    if "$ref" not in schema:
        return schema
    target = definitions[schema["$ref"].removeprefix("#/$defs/")]
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    rules = [*target.get("x-kubernetes-validations", []), *beside.get("x-kubernetes-validations", [])]
    return {**target, **beside, **({"x-kubernetes-validations": rules} if rules else {})}


def _without_null(schema: Schema, definitions: Schema) -> Schema:
    if "anyOf" not in schema:
        return schema
    (only,) = (option for option in schema["anyOf"] if option.get("type") != "null")
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return _resolved({**only, **beside}, definitions)


def _sentence(model: type[BaseModel]) -> str:
    return _first_paragraph(model.__doc__ or "")


def _first_paragraph(text: str) -> str:
    """Docstrings explain more than `kubectl explain` should."""
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


if __name__ == "__main__":
    main()
