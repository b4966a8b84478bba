"""Losses that know a tree above the classes, after "Making Better Mistakes" (CVPR 2020)."""

import functools
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor
from torch.nn import functional

from xbench import (
    Batch,
    Dataset,
    ImageSet,
    Loss,
    MismatchError,
    Targets,
    Tree,
    batch_dataset,
    location,
)
from xbench_explicable.kernels.hierarchy import (
    Descent,
    descent_from_depths,
    hierarchical_cross_entropies,
)
from xbench_explicable.kernels.targets import soft_labels
from xbench_explicable.losses.limits import refuse_negative
from xbench_explicable.similarities.class_tree import (
    ClassTree,
    Hierarchy,
    class_tree,
    refuse_unread,
    tree_digests,
)

CPU = torch.device("cpu")


@dataclass(frozen=True)
class HierarchicalCrossEntropy(Loss):
    """Cross-entropy edge by edge, from the root down to the class; deeper edges weigh less.

    −Σ_l λ(C_l) log P(C_l | C_l+1) over the nodes C_l from the class to below the root, with
    λ(C) = exp(−α h(C)) and h the number of edges from the root (Bertinetto et al. 2020,
    section 3). Weights are not normalised, as in the paper: with α = 0 this is
    cross-entropy. The authors' code divides by the sum of the weights of all nodes.
    """

    name: ClassVar[str] = "hierarchical-cross-entropy"

    alpha: float = 0.1
    """How fast what the loss weighs decays down the tree; the authors tried 0.1 to 0.9."""
    hierarchy: Hierarchy = "dataset"
    synsets: str = location("")
    """A table of class,synset for classes whose names do not tell which noun is meant."""
    wordnet: str = location("")
    """The folder of a full WordNet 3.0 in place of the bundled nouns."""

    def __post_init__(self) -> None:
        """Check the values."""
        refuse_unread(self.hierarchy, self.synsets, self.wordnet)
        refuse_negative("alpha", self.alpha)

    def parameters(self) -> Tree:
        """The fields, and what is in the files that WordNet's tree is made of."""
        return {**super().parameters(), **_tree_digests(self)}

    def check(self, images: ImageSet) -> None:
        """Raise why there is no tree above this dataset's classes."""
        self.descent(images.dataset)

    def descent(self, dataset: Dataset) -> Descent:
        """What each node above the dataset's classes weighs; to be read, not written."""
        return _descent(self, _tree(self, dataset), CPU, torch.float64)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The images as they are, and one-hot labels.

        `MismatchError` for images from nowhere, or where the dataset has not `classes` classes.
        """
        batch_dataset(batch, classes, self.name)
        one_hot = functional.one_hot(batch.known_labels(), classes).to(batch.images.dtype)
        return Targets(batch.images, one_hot, batch.source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """The loss, averaged over the batch. `MismatchError` for targets without a source."""
        if targets.source is None:
            message = f"loss {self.name!r} scores targets of a dataset, and these are of none; "
            raise MismatchError(message + "give the targets their `source`")
        tree = _tree(self, targets.source.dataset)
        descent = _descent(self, tree, logits.device, logits.dtype)
        return hierarchical_cross_entropies(logits, targets.distribution, descent).mean()


@dataclass(frozen=True)
class SoftHierarchicalLabels(Loss):
    """Cross-entropy against labels that are softened towards classes nearby in the tree.

    The target of class C gives class A a share ∝ exp(−β d(A, C)), d the height of their
    lowest common ancestor over the height of the tree (Bertinetto et al. 2020, section 3).
    """

    name: ClassVar[str] = "soft-hierarchical-labels"

    beta: float = 30.0
    """How hard the labels are; 0 makes all classes equal. The authors tried 4 to 30."""
    hierarchy: Hierarchy = "dataset"
    synsets: str = location("")
    """A table of class,synset for classes whose names do not tell which noun is meant."""
    wordnet: str = location("")
    """The folder of a full WordNet 3.0 in place of the bundled nouns."""

    def __post_init__(self) -> None:
        """Check the values."""
        refuse_unread(self.hierarchy, self.synsets, self.wordnet)
        refuse_negative("beta", self.beta)

    def parameters(self) -> Tree:
        """The fields, and what is in the files that WordNet's tree is made of."""
        return {**super().parameters(), **_tree_digests(self)}

    def check(self, images: ImageSet) -> None:
        """Raise why there is no tree above this dataset's classes."""
        self.rows(images.dataset)

    def rows(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """The target of each class, row by row; to be read, not written."""
        return _rows(self, _tree(self, dataset), CPU, torch.float64)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The images as they are, and the soft label of each.

        `MismatchError` for images from nowhere, or where the dataset has not `classes` classes.
        """
        tree = _tree(self, batch_dataset(batch, classes, self.name))
        rows = _rows(self, tree, batch.images.device, batch.images.dtype)
        return Targets(batch.images, rows[batch.known_labels()], batch.source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """Cross-entropy, averaged over the batch."""
        return functional.cross_entropy(logits, targets.distribution)


def _tree(loss: HierarchicalCrossEntropy | SoftHierarchicalLabels, dataset: Dataset) -> ClassTree:
    """The tree that the loss knows."""
    return class_tree(dataset, loss.hierarchy, loss.synsets, loss.wordnet)


def _tree_digests(loss: HierarchicalCrossEntropy | SoftHierarchicalLabels) -> Tree:
    """A hash of each file that WordNet's tree is made of."""
    return tree_digests(loss.hierarchy, loss.synsets, loss.wordnet)


def tree_descent(tree: ClassTree, alpha: float) -> Descent:
    """What each node between the root and the classes weighs in the tree."""
    root = tree.ancestors[0][-1]
    inner = [node for node in tree.nodes() if node != root]
    places = {node: place for place, node in enumerate(inner)}
    triples = [
        (label, places[node], len(line) - steps)
        for label, line in enumerate(tree.ancestors)
        for steps, node in enumerate(line[:-1], start=1)
    ]
    leaves, nodes, depths = torch.tensor(triples, dtype=torch.int64).reshape(-1, 3).T
    class_depths = torch.tensor([len(line) for line in tree.ancestors])
    return descent_from_depths(leaves, nodes, depths, class_depths, alpha)


@functools.lru_cache(maxsize=16)
def _descent(
    loss: HierarchicalCrossEntropy, tree: ClassTree, device: torch.device, dtype: torch.dtype
) -> Descent:
    """The weights where they are needed: made once, not at every step."""
    if (device, dtype) == (CPU, torch.float64):
        return tree_descent(tree, loss.alpha)
    leaves, nodes, own, above = _descent(loss, tree, CPU, torch.float64)
    moved = leaves.to(device), nodes.to(device), own.to(device, dtype), above.to(device, dtype)
    return Descent(*moved)


@functools.lru_cache(maxsize=16)
def _rows(
    loss: SoftHierarchicalLabels, tree: ClassTree, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """The targets of all classes where they are needed: made once, not at every step."""
    if (device, dtype) == (CPU, torch.float64):
        return soft_labels(tree.lca_heights() / tree.height, loss.beta)
    return _rows(loss, tree, CPU, torch.float64).to(device, dtype)
