"""Declarations: what benchmark files, and the command line, say of a benchmark."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xbench.benchmark.grid import OF_LINE, SUBJECT, changed, grid_entries, laid
from xbench.benchmark.naming import spelled, spelled_name
from xbench.benchmark.unpinned import beside, unpinned
from xbench.components.matching import matched
from xbench.components.registry import Registry
from xbench.components.specification import as_table, overlay
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Tree
from xbench.interfaces.hookspecs import hookimpl

COMPONENTS = ("protocol", "dataset", "classifier", "loss")
TABLES = ("splits", "transform", "training", "weights", "published")
PLAIN = ("name", "version", "title", "seed", "repeats", "executor", "entries", "grid", "contrasts")
KNOWN = {*COMPONENTS, *TABLES, *PLAIN, "defaults", "with", "extends", "variants", "default_for"}
SETTABLE = {*COMPONENTS, *TABLES, "explainer", "executor", "seed", "repeats", "defaults", "grid"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names of benchmarks: records lie in folders that are called so."""
GIVEN_FOR_DATASET = ("published", "title", "weights")
"""What speaks of one dataset, and is not kept for another."""


def read(path: Path) -> Tree:
    """The tree of a benchmark file, or `ParameterError` with the place of the mistake.

    A file that `extends` another one, beside it or installed, is laid on that one, whose
    settings for the file's dataset come with it; entries, contrasts, published figures and
    variants replace.
    """
    tree = _read(path, ())
    for key in ("name", "version", *COMPONENTS, "splits"):
        if key not in tree:
            raise ParameterError(f"benchmark file {path} lacks {key!r}")
    if "entries" not in tree and not tree.get("grid"):
        raise ParameterError(f"benchmark file {path} lacks 'entries' or a 'grid'")
    return {**tree, "entries": tree.get("entries", [])}


def check_names(name: str, labels: Sequence[str]) -> None:
    """Refuse names that lead out of a folder, and labels by which lines cannot be told apart."""
    if not NAME.fullmatch(str(name)):
        raise ParameterError(
            f"benchmark name {name!r}: write letters, digits, '.', '-' and '_', no sign first"
        )
    for label in labels:
        if not label.strip():
            raise ParameterError(f"benchmark {name}: the label of an entry is empty")
        if labels.count(label) > 1:
            raise ParameterError(f"benchmark {name}: two entries are called {label!r}")


def chain(path: Path) -> list[Path]:
    """The file and those that it extends, itself first."""
    tree = parsed_file(path)
    if "extends" not in tree:
        return [path]
    return [path, *chain(_base(path, tree["extends"]))]


def _base(path: Path, name: str) -> Path:
    """The file that this one extends: beside it, or the one that is installed."""
    beside = path.with_name(f"{name}.toml")
    installed = benchmark_folder() / beside.name
    return beside if beside.exists() or not installed.exists() else installed


def _read(path: Path, below: tuple[Path, ...]) -> Tree:
    tree = beside(parsed_file(path), path.parent)
    if "suite" in tree:
        raise ParameterError(f"{path} is a suite; only `xbench run` and `show` take more than one")
    for key in tree:
        if key not in KNOWN:
            raise UnknownNameError(f"key in benchmark file {path}", key, KNOWN)
    if path in below:
        raise ParameterError(f"benchmark file {path} extends itself")
    if "extends" not in tree:
        return tree
    base = _base(path, tree["extends"])
    return _extended(_read(base, (*below, path)), tree)


def parsed_file(path: Path) -> Tree:
    """What the file says, or `ParameterError` where it cannot be read as TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        message = f"benchmark file {path}: {error}; `xbench show benchmark default` shows one"
        raise ParameterError(message) from error
    except OSError as error:
        message = f"benchmark file {path} cannot be read: {error.strerror}; `xbench list benchmark`"
        raise ParameterError(f"{message} shows those that are installed") from error


def _extended(base: Tree, own: Tree) -> Tree:
    dataset = own.get("dataset")
    if dataset is not None and "name" in as_table(dataset):
        base = {**choose(base, as_table(dataset)["name"]), "dataset": base["dataset"]}
    replaced = ("published", "variants", "contrasts", "default_for")
    kept = {key: value for key, value in unpinned(base, own).items() if key not in replaced}
    return _overlaid({**_of_own_protocol(kept, own), "name": own.get("name")}, own)


def _of_own_protocol(base: Tree, own: Tree) -> Tree:
    """The tree without what it says of its protocol for single datasets, where another is taken."""
    before, name = (as_table(tree.get("protocol", {})).get("name") for tree in (base, own))
    if name in (None, before) or "with" not in base:
        return base
    settings = {
        dataset: {key: value for key, value in of.items() if key != "protocol"}
        for dataset, of in base["with"].items()
    }
    return {**base, "with": settings}


def _overlaid(base: Tree, over: Tree) -> Tree:
    """A tree laid on another: entries replace the other's and its grid, grids are laid on grids.

    A grid laid on a tree without one takes the place of its entries.
    """
    tree: Tree = overlay(base, over)
    if "grid" in over:
        kept = base.get("entries", []) if base.get("grid") else []
        compared = {"grid": laid(base.get("grid", {}), over["grid"]), "entries": kept}
        return {**tree, **compared, **{k: over[k] for k in ("entries",) if k in over}}
    return {key: value for key, value in tree.items() if key != "grid" or "entries" not in over}


def choose(tree: Tree, dataset: str | None = None, explainer: str | None = None) -> Tree:
    """The tree with another dataset and what goes with it, or another explainer as its entry.

    A title, pinned weights, published figures, a variant's parameters of the dataset and further
    test sets speak of one dataset, and are not kept for another.
    """
    if dataset is not None:
        name = dataset.partition(":")[0]
        if name != as_table(tree["dataset"])["name"]:
            tree = _with_chosen(_of_no_dataset(tree), "dataset")
        settings = tree.get("with", {}).get(name, {})
        tree = _overlaid({**unpinned(tree, settings), "dataset": dataset}, settings)
    if explainer is not None:
        others = [_beside_any(line) for line in tree["entries"] if "role" in line]
        others = [line for line in others if line["role"] != "entry"]
        subject = {"label": explainer, "explainer": explainer}
        if tree.get("grid"):
            remark = f"explainer {explainer!r} takes the place of the grid and of its floors"
            tree = {**tree, "remarks": [remark]}
        tree = _overlaid(_with_chosen(tree, "explainer"), {"entries": [subject, *others]})
    return tree


def _with_chosen(tree: Tree, *kinds: str) -> Tree:
    """The tree that remembers which kinds of components are others than its file names."""
    return {**tree, "chosen": sorted({*tree.get("chosen", ()), *kinds})}


def _of_no_dataset(tree: Tree) -> Tree:
    kept = _each(tree, lambda line: {k: v for k, v in line.items() if k != "weights"})
    kept = {key: value for key, value in kept.items() if key not in GIVEN_FOR_DATASET}
    if "splits" in kept:
        splits = kept["splits"].items()
        kept["splits"] = {role: of for role, of in splits if role in ("train", "test")}
    if "variants" in kept:
        kept["variants"] = {
            name: {key: value for key, value in variant.items() if key != "dataset"}
            for name, variant in kept["variants"].items()
        }
    return kept


def _beside_any(line: Tree) -> Tree:
    """The line beside whichever entry there is, if it stands beside one entry alone."""
    if "explainer" not in line:
        return line
    explainer = as_table(line["explainer"])
    named = {k: SUBJECT for k, v in explainer.items() if str(v).startswith(f"{SUBJECT}:")}
    return {**line, "explainer": {**explainer, **named}}


def vary(tree: Tree, name: str) -> Tree:
    """The tree with one of its variants laid on it.

    A variant that says why it is `not_comparable` with published figures marks them so.
    """
    variants = tree.get("variants", {})
    name = matched(name, variants)
    if name not in variants:
        hint = f"`xbench show benchmark {tree['name']}` shows its file."
        raise UnknownNameError(f"variant of benchmark {tree['name']}", name, variants, hint)
    changes = dict(variants[name])
    compared = {key: changes.pop(key) for key in ("entries", "grid") if key in changes}
    reason = changes.pop("not_comparable", "")
    if reason and "published" in tree:
        changes["published"] = {"not_comparable": reason}
    varied = {**_overlaid(tree, compared), "varied": [*tree.get("varied", []), name]}
    return adjust(varied, changes)


def adjust(tree: Tree, changes: Tree) -> Tree:
    """The tree with `-p` changes: those of `explainer` go to every entry that is no floor.

    What a line, or a grid, has of its own is changed with the benchmark's. Pinned weights are
    not kept for another training.
    """
    for key in changes:
        if key not in SETTABLE:
            raise UnknownNameError("component to set a parameter of", key, SETTABLE)
    changes = dict(changes)
    explainer, grid = changes.pop("explainer", None), changes.pop("grid", None)
    if grid is not None:
        if not tree.get("grid"):
            raise ParameterError("grid: this benchmark has none")
        tree = {**tree, "grid": laid(tree["grid"], grid)}
    tree = _each(tree, lambda line: _with_changes(line, changes))
    if explainer is not None:
        tree = _with_explainers(tree, explainer)
    overlaid: Tree = overlay(unpinned(tree, changes), changes)
    return overlaid


def _each(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The tree with a change made to each entry and each table of the grid."""
    varied = dict(tree)
    if "entries" in tree:
        varied["entries"] = [change(line) for line in tree["entries"]]
    if tree.get("grid"):
        varied["grid"] = changed(tree["grid"], change)
    return varied


def _with_changes(line: Tree, changes: Tree) -> Tree:
    line = unpinned(line, changes)
    own = {key: line[key] for key in OF_LINE if key in line and key in changes}
    return {**line, **{key: overlay(value, changes[key]) for key, value in own.items()}}


def _with_explainers(tree: Tree, change: Any) -> Tree:
    """The tree with a change of the explainers of all entries and cells."""
    grid = tree.get("grid", {})
    if not any("explainer" in line for line in [*tree["entries"], *grid_entries(grid)]):
        raise ParameterError("explainer: no entry of this benchmark has one")
    varied = _each(tree, lambda line: _with_explainer(line, change))
    return varied if grid.get("role", "entry") == "entry" else {**varied, "grid": grid}


def _with_explainer(line: Tree, change: Any) -> Tree:
    if line.get("role", "entry") != "entry" or "explainer" not in line:
        return line
    return {**line, "explainer": overlay(as_table(line["explainer"]), change)}


def declared(
    path: Path,
    dataset: str | None = None,
    variants: Sequence[str] = (),
    explainer: str | None = None,
    changes: Sequence[Tree] = (),
    *,
    registry: Registry | None = None,
) -> Tree:
    """The tree of a benchmark file with everything laid on it that was chosen, in this order.

    With a registry, chosen names are looked up there and stand as the components have them.
    """
    if registry is not None:
        dataset = spelled_name("dataset", dataset, registry)
        explainer = spelled_name("explainer", explainer, registry)
        changes = [spelled(change, registry) for change in changes]
    tree = choose(read(path), dataset)
    for name in variants:
        tree = vary(tree, name)
    tree = choose(tree, explainer=explainer)
    for change in changes:
        named = [kind for kind in ("dataset", "explainer", "protocol") if _names(change.get(kind))]
        tree = adjust(_with_chosen(tree, *named), change)
        tree = _with_asked(tree, change.get("protocol"))
    return tree


def _with_asked(tree: Tree, change: Any) -> Tree:
    """The tree with what was asked of the protocol, should another one take its place."""
    if not isinstance(change, Mapping) or "name" in change:
        return tree
    return {**tree, "asked": overlay(tree.get("asked", {}), change)}


def _names(change: Any) -> bool:
    """Whether a change names another component, and not only parameters of the one there is."""
    return isinstance(change, str) or (isinstance(change, Mapping) and "name" in change)


def benchmark_file(name: str, registry: Registry, folder: Path = Path()) -> Path:
    """The file of the benchmark of this name, or of this path from the folder."""
    if name.endswith(".toml"):
        return folder / name
    path: Path = registry.get("benchmark", name)
    return path


def benchmark_folder() -> Path:
    """Where the benchmark files lie: inside the wheel, or beside the sources."""
    inside = Path(__file__).with_name("files")
    return inside if inside.is_dir() else Path(__file__).parents[2] / "benchmarks"


@hookimpl
def register_benchmarks() -> list[Path]:
    """Return the benchmark files that travel with xbench."""
    return sorted(benchmark_folder().glob("*.toml"))
