"""Folders of images in contexts: one sub-folder for each class, one in it for each context."""

import filecmp
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, NamedTuple, cast

import torch
from jaxtyping import Bool
from torch import Tensor

from xbench import Contexts
from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import ImageFile, Times
from xbench_datasets.folders.photo_folder import Album, FoldedFolder

WHAT = "dataset 'context-folder'"
LEVELS = 2
"""Classes and contexts."""


class Shot(NamedTuple):
    """One image, and all contexts it lies in."""

    path: str
    split: str
    label: str
    contexts: tuple[str, ...]


@dataclass(frozen=True)
class ContextFolder(FoldedFolder, Contexts):
    """Your own images in folders by class and context: `root/class/context/*.jpg`.

    Or `root/split/class/context/*.jpg`. A file in several contexts of a class, with one name
    and one content, is one image in several contexts; an image in a class folder itself is in
    none. Ids are places in the sorted list of all images.
    """

    name: ClassVar[str] = "context-folder"

    def album(self) -> Album:
        """All images; a file that lies in several contexts is one of them."""
        root = self.folder()
        return _album(root, folder_listing.times(root, LEVELS))

    def context_names(self) -> tuple[str, ...]:
        """The names of all context folders, sorted; classes may share contexts."""
        return _context_names(self.last_album())

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n contexts"]:
        """Which context folders each image lies in."""
        shots = _shots(self.last_album())
        places = {name: place for place, name in enumerate(self.context_names())}
        contexts = torch.zeros(len(ids), len(places), dtype=torch.bool)
        for row, image in enumerate(ids):
            contexts[row, [places[name] for name in shots[image].contexts]] = True
        return contexts


@functools.lru_cache(maxsize=8)
def _album(root: Path, changed: Times) -> Album:
    return Album(folder_listing.image_entries(root, LEVELS, WHAT), _merged_shots(root, changed))


@functools.lru_cache(maxsize=8)
def _merged_shots(root: Path, changed: Times) -> tuple[Shot, ...]:
    """One item for each image, sorted by the first of its paths."""
    alike: dict[tuple[str, str, str, int], list[ImageFile]] = {}
    for entry in folder_listing.image_entries(root, LEVELS, WHAT):
        key = (entry.split, entry.label, PurePosixPath(entry.path).name, entry.size)
        alike.setdefault(key, []).append(entry)
    groups = (group for entries in alike.values() for group in _same(root, entries))
    return tuple(sorted(map(_shot, groups)))


def _shots(album: Album) -> tuple[Shot, ...]:
    """The images of an album of this dataset."""
    return cast("tuple[Shot, ...]", album.photographs)


@functools.lru_cache(maxsize=8)
def _context_names(album: Album) -> tuple[str, ...]:
    return tuple(sorted({name for shot in _shots(album) for name in shot.contexts}))


def _same(root: Path, entries: Iterable[ImageFile]) -> list[list[ImageFile]]:
    """Entries of one name and size, put together where their content is the same."""
    groups: list[list[ImageFile]] = []
    for entry in entries:
        equal = (
            group
            for group in groups
            if filecmp.cmp(root / group[0].path, root / entry.path, shallow=False)
        )
        if (group := next(equal, None)) is None:
            groups.append([entry])
        else:
            group.append(entry)
    return groups


def _shot(group: Sequence[ImageFile]) -> Shot:
    contexts = tuple(sorted({name for entry in group for name in entry.folders[1:]}))
    return Shot(group[0].path, group[0].split, group[0].label, contexts)
