"""Which images a copy of ADE20K has, by the official list or by the folders' names."""

import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from xbench import DatasetError
from xbench_datasets.ade20k.lists import Stem, changed, parsed, read_scenes

SPLITS = ("training", "validation")
SEGMENTS = "_seg.png"
"""Ends the names of full label maps."""
Times = tuple[tuple[str, int], ...]
"""When each of some files or folders last changed."""


@dataclass(frozen=True, eq=False)
class Listing:
    """The images of a copy, in the order of their ids."""

    source: Path
    """The list or folder that names them."""
    ids: Int64[np.ndarray, " n"]
    stems: tuple[str, ...]
    training: Bool[np.ndarray, " n"]
    scenes: tuple[str, ...]
    """The scene of each image."""
    images: tuple[str, ...]
    """Paths of photographs, relative to the folder."""
    masks: tuple[str, ...]
    """Paths of label maps."""

    @functools.cached_property
    def rows(self) -> dict[int, int]:
        """The row of each image id."""
        return {int(image): row for row, image in enumerate(self.ids)}


@functools.lru_cache(maxsize=8)
def classes(listing: Listing, fewest: int) -> tuple[str, ...]:
    """The scenes with at least `fewest` training images, sorted by name."""
    counts = _training_images(listing)
    return tuple(sorted(scene for scene, count in counts.items() if count >= fewest))


@functools.lru_cache(maxsize=8)
def class_rows(listing: Listing, fewest: int) -> Int64[np.ndarray, " n"]:
    """Rows of the images whose scene counts."""
    names = set(classes(listing, fewest))
    return np.array([row for row, scene in enumerate(listing.scenes) if scene in names], np.int64)


def scenes_without_training(listing: Listing) -> list[str]:
    """The scenes without training images, sorted by name."""
    return sorted(scene for scene, count in _training_images(listing).items() if count == 0)


def _training_images(listing: Listing) -> dict[str, int]:
    counts = dict.fromkeys(listing.scenes, 0)
    for row in np.flatnonzero(listing.training).tolist():
        counts[listing.scenes[row]] += 1
    return counts


def official_listing(path: Path) -> Listing:
    """All images of `sceneCategories.txt`; read again only if it has changed."""
    return _official_listing(path, changed(path))


def folder_listing(folder: Path, top: str) -> Listing:
    """The images in `folder/top/SPLIT/GROUP/SCENE`; listed again only if a folder changed."""
    return _folder_listing(folder, top, _times(folder / top))


@functools.lru_cache(maxsize=4)
def _official_listing(path: Path, time: int) -> Listing:
    records = []
    for name, scene in read_scenes(path):
        stem = parsed(name)
        split = SPLITS[0] if stem and stem.training else SPLITS[1]
        place = f"{split}/{name}"
        records.append((name, scene, f"images/{place}.jpg", f"annotations/{place}.png"))
    return _listing(path, records)


@functools.lru_cache(maxsize=4)
def _folder_listing(folder: Path, top: str, times: Times) -> Listing:
    """The images below `top`, each with the scene that its folders name."""
    records: dict[str, tuple[str, str, str, str]] = {}
    for split in SPLITS:
        for path in _photographs(folder / top / split):
            stem = parsed(path.stem)
            place = path.relative_to(folder).as_posix()
            if stem is None or stem.training != (split == SPLITS[0]):
                raise DatasetError(f"{path} is no name of an image of the split {split!r}")
            if path.stem in records:
                first = folder / records[path.stem][2]
                raise DatasetError(f"{path}: an image of this name lies in {first.parent} too")
            mask = place.removesuffix(".jpg") + SEGMENTS
            records[path.stem] = path.stem, _scene(folder / top / split, path), place, mask
    if not records:
        raise DatasetError(f"{folder / top} holds no image ADE_train_*.jpg or ADE_val_*.jpg")
    return _listing(folder / top, list(records.values()))


def _scene(split: Path, path: Path) -> str:
    """The folders between split and image without the first, which only groups scenes."""
    levels = path.relative_to(split).parts[:-1]
    return "/".join(levels[1:] or levels)


def _photographs(folder: Path) -> Iterator[Path]:
    """Photographs in a folder and below; not in the folders with the images' instances."""
    for place, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if parsed(name) is None)
        yield from (Path(place, name) for name in sorted(files) if name.endswith(".jpg"))


def _times(top: Path) -> Times:
    """When the folders of splits, groups and scenes last changed."""
    splits = [top / split for split in SPLITS if (top / split).is_dir()]
    groups = [group for split in splits for group in _folders(split)]
    scenes = [scene for group in groups for scene in _folders(group)]
    return tuple((str(folder), changed(folder)) for folder in (*splits, *groups, *scenes))


def _folders(folder: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir())


def _listing(source: Path, records: Sequence[tuple[str, str, str, str]]) -> Listing:
    """A `Listing` of (name, scene, image, mask) whose names are already known to be good."""
    stems = [_required(name) for name, _, _, _ in records]
    order = sorted(range(len(records)), key=lambda row: stems[row].id)
    names, scenes, images, masks = zip(*(records[row] for row in order), strict=True)
    ids = np.array([stems[row].id for row in order], np.int64)
    training = np.array([stems[row].training for row in order], bool)
    return Listing(source, ids, names, training, scenes, images, masks)


def _required(name: str) -> Stem:
    stem = parsed(name)
    if stem is None:
        raise DatasetError(f"{name!r} is no name of an image of ADE20K")
    return stem
