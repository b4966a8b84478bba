"""Targets that are known before a training: one distribution for each image of a set."""

import functools
from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64, Int64
from torch import Generator, Tensor
from torch.nn import functional

from xbench import Batch, Dataset, ImageSet, Loss, MismatchError, Targets, batch_dataset
from xbench_softlabels.targets.judgements import set_places

CPU = torch.device("cpu")


class ImageTargets(Loss):
    """Cross-entropy with a distribution for each image of the set that a batch comes from.

    Scores are linear in the targets: mixed targets have the mixed score.
    """

    @abstractmethod
    def distributions(self, images: ImageSet) -> Float64[Tensor, "n classes"]:
        """The target of each image, in the order of the set's ids, or what is wrong with them."""

    @property
    def of_images(self) -> bool:
        """They are."""
        return True

    def check(self, images: ImageSet) -> None:
        """Raise what is wrong with the targets of these images."""
        self.distributions(images)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The images as they are, and the distribution of each.

        They are those of the set that the batch comes from, whatever else was trained on.
        `MismatchError` for images from nowhere, for images that the set does not have, and where
        its dataset has not `classes` classes.
        """
        source, places = batch_places(batch, classes, self.name)
        device, dtype = batch.images.device, batch.images.dtype
        state = str(self.parameters()), source.dataset.fingerprint()
        rows = _rows(self, source, state, device, dtype)
        return Targets(batch.images, rows[places.to(device)], source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """Cross-entropy, averaged over the batch."""
        return functional.cross_entropy(logits, targets.distribution)


def batch_places(batch: Batch, classes: int, loss: str) -> tuple[ImageSet, Int64[Tensor, " n"]]:
    """The set that the batch comes from, and where its images stand among the set's ids."""
    dataset = batch_dataset(batch, classes, loss)
    source = batch.source
    assert source is not None  # noqa: S101 - its dataset was asked for
    places = set_places(source)
    unknown = [image for image in batch.ids if image not in places]
    if unknown:
        raise _stranger(unknown, dataset, source.split, loss)
    return source, torch.tensor([places[image] for image in batch.ids], dtype=torch.int64)


def _stranger(ids: Sequence[int], dataset: Dataset, split: str, loss: str) -> MismatchError:
    return MismatchError(
        f"loss {loss!r}: image {ids[0]} is none of those that the batch is said to come from, "
        f"split {split!r} of dataset {dataset.name!r}"
    )


@functools.lru_cache(maxsize=16)
def _rows(
    loss: ImageTargets,
    images: ImageSet,
    state: tuple[str, str],
    device: torch.device,
    dtype: torch.dtype,
) -> Tensor:
    """The targets where they are needed: made once, not at every step."""
    if (device, dtype) != (CPU, torch.float64):
        return _rows(loss, images, state, CPU, torch.float64).to(device, dtype)
    return loss.distributions(images)
