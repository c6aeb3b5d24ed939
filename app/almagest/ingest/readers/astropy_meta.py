"""What astropy writes beside a table in HDF5 with `serialize_meta=True`: a dataset of lines of YAML.

Its document is never constructed: YAML's tags name Python's classes, and its anchors make large documents of small
ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import h5py
import yaml

from almagest.ingest.errors import IngestError
from almagest.ingest.readers.units import vounit

_SUFFIX = ".__table_column_meta__"
_BYTES = 1 << 20
"""The longest document that is read: of several thousand columns."""


def is_meta(dataset: h5py.Dataset) -> bool:
    """Whether a dataset is no data, but says something of another beside it."""
    name = str(dataset.name)
    return name.endswith(_SUFFIX) and name.removesuffix(_SUFFIX) in dataset.parent


def columns(table: h5py.Dataset, file: str) -> Mapping[str, Mapping[str, str]]:
    """unit and description by column; nothing where astropy has written nothing. Raises IngestError."""
    name = f"{table.name}{_SUFFIX}"
    lines = table.file.get(name)
    if not isinstance(lines, h5py.Dataset) or lines.dtype.kind != "S" or lines.ndim != 1:
        return {}
    if len(lines) * lines.dtype.itemsize > _BYTES or lines.external or lines.is_virtual:
        raise IngestError(f"{name} is not what astropy writes", file=file)
    try:
        root = yaml.compose(b"\n".join(lines[:]).decode(), yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise IngestError(f"{name} is not readable as YAML", file=file) from error
    found: dict[str, Mapping[str, str]] = {}
    for node in _entries(root).get("datatype", yaml.SequenceNode("", [])).value:
        said = {key: value.value for key, value in _entries(node).items() if isinstance(value, yaml.ScalarNode)}
        unit = vounit(said.get("unit"))
        found[said.get("name", "")] = {"unit": unit or "", "description": said.get("description", "")}
    return found


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
