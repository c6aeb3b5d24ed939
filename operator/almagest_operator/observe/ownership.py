"""Does a live object still hold everything that we applied to it?  Answered from `metadata.managedFields` alone.

The API server records, for each field manager, the set of fields that it owns (`fieldsV1`, the format of
structured-merge-diff). When anyone else changes or removes a value that we applied, our entry loses that field; when
they add a field of their own, our entry stays as it is, and an apply of ours would leave their field alone too. So

    the object needs no apply  ⇔  its render hash is the wanted one, and our entry covers the wanted manifest

holds without comparing one value: no defaults, quantities or reordered lists to normalise, and it can be answered
after a restart with an empty memory. The set describes itself: a list whose children are `k:{…}` is a map keyed by
those keys, one with `v:…` children is a set, and a field without children is owned as a whole.

Kubernetes documentation, "Server-Side Apply"; sigs.k8s.io/structured-merge-diff/v6/fieldpath.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

# The server keeps these out of every field set, because no manager can own them.
_UNOWNED = {"apiVersion", "kind", "status"}
_UNOWNED_METADATA = {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"}

Fields = Mapping[str, Any]


def owned_fields(live: Mapping[str, Any], manager: str) -> Fields:
    """The `fieldsV1` that `manager` owns by apply on the main resource of `live`; empty when it owns nothing."""
    for entry in live.get("metadata", {}).get("managedFields", ()):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            fields: Fields = entry.get("fieldsV1", {})
            return fields
    return {}


def covers(fields: Fields, manifest: Mapping[str, Any]) -> bool:
    """Whether a field set holds every field that `manifest` sets."""
    metadata = {k: v for k, v in manifest.get("metadata", {}).items() if k not in _UNOWNED_METADATA}
    body = {k: v for k, v in manifest.items() if k not in _UNOWNED | {"metadata"}}
    return _covers_map(fields, {**body, "metadata": metadata})


def _covers_map(fields: Fields, wanted: Mapping[str, Any]) -> bool:
    return all(_covers_value(fields.get(f"f:{name}"), value) for name, value in wanted.items())


def _covers_value(fields: Fields | None, wanted: Any) -> bool:
    """`fields`: the set below this value, None when the manager does not own it, empty when it owns all of it."""
    if wanted is None or wanted in ({}, []):
        return True  # sets nothing: the server may drop it, and an apply would change nothing
    if fields is None:
        return False
    children = {name for name in fields if name != "."}
    if not children:
        return "." not in fields  # a lone "." owns that the thing exists, and nothing in it
    if isinstance(wanted, Mapping):
        return _covers_map(fields, wanted)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return all(_covers_item(fields, children, item) for item in wanted)
    return True


def _covers_item(fields: Fields, children: set[str], item: Any) -> bool:
    """One element of a list that is a map by keys (`k:`) or a set (`v:`)."""
    if not isinstance(item, Mapping):
        return any(json.loads(name[2:]) == item for name in children if name.startswith("v:"))
    return any(
        _covers_value(fields[name], item)
        for name in children
        if name.startswith("k:") and _same_keys(json.loads(name[2:]), item)
    )


def _same_keys(keys: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Keys that the manifest leaves out were defaulted by the server (a port's protocol), so they match anything."""
    return all(item.get(name, value) == value for name, value in keys.items())
