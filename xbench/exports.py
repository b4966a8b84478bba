"""Exports: the public names of a module, from the stub beside it, imported when they are used.

The stub is the one list: type checkers read it, and so does the module at run time.
"""

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def exports(
    module: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of the module in `file`."""
    homes = exported_names(Path(file).with_suffix(".pyi"))

    def imported(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[module], name, value)
        return value

    return imported, lambda: sorted(homes), sorted(homes)


def exported_names(stub: Path) -> dict[str, str]:
    """The module that each name of a stub comes from."""
    nodes = ast.parse(stub.read_text(encoding="utf-8")).body
    return {
        alias.name: node.module
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
