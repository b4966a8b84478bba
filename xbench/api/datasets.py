"""Datasets by their names, and datasets that are made of what somebody holds."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from xbench.api.items import Items, items_of, looked_at
from xbench.api.setting import builder_of
from xbench.benchmark.declaration import benchmark_file, read
from xbench.components.registry import installed
from xbench.errors import DatasetError, ParameterError, UnknownNameError
from xbench.interfaces.component import Tree, fingerprint
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.randomness import generator

DIGITS = 32
"""Of a hash."""


def load_dataset(name: str, /, *, split: str | None = None, **parameters: Any) -> Any:
    """The dataset of this name, checked; with a `split`, its images and labels as an `ImageSet`.

    `DatasetError` says how to get files that are missing.
    """
    registry = installed()
    builder = builder_of(read(benchmark_file("default", registry)), registry)
    dataset: Dataset = builder.build("dataset", {"name": name, **parameters})
    dataset.check()
    if split is None:
        return dataset
    if split not in dataset.splits():
        raise UnknownNameError(f"split of dataset {dataset.name}", split, dataset.splits())
    return ImageSet(dataset, split)


@dataclass(frozen=True)
class GivenDataset(Dataset):
    """Images and labels that somebody holds in this process."""

    name: ClassVar[str] = "given"

    digest: str
    """Of all pixels, labels, class names and splits."""
    classes: tuple[str, ...] = field(repr=False, compare=False)
    of_split: Mapping[str, tuple[int, ...]] = field(repr=False, compare=False)
    """Ids by split: places in `parts`, one after the other."""
    known_labels: tuple[int, ...] = field(repr=False, compare=False)
    parts: tuple[Items, ...] = field(repr=False, compare=False)

    def parameters(self) -> Tree:
        """Nothing but the fingerprint, which stands beside them, tells such datasets apart."""
        return {}

    def check(self) -> None:
        """Everything was looked at when this was made."""

    def fingerprint(self) -> str:
        """A hash of all pixels, labels, class names and splits."""
        return self.digest

    def class_names(self) -> tuple[str, ...]:
        """As they were given or found."""
        return self.classes

    def splits(self) -> tuple[str, ...]:
        """As they were given, or train and test."""
        return tuple(self.of_split)

    def ids(self, split: str) -> Sequence[int]:
        """Places among all images."""
        if split not in self.of_split:
            raise UnknownNameError("split of the given dataset", split, self.of_split)
        return self.of_split[split]

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The labels, which were read when this was made."""
        return torch.tensor([self.known_labels[image] for image in ids], dtype=torch.int64)

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, read anew each time."""
        return [self._image(image) for image in ids]

    def _image(self, image: int) -> UInt8[Tensor, "3 h w"]:
        place = image
        for part in self.parts:
            if place < len(part):
                return part.image(place)
            place -= len(part)
        raise DatasetError(f"the given dataset has no image {image}")


def dataset_from(
    given: Any,
    *,
    classes: Sequence[str] | None = None,
    test: float = 0.25,
    seed: int = 0,
    image: str = "",
    label: str = "",
) -> GivenDataset:
    """Images and labels at hand as a dataset: what `torch.utils.data` or Hugging Face loads.

    `given` is one collection, of which a share `test` becomes the split `test` by `seed` and
    the rest `train`, or a dictionary of collections by split. Items are (image, label), or
    dictionaries or columns that `image` and `label` name where it cannot be seen which they are.
    Images are PIL images, arrays (h, w, 3) or tensors (3, h, w), bytes or numbers in [0, 1].
    All are read once, for a hash of their content stands in every key.
    """
    collections = dict(given) if isinstance(given, Mapping) else {"": given}
    if not collections:
        raise DatasetError("dataset_from: the dictionary of splits is empty")
    parts = {name: items_of(one, image, label) for name, one in collections.items()}
    names, labels, digests = looked_at(list(parts.values()), classes)
    sizes = [len(part) for part in parts.values()]
    of_split = dict(_given_splits(parts)) if "" not in parts else _made(sizes[0], test, seed)
    digest = fingerprint([digests, labels, names, {k: _hashed(v) for k, v in of_split.items()}])
    return GivenDataset(digest, names, of_split, tuple(labels), tuple(parts.values()))


def _given_splits(parts: Mapping[str, Items]) -> Iterator[tuple[str, tuple[int, ...]]]:
    start = 0
    for name, part in parts.items():
        yield str(name), tuple(range(start, start + len(part)))
        start += len(part)


def _made(count: int, test: float, seed: int) -> dict[str, tuple[int, ...]]:
    """The splits `train` and `test`, drawn from the seed."""
    if isinstance(test, bool) or not 0 < test < 1:
        raise ParameterError(f"test: expected the share of the split in (0, 1), got {test!r}")
    if count < 2:
        raise DatasetError(f"dataset_from: {count} images cannot be split into train and test")
    drawn = torch.randperm(count, generator=generator("given dataset", seed)).tolist()
    held = min(max(round(test * count), 1), count - 1)
    return {"train": tuple(sorted(drawn[held:])), "test": tuple(sorted(drawn[:held]))}


def _hashed(ids: Sequence[int]) -> str:
    return hashlib.sha256(str(list(ids)).encode()).hexdigest()[:DIGITS]
