"""The image sets of a benchmark by role: splits of its dataset, and further test sets."""

from collections.abc import Mapping
from typing import Any

from xbench.components.specification import Builder
from xbench.errors import DatasetError, ParameterError, UnknownNameError
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.data.transform import Transform

OF_DATASET = ("train", "validation", "test")
"""Roles of splits that are always of the benchmark's own dataset."""


def image_sets(
    tree: Tree, transform: Transform, dataset: Dataset, builder: Builder
) -> dict[str, ImageSet]:
    """Splits of the dataset by role; a table names another dataset, for a further test set.

    A further test set whose split is "" is left out.
    """
    sets = {}
    for role, given in tree["splits"].items():
        if given == "" and role not in OF_DATASET:
            continue
        if not isinstance(given, str) and role in OF_DATASET:
            raise ParameterError(f"splits.{role}: expected a split's name, got {given!r}")
        if isinstance(given, str):
            sets[role] = ImageSet(dataset, given, transform)
        else:
            sets[role] = _of_another(given, f"splits.{role}", transform, builder)
    return sets


def _of_another(tree: Any, where: str, transform: Transform, builder: Builder) -> ImageSet:
    if not isinstance(tree, Mapping) or "dataset" not in tree:
        raise ParameterError(f"{where}: expected a split's name, or a table with a dataset")
    for key in tree:
        if key not in ("dataset", "split"):
            raise UnknownNameError(f"key in {where}", key, ("dataset", "split"))
    dataset: Dataset = builder.build("dataset", tree["dataset"], f"{where}.dataset")
    return ImageSet(dataset, str(tree.get("split", "test")), transform)


def check_datasets(datasets: Mapping[str, ImageSet]) -> None:
    """Raise `DatasetError` with all that is wrong with datasets.

    It says of each further test set how to do without it.
    """
    problems: dict[str, str] = {}
    for role, images in datasets.items():
        try:
            images.dataset.check()
        except DatasetError as error:
            problems.setdefault(str(error), role)
    if problems:
        raise DatasetError(" ".join(_words(role, text) for text, role in problems.items()))


def _words(role: str, problem: str) -> str:
    """The problem, and for a further test set whose it is and how it is left out."""
    if role in OF_DATASET:
        return problem
    key = f'"{role}"' if "." in role else role
    without = f"-p 'splits.{key}=\"\"' leaves it out."
    return f"Test set {role!r}: {problem.removesuffix('.')}. {without}"
