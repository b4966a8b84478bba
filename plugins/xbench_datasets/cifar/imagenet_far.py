"""ImageNet-Far: photographs of ImageNet that are not CIFAR-10's classes, but their next kin."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from xbench import DatasetError, decode_photo, fingerprint, location
from xbench_datasets.cifar.far_synsets import Classes, classes_by_synset
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.folders.listing import ImageFile, Times
from xbench_datasets.folders.photo_folder import Album, PhotoFolder
from xbench_datasets.imagenet import layouts
from xbench_datasets.missing_files import first_names
from xbench_datasets.way_out import option

WHAT = "dataset 'imagenet-far'"
SIDE = 32
"""Of CIFAR-10's images, in pixels."""
KEPT = 1 << 17
"""Images of 3 kB that stay in memory, so that each is read from its JPEG once."""
WAY_OUT = (
    "ImageNet has all of them (https://image-net.org, for those who accept its terms); "
    f"{option('imagenet-far', 'synsets', 'FILE')} names a table of other synsets"
)


@dataclass(frozen=True)
class ImagenetFar(PhotoFolder):
    """Photographs of ImageNet for CIFAR-10's classes that are not under them in WordNet.

    The third shift of Peterson et al. (ICCV 2019), section 5.1: ibex and gazelle are deer, zebra
    is horse. A table says which synsets stand for which class. Images have 32 × 32 pixels: the
    whole photograph, each pixel the mean of its box, as `cinic10`'s.
    """

    name: ClassVar[str] = "imagenet-far"

    synsets: str = location("")
    """A table with the columns class and synset; "" for the bundled one."""

    def album(self) -> Album:
        """The photographs of the listed synsets; `DatasetError` where one has none."""
        root = self.folder()
        return _album(root, layouts.times(root), classes_by_synset(self.synsets, WHAT))

    def image_name(self, image: int, path: str) -> str:
        """An image by its path, which tells its synset."""
        return path

    def class_names(self) -> tuple[str, ...]:
        """Those of CIFAR-10, which are in the order of the alphabet."""
        return CIFAR10

    def fingerprint(self) -> str:
        """A hash of paths, sizes, contents up to 256 MiB, and classes."""
        files = super().fingerprint()
        return fingerprint({"files": files, "labels": self.last_album().labels.tolist()})

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, 32 pixels high and wide."""
        root, (paths, names) = self.folder(), self._files(ids)
        known = self.last_album().entries
        changed = [known[image].changed for image in ids]
        return [
            torch.from_numpy(_small(root / path, name, time).copy())
            for path, name, time in zip(paths, names, changed, strict=True)
        ]

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """All alike."""
        return [(SIDE, SIDE)] * len(self._known(ids))


@functools.lru_cache(maxsize=4)
def _album(root: Path, changed: Times, pairs: Classes) -> Album:
    classes = dict(pairs)
    entries = tuple(
        entry._replace(folders=(classes[entry.label], entry.label))
        for entry in layouts.photographs(root, WHAT)
        if entry.label in classes
    )
    _require_all(root, entries, classes)
    return Album(entries, entries)


def _require_all(root: Path, entries: Sequence[ImageFile], classes: Mapping[str, str]) -> None:
    """Refuse a split that lacks a synset: the mixture of a class would be another."""
    for split in sorted({entry.split for entry in entries}) or [""]:
        seen = {entry.folders[1] for entry in entries if entry.split == split}
        absent = [f"{synset} for {name}" for synset, name in classes.items() if synset not in seen]
        if absent:
            where = f"split {split!r} of {root}" if split else root
            names = f"{len(absent)} of {len(classes)} synsets: {first_names(absent)}"
            raise DatasetError(f"{WHAT}: {where} lacks {names}. {WAY_OUT}")


@functools.lru_cache(maxsize=KEPT)
def _small(file: Path, what: str, changed: int) -> UInt8[np.ndarray, "3 h w"]:
    """The whole photograph in 32 × 32 pixels, each the mean of its box."""
    photo = Image.fromarray(decode_photo(file, what, upright=True).permute(1, 2, 0).numpy())
    small = photo.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))
