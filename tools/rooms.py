"""The house as it is: rooms, and who imports whom, read from the sources.

What `tools/rooms_picture.py` draws and the tests of the architecture check.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "errors",
    "exports",
    "randomness",
    "kernels",
    "interfaces",
    "components",
    "files",
    "networks",
    "training",
    "benchmark",
    "results",
    "running",
    "reports",
    "api",
    "testing",
    "cli",
)
"""The rooms of the core, in order: one imports only from those before it, and from itself."""
DOORS = ("adapters", "commands", "figures")
"""Public modules that are no rooms: they hold nothing, and export names of rooms."""
PLUGINS = (
    "xbench_zoo",
    "xbench_toybirds",
    "xbench_datasets",
    "xbench_deliberative",
    "xbench_ces",
    "xbench_explicable",
    "xbench_softlabels",
    "xbench_saliency",
    "xbench_softlabels",
)


class Module(NamedTuple):
    """A Python file, by the name it is imported with."""

    name: str
    path: Path

    @property
    def folder(self) -> str:
        """The package that it lies in, or is."""
        package = self.path.name == "__init__.py"
        return self.name if package else self.name.rpartition(".")[0]


class Import(NamedTuple):
    """One module's use of another."""

    of: str
    imported: str
    line: int
    inside: bool
    """Whether it stands in a function."""


def modules(root: Path = ROOT) -> dict[str, Module]:
    """All modules of the core and of first-party plugins, by name."""
    found = {}
    for top, source in (("xbench", root), ("plugins", root / "plugins")):
        for path in sorted((root / top).rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(name, path)
    return found


def imports(known: dict[str, Module]) -> list[Import]:
    """Every import of a known module, wherever it stands: in functions and for types as well."""
    return [found for module in known.values() for found in _imports_of(module, known)]


def _imports_of(module: Module, known: dict[str, Module]) -> Iterator[Import]:
    tree = ast.parse(module.path.read_text(encoding="utf-8"))
    for node, inside in _nodes(tree, inside=False):
        for name in dict.fromkeys(_imported(node, known)):
            yield Import(module.name, name, getattr(node, "lineno", 0), inside)


def _nodes(tree: ast.AST, *, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(tree):
        yield child, inside
        function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _nodes(child, inside=inside or function)


def _imported(node: ast.AST, known: dict[str, Module]) -> Iterator[str]:
    """The modules that an import statement names: of `from a import b`, `a.b` where it is one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            below = f"{node.module}.{alias.name}"
            if below in known:
                yield below
            elif node.module in known:
                yield node.module


def room(name: str) -> str:
    """The room of a module: of the core its second name, of a plugin the plugin and its folder."""
    parts = name.split(".")
    return parts[1] if parts[0] == "xbench" and len(parts) > 1 else parts[0]


def upward(found: Iterable[Import]) -> list[Import]:
    """Imports of the core that lead to a room further down in the order."""
    return [
        one
        for one in found
        if _in_core(one.of)
        and (_in_core(one.imported) or one.imported == "xbench")
        and (one.imported == "xbench" or _rank(one.imported) > _rank(one.of))
    ]


def _in_core(name: str) -> bool:
    return name.startswith("xbench.") and room(name) not in (*DOORS, "__main__")


def _rank(name: str) -> int:
    return ROOMS.index(room(name))


def circles(found: Iterable[Import], known: dict[str, Module]) -> list[list[str]]:
    """Modules that import each other, around however many corners.

    An import in a function does not count where both modules lie in one folder: such a pair
    is one thing in two files, as an explanation and its picture.
    """
    graph: dict[str, set[str]] = {name: set() for name in known}
    for one in found:
        if one.of != one.imported and not (one.inside and _together(one, known)):
            graph[one.of].add(one.imported)
    return [sorted(part) for part in _components(graph) if len(part) > 1]


def _together(one: Import, known: dict[str, Module]) -> bool:
    return known[one.of].folder == known[one.imported].folder


def _components(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Strongly connected components (Tarjan's, by reachability: there are few modules)."""
    reach = {name: _reachable(graph, name) for name in graph}
    seen: set[str] = set()
    for name in graph:
        if name not in seen:
            part = [
                other for other in {*reach[name], name} if name in reach[other] or other == name
            ]
            seen.update(part)
            yield part


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(graph[name])
    return found
