"""Trees above the classes of a dataset."""

import functools
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import ClassHierarchy, Dataset, MismatchError, Tree, annotated
from xbench_explicable.kernels.paths import common_heights, path_lengths
from xbench_explicable.similarities.matching import quoted
from xbench_explicable.wordnet.nouns import parent_synsets
from xbench_explicable.wordnet.senses import source_digests, synsets

Hierarchy = Literal["dataset", "wordnet"]
ROOT = "(all classes)"
"""What stands above trees that have no node in common."""


@dataclass(frozen=True)
class ClassTree:
    """A tree whose leaves are the classes, in their order.

    `MismatchError` where a node stands below two others, or the classes share no root.
    """

    names: tuple[str, ...]
    ancestors: tuple[tuple[str, ...], ...]
    """For each class its ancestors, nearest first, up to the root that all share."""

    def __post_init__(self) -> None:
        """Refuse what is no tree."""
        if len(self.names) != len(self.ancestors):
            raise MismatchError(
                f"a tree of {len(self.ancestors)} classes cannot have {len(self.names)} names"
            )
        roots = list(dict.fromkeys(line[-1] if line else "" for line in self.ancestors))
        if len(roots) > 1 or roots == [""]:
            raise MismatchError(f"a class tree needs one root, not {quoted(roots)}")
        _check_parents(self.ancestors)

    @property
    def height(self) -> int:
        """The most steps from the root down to a class."""
        return max(map(len, self.ancestors), default=0)

    def nodes(self) -> tuple[str, ...]:
        """All nodes above the classes, in the order in which they first come."""
        return tuple(dict.fromkeys(node for line in self.ancestors for node in line))

    def lca_heights(self) -> Float64[Tensor, "classes classes"]:
        """The height of the lowest common ancestor; 0 on the diagonal.

        The height of a node is the most steps from it down to a class.
        """
        return common_heights(self._steps_up())

    def path_lengths(self) -> Float64[Tensor, "classes classes"]:
        """Steps from one class up to the lowest common ancestor and down to another."""
        return path_lengths(self._steps_up()).fill_diagonal_(0)

    def _steps_up(self) -> Float64[Tensor, "classes nodes"]:
        places = {node: place for place, node in enumerate(self.nodes())}
        up = torch.full((len(self.names), len(places)), torch.inf, dtype=torch.float64)
        for row, line in enumerate(self.ancestors):
            for steps, node in enumerate(line, start=1):
                up[row, places[node]] = steps
        return up


def _check_parents(ancestors: tuple[tuple[str, ...], ...]) -> None:
    """Each node has one parent, so no node is above itself either."""
    parents: dict[str, str] = {}
    for line in ancestors:
        if len(set(line)) < len(line):
            raise MismatchError(f"no tree: a node stands above itself in {quoted(line)}")
        for node, parent in zip(line, (*line[1:], ""), strict=True):
            if parents.setdefault(node, parent) != parent:
                raise MismatchError(
                    f"no tree: {node!r} stands below {parents[node]!r} and below {parent!r}"
                )


def class_tree(
    dataset: Dataset, hierarchy: Hierarchy, table: str = "", folder: str = ""
) -> ClassTree:
    """The tree above a dataset's classes: its own, or WordNet's.

    Of a dataset's own trees without a common node, `(all classes)` becomes the root. WordNet
    is no tree: of several hypernyms a synset keeps the one farthest from the root, which says
    most (a dog stays a canine rather than a domestic animal), and of those the one that comes
    first in WordNet's files. Of WordNet's, `table` has the synset of each class and
    `folder` the nouns, where they are given.
    """
    if hierarchy == "dataset":
        return _dataset_tree(dataset, dataset.class_names())
    state = str(source_digests(table, folder))
    return _wordnet_tree(dataset, dataset.class_names(), table, folder, state)


def tree_digests(hierarchy: str, table: str, folder: str) -> Tree:
    """A hash of each file that WordNet's tree is made of; nothing for another tree."""
    return source_digests(table, folder) if hierarchy == "wordnet" else {}


def refuse_unread(hierarchy: str, table: str, folder: str) -> None:
    """`ValueError` for files that no other tree than WordNet's is made of."""
    for name, value in (("synsets", table), ("wordnet", folder)):
        if value and hierarchy != "wordnet":
            raise ValueError(f'{name} is {value!r}; only hierarchy = "wordnet" reads it')


@functools.lru_cache(maxsize=16)
def _dataset_tree(dataset: Dataset, names: tuple[str, ...]) -> ClassTree:
    """For classes of these names, which may change while a dataset's files do."""
    return ClassTree(names, _rooted_lines(annotated(dataset, ClassHierarchy).class_ancestors()))


@functools.lru_cache(maxsize=16)
def _wordnet_tree(
    dataset: Dataset, names: tuple[str, ...], table: str, folder: str, state: str
) -> ClassTree:
    """The same; `state` tells one content of the files from another."""
    return ClassTree(names, _wordnet_lines(synsets(dataset, "corrected", table, folder)))


def _rooted_lines(lines: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    roots = {line[-1] if line else "" for line in lines}
    if len(roots) == 1 and roots != {""}:
        return lines
    return tuple((*line, ROOT) for line in lines)


def _wordnet_lines(class_synsets: list[Any]) -> tuple[tuple[str, ...], ...]:
    """Of each synset the nodes above it.

    A class hangs below its own synset where that also stands above another class, or is that
    of two, so that every class is a leaf.
    """
    lines = [_hypernym_line(synset) for synset in class_synsets]
    inner = {node for line in lines for node in line[1:]}
    own_synsets = [line[0] for line in lines]
    shared = {node for node in own_synsets if own_synsets.count(node) > 1}
    class_lines = [line if line[0] in inner | shared else line[1:] for line in lines]
    return tuple(tuple(node.name() for node in line) for line in class_lines)


def _hypernym_line(synset: Any) -> list[Any]:
    """The synset and one line of hypernyms up to the root."""
    line = [synset]
    while parents := parent_synsets(line[-1]):
        line.append(min(parents, key=lambda node: (-node.max_depth(), node.offset())))
    return line
