"""The reference of the custom resources for people, made from the same schema that the API server enforces.

`python -m almagest_operator.model.reference` writes `docs/operator/reference.md`; a test says when it is stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from almagest_operator.model.base import Schema
from almagest_operator.model.crd import crds
from almagest_operator.model.resource import GROUP, Manifest

PAGE = Path(__file__).parents[3] / "docs/operator/reference.md"
_PREFACE = f"""\
# Reference of the custom resources

Made from the models by `python -m almagest_operator.model.reference`; `kubectl explain archive.spec` says the same.
A quantity is a number of bytes or cores as Kubernetes writes it (`20Gi`, `500m`). API group `{GROUP}`.
"""


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_PREFACE, *(_kind(manifest) for manifest in crds().values())])


def _kind(manifest: Manifest) -> str:
    names = manifest["spec"]["names"]
    version = manifest["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    scope = "in a namespace" if manifest["spec"]["scope"] == "Namespaced" else "one for the whole cluster"
    lines = [
        f"## {names['kind']}",
        "",
        f"{schema['description']} Version `{version['name']}`, short name `{names['shortNames'][0]}`, {scope}.",
        *_rules(schema),
        "",
    ]
    for part in ("spec", "status"):
        if part in schema["properties"]:
            lines += _object(part, schema["properties"][part])
    return "\n".join(lines)


def _object(path: str, schema: Schema) -> list[str]:
    """The section of one object, then those of the objects in it."""
    lines = [f"### {path}", "", schema["description"], *_rules(schema), ""]
    lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(field)
        lines.append(f"| `{name}` | {_type(field)} | {default} | {field['description']} |")
    lines.append("")
    for name, field in schema["properties"].items():
        for child, inner in _objects(f"{path}.{name}", field):
            lines += _object(child, inner)
    return lines


def _objects(path: str, field: Schema) -> Iterator[tuple[str, Schema]]:
    if "properties" in field:
        yield path, field
    elif "properties" in field.get("items", {}):
        yield f"{path}[]", field["items"]


def _type(field: Schema) -> str:
    """In a word, with its bounds: `integer, 1 to 50`, `dev, test or production`."""
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "enum" in field:
        *rest, last = (f"`{value}`" for value in field["enum"])
        return f"{', '.join(rest)} or {last}" if rest else last
    if field["type"] == "array":
        keys = field.get("x-kubernetes-list-map-keys")
        return f"list of {_type(field['items'])}s" + (f", by `{keys[0]}`" if keys else "")
    if isinstance(field.get("additionalProperties"), dict):
        return f"map of {_type(field['additionalProperties'])}s"
    low, high = field.get("minimum"), field.get("maximum")
    bounds = f", {low} to {high}" if low is not None and high is not None else ""
    return str(field["type"]) + bounds


def _default(field: Schema) -> str:
    default = field.get("default")
    if default in (None, {}):
        return ""
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def _rules(schema: Schema) -> list[str]:
    """The rules of an object, as sentences below its description."""
    messages = dict.fromkeys(rule["message"] for rule in schema.get("x-kubernetes-validations", []))
    return ["", *(f"- {message[0].upper()}{message[1:]}." for message in messages)] if messages else []


def main() -> None:
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
