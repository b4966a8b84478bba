"""Which of ImageNet's classes stand for one of CIFAR-10's: a table that anybody can replace."""

import functools
from collections.abc import Sequence
from importlib.resources import files

from xbench import DatasetError, TableRow, content_hash, line_error, read_spreadsheet
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.imagenet.layouts import WORDNET_ID

BUNDLED = files("xbench_datasets") / "data" / "imagenet-far.csv"
Classes = tuple[tuple[str, str], ...]
"""Each WordNet id, and the class of CIFAR-10 that it stands for."""
COLUMNS = ("class", "synset")
WAY_OUT = (
    "a table has the columns class and synset, and a line for each synset, such as "
    f"deer,n02417914; the bundled one is {BUNDLED}"
)


def classes_by_synset(file: str, what: str) -> Classes:
    """What each synset of a table stands for; "" for the bundled table.

    `DatasetError` names the line of a table that is wrong, and classes without a synset.
    """
    return _classes_by_synset(file, content_hash(file) if file else "", what)


@functools.lru_cache(maxsize=8)
def _classes_by_synset(file: str, content: str, what: str) -> Classes:
    where = f"{what}: {file or BUNDLED.name}"
    (_, head), *rows = read_spreadsheet(file or BUNDLED, where) or [TableRow(1, [])]
    absent = [name for name in COLUMNS if name not in head]
    if absent:
        raise DatasetError(f"{where}: its first line lacks {' and '.join(absent)}; {WAY_OUT}")
    classes: dict[str, str] = {}
    for line, cells in rows:
        _add(classes, *_pair(line, head, cells, where), line, where)
    lacking = [name for name in CIFAR10 if name not in classes.values()]
    if lacking:
        raise DatasetError(f"{where}: no synset stands for {', '.join(lacking)}; {WAY_OUT}")
    return tuple(classes.items())


def _pair(line: int, head: Sequence[str], cells: Sequence[str], where: str) -> tuple[str, str]:
    """The class and the synset of a line."""
    row = dict(zip(head, cells, strict=False))
    name, synset = (row.get(column, "") for column in COLUMNS)
    if name not in CIFAR10:
        raise line_error(where, line, f"{name!r} is no class; classes are {', '.join(CIFAR10)}")
    if not WORDNET_ID.fullmatch(synset):
        raise line_error(where, line, f"{synset!r} is no WordNet id such as n02417914")
    return name, synset


def _add(classes: dict[str, str], name: str, synset: str, line: int, where: str) -> None:
    if synset in classes:
        raise line_error(where, line, f"{synset} stands for {classes[synset]} already")
    classes[synset] = name
