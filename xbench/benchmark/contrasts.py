"""Contrasts: which entries a file names, by their labels or by their coordinates in a grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from xbench.benchmark.grid import SUBJECT
from xbench.benchmark.lines import Line
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Tree


@dataclass(frozen=True)
class Contrast:
    """A difference between two entries that answers a question."""

    title: str
    of: str
    minus: str


class Pair(NamedTuple):
    """Two lines that are compared, and what tells this pair from others of the same names."""

    of: Line
    minus: Line
    suffix: str


def contrasts(tree: Tree, lines: Sequence[Line]) -> Iterator[Contrast]:
    """The contrasts between lines that are there."""
    for place, table in enumerate(tree.get("contrasts", [])):
        where = f"contrasts[{place}]"
        _check_keys(table, ("title", "of", "minus"), where)
        for of, minus, suffix in _pairs(table["of"], table["minus"], lines, where):
            yield Contrast(f"{table['title']}{suffix}", of.label, minus.label)


def with_labels(published: Tree, lines: Sequence[Line]) -> Tree:
    """The table `[published]` with the labels of the lines whose coordinates it names.

    Rows and claims of cells that are not there are left out.
    """
    rows = published.get("rows", [])
    orders = published.get("orders", [])
    return {
        **published,
        "rows": [row for place, of in enumerate(rows) for row in _row(of, lines, place)],
        "orders": [one for place, of in enumerate(orders) for one in _orders(of, lines, place)],
    }


def _row(row: Tree, lines: Sequence[Line], place: int) -> Iterator[Tree]:
    if not isinstance(row.get("label"), Mapping):
        yield row
        return
    named = _named(row["label"], lines, f"published.rows[{place}].label")
    if len(named) > 1:
        labels = ", ".join(repr(line.label) for line in named)
        raise ParameterError(f"published.rows[{place}].label names several entries: {labels}")
    yield from ({**row, "label": line.label} for line in named)


def _orders(order: Tree, lines: Sequence[Line], place: int) -> Iterator[Tree]:
    higher, lower = order.get("higher"), order.get("lower")
    if not isinstance(higher, Mapping) and not isinstance(lower, Mapping):
        yield order
        return
    for of, minus, suffix in _pairs(higher, lower, lines, f"published.orders[{place}]"):
        claim = f"{order['claim']}{suffix}" if order.get("claim") else ""
        yield {**order, "higher": of.label, "lower": minus.label, "claim": claim}


def _pairs(of: Any, minus: Any, lines: Sequence[Line], where: str) -> list[Pair]:
    """Each line of the first name with that of the second; on axes not named they are alike."""
    pairs = [
        (one, other)
        for one in _named(of, lines, where)
        for other in _named(minus, lines, where, base=one.cell)
        if other.label != one.label
    ]
    several = len(pairs) > 1
    return [
        Pair(one, other, _free(one if one.cell else other, (of, minus)) if several else "")
        for one, other in pairs
    ]


def _free(line: Line, names: Sequence[Any]) -> str:
    """The line's coordinates on the axes that are not named, as the end of a title."""
    fixed = {axis for name in names if isinstance(name, Mapping) for axis in name}
    free = [value for axis, value in line.cell.items() if axis not in fixed]
    return f": {', '.join(free)}" if free else ""


def _named(
    name: Any, lines: Sequence[Line], where: str, base: Mapping[str, str] | None = None
) -> list[Line]:
    """The lines of this label, or the entries with these coordinates and else those of `base`.

    `@entry` is the first entry.
    """
    entries = [line for line in lines if line.role == "entry"]
    if not isinstance(name, Mapping):
        return entries[:1] if name == SUBJECT else [of for of in lines if of.label == name]
    axes = {axis for line in lines for axis in line.cell}
    for axis in name if axes else ():
        if axis not in axes:
            raise UnknownNameError(f"axis in {where}", axis, axes)
    wanted = {**(base or {}), **{axis: str(value) for axis, value in name.items()}}
    return [line for line in entries if line.cell and wanted.items() <= line.cell.items()]


def _check_keys(table: Tree, keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise UnknownNameError(f"key in {where}", key, keys)
    for key in keys:
        if key not in table:
            raise ParameterError(f"{where} lacks {key!r}")
