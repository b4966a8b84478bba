"""Datasets: images, labels, class names, splits; and the view a network has of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, cast

import torch
from jaxtyping import Float, Int16, Int64, UInt8
from torch import Tensor

from xbench.errors import DatasetError, MismatchError
from xbench.interfaces.component import Component, Tree, fields_tree, is_location
from xbench.interfaces.data.annotation import Annotation, ObjectBoxes, PartMasks, PartPoints
from xbench.interfaces.data.download import Download
from xbench.interfaces.data.transform import Transform


class Dataset(Component):
    """Images with labels. What else it knows, it says by implementing annotation kinds.

    Cheap to construct: files are read when a method needs them, and `check` reads
    enough of them to say what is missing.
    """

    kind: ClassVar[str] = "dataset"
    has_labels: ClassVar[bool] = True
    """Whether the labels of images are known; where not, `labels` raises `MismatchError`."""

    def parameters(self) -> Tree:
        """The fields, those aside that say where files lie: the fingerprint speaks for these."""
        places = [field.name for field in fields(self) if is_location(field)]  # type: ignore[arg-type]
        return fields_tree(self, but=tuple(places))

    def tree(self) -> Tree:
        """Everything that identifies the dataset and its content."""
        return {**super().tree(), "fingerprint": self.fingerprint()}

    @abstractmethod
    def check(self) -> None:
        """Raise `DatasetError` if files are missing or damaged; say how to get them."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of everything that images, labels and annotations depend on."""

    def training_fingerprint(self) -> str:
        """A hash of what images and labels for trainings depend on.

        The whole fingerprint, unless a dataset knows that its test images have no part in that.
        """
        return self.fingerprint()

    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their labels."""

    @abstractmethod
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""

    @abstractmethod
    def ids(self, split: str) -> Sequence[int]:
        """Ids of a split's images. An id belongs to at most one split."""

    @abstractmethod
    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The label of each image."""

    @abstractmethod
    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images, RGB; a tensor of shape (n, 3, h, w) where all have one size."""

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width of each image; override where it can be had without decoding."""
        return [(image.shape[-2], image.shape[-1]) for image in self.images(ids)]

    def fresh(self, seed: int) -> "Dataset | None":
        """The dataset with as many other test images, which a seed of at least 1 decides.

        Nobody has seen them, what trainings depend on stays as it is, and the ids are others than
        this dataset has. None unless overridden: most datasets have all the images they ever will.
        """
        return None

    def downloads(self) -> tuple[Download, ...]:
        """What `xbench data get` fetches; nothing for a dataset that needs no files."""
        return ()

    def verify(self) -> list[str]:
        """One line for each missing or damaged file; may read everything, `check` does not."""
        try:
            self.check()
        except DatasetError as error:
            return [str(error)]
        return []


@dataclass(frozen=True)
class DerivedDataset(Dataset):
    """A dataset that is made of another one: unless overridden, everything but ids is that one's.

    Ids are those of the other dataset.
    """

    of: Dataset

    def check(self) -> None:
        """Raise what the other dataset raises."""
        self.of.check()

    def verify(self) -> list[str]:
        """What is missing or damaged of the other dataset, then what this one's check finds."""
        return self.of.verify() or super().verify()

    def downloads(self) -> tuple[Download, ...]:
        """Those of the other dataset."""
        return self.of.downloads()

    def class_names(self) -> tuple[str, ...]:
        """Those of the other dataset."""
        return self.of.class_names()

    def splits(self) -> tuple[str, ...]:
        """Those of the other dataset."""
        return self.of.splits()

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """Those of the other dataset."""
        return self.of.labels(ids)

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images as they are."""
        return self.of.images(ids)

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width of each image."""
        return self.of.sizes(ids)


@dataclass(frozen=True, eq=False)
class Batch:
    """Images as a network sees them, in [0, 1], with what is known about them."""

    images: Float[Tensor, "n 3 h w"]
    ids: tuple[int, ...]
    labels: Int64[Tensor, " n"] | None = None
    source: "ImageSet | None" = None
    """Where the images come from; None for images from outside any dataset."""

    def known_labels(self) -> Int64[Tensor, " n"]:
        """The labels, or `MismatchError` where they are not known."""
        if self.labels is None:
            raise MismatchError("the labels of these images are not known, and are needed")
        return self.labels

    def to(self, device: torch.device) -> "Batch":
        """The same batch with its tensors on `device`."""
        labels = None if self.labels is None else self.labels.to(device)
        return Batch(self.images.to(device), self.ids, labels, self.source)


def batch_dataset(batch: Batch, classes: int, loss: str) -> Dataset:
    """The dataset that a batch is of, for a loss that asks it about its classes.

    `MismatchError`, which names the loss, where the batch is of none, or of other than `classes`.
    """
    if batch.source is None:
        message = f"loss {loss!r} asks a dataset about its classes, and these images are of none; "
        raise MismatchError(message + "give the batch its `source`")
    dataset = batch.source.dataset
    count = len(dataset.class_names())
    if count != classes:
        message = f"loss {loss!r}: dataset {dataset.name!r} has {count} classes, "
        raise MismatchError(f"{message}but targets of {classes} are asked for")
    return dataset


class Part(ABC):
    """Some of a split's images, such as one fold of them. Frozen and cheap."""

    @abstractmethod
    def ids(self) -> tuple[int, ...]:
        """Their ids, which the dataset's split has."""

    @abstractmethod
    def tree(self) -> Tree:
        """The rule that they follow from, as plain values."""


@dataclass(frozen=True)
class ImageSet:
    """A dataset's split seen through a geometric transform: pixels, points and masks alike."""

    dataset: Dataset
    split: str
    transform: Transform = field(default_factory=Transform)
    part: Part | None = None
    """Which of the split's images these are; None for all."""

    def ids(self) -> tuple[int, ...]:
        """Ids of the split's images, or of the part."""
        return tuple(self.dataset.ids(self.split)) if self.part is None else self.part.ids()

    def batch(self, ids: Sequence[int]) -> Batch:
        """The images with these ids, transformed."""
        images = [self.transform.image(image) for image in self.dataset.images(ids)]
        sizes = {tuple(image.shape[-2:]) for image in images}
        if len(sizes) > 1:
            raise MismatchError(
                f"images of dataset {self.dataset.name!r} differ in size ({_sizes(sizes)}); "
                "give them one with -p transform.resize=256 -p transform.crop=224"
            )
        labels = self.dataset.labels(ids) if self.dataset.has_labels else None
        return Batch(torch.stack(images), tuple(ids), labels, self)

    def part_points(self, ids: Sequence[int]) -> Float[Tensor, "n parts 3"]:
        """Part points in the transformed image; a part that is cropped away is not visible."""
        points = annotated(self.dataset, PartPoints).part_points(ids)
        sizes = self.dataset.sizes(ids)
        moved = [self.transform.points(p, size) for p, size in zip(points, sizes, strict=True)]
        return torch.stack(moved)

    def part_masks(self, ids: Sequence[int]) -> Int16[Tensor, "n h w"]:
        """Label maps in the transformed image, by nearest neighbour."""
        masks = annotated(self.dataset, PartMasks).part_masks(ids)
        return torch.stack([self.transform.mask(mask) for mask in masks])

    def object_boxes(self, ids: Sequence[int]) -> Float[Tensor, "n 4"]:
        """Boxes (x, y, width, height) in the transformed image; NaN for what is cropped away."""
        boxes = annotated(self.dataset, ObjectBoxes).object_boxes(ids)
        return torch.stack(
            [
                self.transform.box(box, size)
                for box, size in zip(boxes, self.dataset.sizes(ids), strict=True)
            ]
        )

    def sizes(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """Height and width of each image, transformed."""
        return [self.transform.size(size) for size in self.dataset.sizes(ids)]

    def tree(self) -> dict[str, Any]:
        """What identifies this view of the dataset."""
        dataset = self.dataset.tree()
        part = {} if self.part is None else {"part": self.part.tree()}
        return {
            "dataset": dataset,
            "fingerprint": dataset["fingerprint"],
            "split": self.split,
            "transform": self.transform.tree(),
            **part,
        }


def _sizes(sizes: set[tuple[int, ...]]) -> str:
    some = [f"{height}×{width}" for height, width in sorted(sizes)[:3]]
    return ", ".join(some) + (", …" if len(sizes) > len(some) else "")


Kind = TypeVar("Kind", bound=Annotation)


def annotated(dataset: Dataset, kind: Callable[..., Kind]) -> Kind:
    """The dataset as one that has annotations of `kind`, a class, or `MismatchError`."""
    # kinds are abstract, and type checkers accept no abstract class for a `type[Kind]`
    cls = cast("type[Kind]", kind)
    if not isinstance(dataset, cls):
        raise MismatchError(f"dataset {dataset.name!r} has no annotation of kind {cls.__name__}")
    return dataset
