"""A name in a package is a module or a function, never the one in place of the other."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import almagest_operator


def test_no_package_hides_a_module_behind_something_of_its_name() -> None:
    modules = [found.name for found in pkgutil.walk_packages(almagest_operator.__path__, "almagest_operator.")]
    for name in modules:
        importlib.import_module(name)
    hidden = [
        name
        for name in modules
        if not isinstance(
            getattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2]), ModuleType
        )
    ]
    assert hidden == []
