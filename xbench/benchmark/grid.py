"""Grids: axes of named values, and the entries that all combinations of them make."""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from xbench.benchmark.unpinned import OF_TRAINING, unpinned
from xbench.components.specification import as_table, overlay
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Tree

OF_LINE = (*OF_TRAINING, "weights")
"""What a line of the benchmark may have of its own."""
OF_CELL = (*OF_LINE, "explainer")
"""What a grid, a value of an axis or a floor may lay on its cells."""
COMPONENTS = ("classifier", "loss", "explainer")
"""What can be written as a name alone."""
SUBJECT = "@entry"
"""In a floor's or ceiling's explainer: the explainer of the entry it stands beside.

`@entry` makes one such line beside each entry, `@entry:LABEL` one beside that entry alone.
"""
VALUE = "@value"
"""In what an axis lays on its cells: the value itself."""
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
MOST = 1000
"""So many cells a grid may have."""

Axes = Mapping[str, Mapping[str, Tree]]
"""For each axis the names of its values, with what they lay on their cells."""


def laid(base: Tree, over: Tree) -> Tree:
    """A grid laid on another: an axis whose values are names of the other's chooses of them."""
    axes = dict(_checked(base).get("axes", {}))
    for axis, given in _checked(over).get("axes", {}).items():
        below = _axis_table(axis, axes.get(axis, []))
        above = dict(given) if isinstance(given, Mapping) else {"values": given}
        if "values" in above:
            above["values"] = _chosen(below["values"], _listed(above["values"]))
        axes[axis] = _axis_table(axis, {**below, **overlay(below, above)})
    return {**overlay(base, over), "axes": axes}


def _checked(grid: Any) -> Tree:
    """The grid, if its tables are tables and its floors a list of them."""
    if not isinstance(grid, Mapping) or not isinstance(grid.get("axes", {}), Mapping):
        raise ParameterError("grid: it needs axes; write grid.axes.NAME = […]")
    floors = grid.get("floors", [])
    if not isinstance(floors, list) or not all(isinstance(floor, Mapping) for floor in floors):
        raise ParameterError("grid.floors: write each as a table, [[grid.floors]]")
    return dict(grid)


def _axis_table(axis: str, given: Any) -> Tree:
    """An axis as a table with its values in a list; of components their names are enough."""
    table = dict(given) if isinstance(given, Mapping) else {"values": given}
    values = _listed(table.get("values", []))
    if axis in COMPONENTS and not set(OF_CELL) & table.keys():
        values = [v if isinstance(v, Mapping) else {"name": v, axis: v} for v in values]
    return {**table, "values": values}


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list) else [values]


def _chosen(below: Sequence[Any], above: Sequence[Any]) -> list[Any]:
    """The values above, where names of values below stand for these."""
    known = {str(_name(value)): value for value in below}
    return [v if isinstance(v, Mapping) else known.get(str(v), v) for v in above]


def _name(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else value


def changed(grid: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The grid with a change made to each table that lays something on cells.

    What its floors have of their own makes them floors, and stays.
    """
    axes = {}
    for axis, given in _checked(grid).get("axes", {}).items():
        table = change(_axis_table(axis, given))
        values = [change(dict(v)) if isinstance(v, Mapping) else v for v in table["values"]]
        axes[axis] = {**table, "values": values}
    return change({**grid, "axes": axes})


def grid_entries(grid: Tree) -> list[Tree]:
    """The tables of all cells, with their coordinates as `cell`, and of the grid's floors."""
    if not grid:
        return []
    _check_keys(_checked(grid), ("axes", "label", "role", "floors", *OF_CELL), "grid")
    axes = _axes(grid)
    from xbench.interfaces.protocol import Role

    role = _role(grid, "entry", get_args(Role), "grid")
    template = grid.get("label", ", ".join(f"{{{axis}}}" for axis in axes))
    cells = [
        {"label": _label(template, cell, "grid.label"), "role": role, "cell": cell, **parts}
        for cell, parts in _cells(grid, axes)
    ]
    _check_apart(cells, template)
    return [*cells, *_floors(grid, axes, cells)]


def extent(cells: Iterable[Mapping[str, str]]) -> str:
    """How many different cells there are, by axes; empty where there is none."""
    different = list({json.dumps(dict(cell)): cell for cell in cells if cell}.values())
    if not different:
        return ""
    sizes = {axis: len({cell.get(axis) for cell in different}) for axis in different[0]}
    axes = " × ".join(f"{axis} ({size})" for axis, size in sizes.items())
    return f"{len(different)} {'entry' if len(different) == 1 else 'entries'} of a grid: {axes}"


def _axes(grid: Tree) -> Axes:
    if not grid.get("axes"):
        raise ParameterError("grid: it needs axes; write grid.axes.NAME = […]")
    axes = {axis: _values(axis, _axis_table(axis, of)) for axis, of in grid["axes"].items()}
    sizes = [len(values) for values in axes.values()]
    if math.prod(sizes) > MOST:
        raise ParameterError(
            f"grid: {math.prod(sizes)} cells ({' × '.join(map(str, sizes))}), and at most {MOST} "
            "can be one benchmark; write several files, and a suite that lists them"
        )
    _check_contradictions(axes)
    return axes


def _values(axis: str, table: Tree) -> dict[str, Tree]:
    """The values of an axis by their names, with all that they lay on their cells."""
    where = f"grid.axes.{axis}"
    if not axis.strip() or not PLACEHOLDER.fullmatch(f"{{{axis}}}"):
        raise ParameterError(f"{where}: an axis needs a name without braces")
    _check_keys(table, ("values", *OF_CELL), where)
    if not table["values"]:
        raise ParameterError(f"{where}: an axis needs at least one value")
    pattern = {key: table[key] for key in OF_CELL if key in table}
    values: dict[str, Tree] = {}
    for place, given in enumerate(table["values"]):
        name, parts = _value(given, pattern, f"{where}[{place}]")
        if name in values:
            raise ParameterError(f"{where}: two values are called {name!r}")
        values[name] = parts
    return values


def _value(given: Any, pattern: Tree, where: str) -> tuple[str, Tree]:
    """The name of a value, and what it lays on its cells."""
    plain = not isinstance(given, Mapping)
    name = given if plain else given.get("name")
    if not isinstance(name, (str, int, float)) or not str(name).strip():
        raise ParameterError(f"{where}: a value needs a name, got {given!r}")
    if not plain:
        _check_keys(given, ("name", *OF_CELL), where)
    elif not pattern:
        raise ParameterError(
            f"{where}: nothing says what {given!r} is laid on; write a table with a name, or "
            f"beside `values` what all values lay on their cells, with {VALUE!r} in it"
        )
    own = {} if plain else {key: given[key] for key in OF_CELL if key in given}
    return str(name), overlay(_filled(pattern, name), own)


def _filled(pattern: Any, value: Any) -> Any:
    """The pattern with the value where it stands for it."""
    if isinstance(pattern, Mapping):
        return {key: _filled(item, value) for key, item in pattern.items()}
    if isinstance(pattern, list):
        return [_filled(item, value) for item in pattern]
    if not isinstance(pattern, str) or pattern == VALUE:
        return value if pattern == VALUE else pattern
    return pattern.replace(VALUE, str(value))


def _cells(grid: Tree, axes: Axes) -> Iterator[tuple[dict[str, str], Tree]]:
    """Coordinates and parts of each combination of values; the last axis runs fastest."""
    for names in itertools.product(*axes.values()):
        cell = dict(zip(axes, names, strict=True))
        yield cell, _parts(grid, axes, cell)


def _parts(grid: Tree, axes: Axes, cell: Mapping[str, str]) -> Tree:
    """What the grid and the values at these coordinates lay on a cell."""
    parts: Tree = {key: grid[key] for key in OF_CELL if key in grid}
    for axis, name in cell.items():
        parts = overlay(unpinned(parts, axes[axis][name]), axes[axis][name])
    return parts


def _floors(grid: Tree, axes: Axes, cells: Sequence[Tree]) -> Iterator[Tree]:
    """The floors and ceilings of the grid beside each of the cells that they stand beside."""
    for place, floor in enumerate(grid.get("floors", [])):
        where = f"grid.floors[{place}]"
        if not isinstance(floor.get("label"), str):
            raise ParameterError(f"{where} needs a label")
        _check_keys(floor, ("label", "role", "beside", *OF_CELL), where)
        role = _role(floor, "floor", ("floor", "ceiling"), where)
        beside = list(_beside(floor.get("beside", list(axes)), axes, cells, f"{where}.beside"))
        for cell in beside:
            label = _label(floor["label"], cell, f"{where}.label")
            if label == floor["label"] and len(beside) > 1:
                label = f"{label}: {', '.join(cell.values())}"
            own = {key: floor[key] for key in OF_CELL if key in floor}
            parts = overlay(unpinned(_parts(grid, axes, cell), own), own)
            yield {
                "label": label,
                "role": role,
                "cell": cell,
                **_beside_cell(parts, within(cells, cell), label),
            }


def _beside(
    given: Any, axes: Axes, cells: Sequence[Tree], where: str
) -> Iterator[Mapping[str, str]]:
    """Coordinates of what a floor stands beside: cells that are named, or values of axes."""
    names = list(given) if isinstance(given, (Mapping, list)) else [given]
    for name in names:
        if name not in axes:
            raise UnknownNameError(f"axis in {where}", str(name), axes)
    if isinstance(given, Mapping):
        for axis, value in given.items():
            if str(value) not in axes[axis]:
                raise UnknownNameError(f"value of axis {axis} in {where}", str(value), axes[axis])
        yield from (cell["cell"] for cell in within(cells, given))
        return
    for values in itertools.product(*(axes[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def within(cells: Iterable[Tree], coordinates: Mapping[str, Any]) -> list[Tree]:
    """The tables whose cell has these coordinates, whatever its others are."""
    wanted = {axis: str(value) for axis, value in coordinates.items()}.items()
    return [table for table in cells if wanted <= table["cell"].items()]


def _beside_cell(parts: Tree, cells: Sequence[Tree], label: str) -> Tree:
    """The parts of a floor, whose explainer builds on that of the cells it stands beside."""
    explainer = as_table(parts.get("explainer", {}))
    if SUBJECT not in explainer.values():
        return parts
    if any(cell.get("explainer") != cells[0].get("explainer") for cell in cells):
        raise ParameterError(
            f"grid: floor {label!r} builds on {SUBJECT!r}, and the cells it stands beside have "
            "several explainers; let it stand beside every cell"
        )
    beside = f"{SUBJECT}:{cells[0]['label']}"
    own = {key: beside if value == SUBJECT else value for key, value in explainer.items()}
    return {**parts, "explainer": own}


def _label(template: Any, cell: Mapping[str, str], where: str) -> str:
    """The template with the names of values where it has the names of their axes in braces."""
    if not isinstance(template, str):
        raise ParameterError(f"{where}: expected a text, got {template!r}")

    def filled(match: re.Match[str]) -> str:
        if match[1] not in cell:
            raise UnknownNameError(f"axis in {where}", match[1], cell)
        return cell[match[1]]

    return PLACEHOLDER.sub(filled, template)


def _check_apart(cells: Sequence[Tree], template: str) -> None:
    """Refuse two cells with one label, and two that are the same but for their names."""
    labels: dict[str, Tree] = {}
    alike: dict[str, Tree] = {}
    for cell in cells:
        if cell["label"] in labels:
            raise ParameterError(
                f"grid.label {template!r} gives two cells the label {cell['label']!r}: name in it "
                f"each axis, {', '.join(f'{{{axis}}}' for axis in cell['cell'])}"
            )
        labels[cell["label"]] = cell
        content = json.dumps({k: cell[k] for k in OF_CELL if k in cell}, default=str)
        other = alike.setdefault(content, cell)
        if other is not cell:
            raise ParameterError(
                f"grid: {other['label']!r} and {cell['label']!r} are the same but for their names; "
                "was one component chosen for all values of an axis?"
            )


def _check_contradictions(axes: Axes) -> None:
    """Refuse two axes that say different things of one parameter: one would be ignored."""
    for (one, values), (other, others) in itertools.combinations(axes.items(), 2):
        for (name, parts), (second, more) in itertools.product(values.items(), others.items()):
            leaves = dict(_leaves(more))
            for path, leaf in _leaves(parts):
                if leaves.get(path, leaf) != leaf:
                    raise ParameterError(
                        f"grid: {one} {name!r} has {'.'.join(path)} = {leaf!r}, and {other} "
                        f"{second!r} has {leaves[path]!r}; let one axis alone say it"
                    )


def _leaves(parts: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every parameter that is set, with its path; a component that is but named has its name."""
    for key, value in parts.items():
        table = {"name": value} if key in OF_CELL and isinstance(value, str) else value
        if isinstance(table, Mapping):
            yield from (((key, *path), leaf) for path, leaf in _leaves(table))
        else:
            yield (key,), table


def _role(table: Tree, default: str, known: Sequence[str], where: str) -> str:
    role = str(table.get("role", default))
    if role not in known:
        raise UnknownNameError(f"role in {where}", role, known)
    return role


def _check_keys(table: Tree, known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise UnknownNameError(f"key in {where}", key, known)
