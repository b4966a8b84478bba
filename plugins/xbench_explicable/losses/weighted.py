"""The weighted loss: cross-entropy against what people would expect to be confused."""

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor
from torch.nn import functional

from xbench import (
    Batch,
    Dataset,
    ImageSet,
    Loss,
    Similarity,
    Targets,
    batch_dataset,
    checked_similarity,
    normalised_similarity,
)
from xbench_explicable.kernels.targets import softmax_rows
from xbench_explicable.losses.limits import refuse_negative

Preset = Literal["normalised", "softmax"]
State = tuple[str, tuple[str, ...]]
"""Parameters, which tell one content of files from another, and names of classes."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class WeightedLoss(Loss):
    """Cross-entropy against the true class's row of a class similarity (eq. 1 of the paper).

    The target of a label is its row divided by its sum (`normalised`, the paper's text) or
    softmax(scale · row) of the row as it comes (`softmax`, the authors' code). Scores are
    linear in the targets: mixed targets have the mixed score.
    """

    name: ClassVar[str] = "weighted"
    example: ClassVar = MappingProxyType({"similarity": "hierarchy"})

    similarity: Similarity
    preset: Preset = "normalised"
    scale: float = 1.0
    """Of `softmax`: 0 makes all classes equal, a large one approaches the label."""

    def __post_init__(self) -> None:
        """Check the values."""
        refuse_negative("scale", self.scale)
        if self.preset == "normalised" and self.scale != 1:
            raise ValueError(f'scale is {self.scale}; only preset = "softmax" has a scale')

    def check(self, images: ImageSet) -> None:
        """Raise what is wrong with the similarity of this dataset's classes."""
        self.rows(images.dataset)

    def rows(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """The target of each class, row by row; to be read, not written."""
        return _rows(self, dataset, self._state(dataset), CPU, torch.float64)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The images as they are, and the row of each label.

        `MismatchError` for images from nowhere, or where the dataset has not `classes` classes.
        """
        dataset = batch_dataset(batch, classes, self.name)
        images = batch.images
        rows = _rows(self, dataset, self._state(dataset), images.device, images.dtype)
        return Targets(images, rows[batch.known_labels()], batch.source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """Cross-entropy, averaged over the batch."""
        return functional.cross_entropy(logits, targets.distribution)

    def _state(self, dataset: Dataset) -> State:
        """What the rows depend on; asked for at every step, so nothing is hashed."""
        return str(self.similarity.parameters()), dataset.class_names()


@functools.lru_cache(maxsize=16)
def _rows(
    loss: WeightedLoss, dataset: Dataset, state: State, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """The targets of all classes where they are needed: made once, not at every step."""
    if (device.type, dtype) != ("cpu", torch.float64):
        return _rows(loss, dataset, state, CPU, torch.float64).to(device, dtype)
    matrix = _matrix(loss.similarity, dataset, state)
    return (
        softmax_rows(matrix, loss.scale)
        if loss.preset == "softmax"
        else normalised_similarity(matrix)
    )


@functools.lru_cache(maxsize=8)
def _matrix(similarity: Similarity, dataset: Dataset, state: State) -> Tensor:
    what = f"similarity {similarity.name!r} of dataset {dataset.name!r}"
    return checked_similarity(similarity.matrix(dataset), dataset.class_names(), what)
