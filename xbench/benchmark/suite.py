"""Suites: files that list benchmarks, which are run and shown together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xbench.benchmark.declaration import benchmark_file, check_names, declared, parsed_file
from xbench.components.registry import Registry, installed
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Tree

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark

OF_SUITE = ("name", "version", "title", "suite")
OF_MEMBER = ("benchmark", "variants", "dataset", "changes")


@dataclass(frozen=True)
class Suite:
    """Benchmarks that are run and shown together."""

    name: str
    version: str
    title: str
    benchmarks: "tuple[Benchmark, ...]"


class Choices(NamedTuple):
    """What is chosen of every benchmark of a suite, after what the suite itself chooses."""

    dataset: str | None = None
    variants: Sequence[str] = ()
    explainer: str | None = None
    changes: Sequence[Tree] = ()


class SuiteTree(NamedTuple):
    """A suite as its file declares it."""

    name: str
    version: str
    title: str
    trees: tuple[Tree, ...]
    """Of its benchmarks, each with the suite's name as `suite`."""


def load_suite(
    name: str,
    registry: Registry | None = None,
    *,
    dataset: str | None = None,
    variants: Sequence[str] = (),
    explainer: str | None = None,
    changes: Tree | None = None,
) -> Suite:
    """The suite of this name, or in a `.toml` file of this path, with what is chosen of it.

    Choices are those of `load_benchmark`, and are laid on every benchmark of the suite.
    """
    from xbench.benchmark.assembly import assemble

    known = registry or installed()
    choices = Choices(dataset, variants, explainer, [changes or {}])
    tree = suite_tree(benchmark_file(name, known), known, choices)
    benchmarks = tuple(assemble(of, known) for of in tree.trees)
    return Suite(tree.name, tree.version, tree.title, benchmarks)


def is_suite(path: Path) -> bool:
    """Whether the file lists benchmarks instead of being one."""
    return "suite" in parsed_file(path)


def suite_tree(path: Path, registry: Registry, choices: Choices) -> SuiteTree:
    """The suite in this file, the trees of all its benchmarks checked and varied."""
    tree = parsed_file(path)
    for key in tree:
        if key not in OF_SUITE:
            raise UnknownNameError(f"key in suite {path}", key, OF_SUITE)
    for key in ("name", "version", "suite"):
        if key not in tree:
            raise ParameterError(f"suite {path} lacks {key!r}")
    name, members = tree["name"], tree["suite"]
    check_names(name, [])
    if not isinstance(members, list) or not members:
        raise ParameterError(f"suite {name}: it needs at least one benchmark; write suite = […]")
    trees = [
        {**_member(given, path, registry, choices, f"suite {name}: suite[{place}]"), "suite": name}
        for place, given in enumerate(members)
    ]
    _check_different(name, [str(of["name"]) for of in trees])
    return SuiteTree(name, str(tree["version"]), str(tree.get("title", "")), tuple(trees))


def _member(given: Any, path: Path, registry: Registry, choices: Choices, where: str) -> Tree:
    """The tree of one benchmark; a file's path is meant from the suite's folder."""
    table = {"benchmark": given} if isinstance(given, str) else given
    if not isinstance(table, Mapping) or not isinstance(table.get("benchmark"), str):
        raise ParameterError(f"{where}: expected a benchmark's name, or a table with `benchmark`")
    for key in table:
        if key not in OF_MEMBER:
            raise UnknownNameError(f"key of {where}", key, OF_MEMBER)
    file = benchmark_file(table["benchmark"], registry, path.parent)
    if is_suite(file):
        raise ParameterError(f"{where}: {table['benchmark']!r} is a suite; list its benchmarks")
    variants, own = table.get("variants", []), table.get("changes", {})
    if not isinstance(variants, list) or not isinstance(own, Mapping):
        raise ParameterError(f"{where}: variants are a list of names, and changes a table")
    return declared(
        file,
        choices.dataset or table.get("dataset"),
        [*variants, *choices.variants],
        choices.explainer,
        [dict(own), *choices.changes],
        registry=registry,
    )


def _check_different(name: str, benchmarks: Sequence[str]) -> None:
    """Refuse two benchmarks of one name: their records would lie in one folder."""
    for benchmark in benchmarks:
        if benchmarks.count(benchmark) > 1:
            raise ParameterError(
                f"suite {name}: two of its benchmarks are called {benchmark!r}; write a file that "
                "extends it, with a name of its own"
            )
