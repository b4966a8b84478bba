"""Folders of images: one sub-folder for each class."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import Times
from xbench_datasets.folders.photo_folder import Album, FoldedFolder

WHAT = "dataset 'folder'"


@dataclass(frozen=True)
class Folder(FoldedFolder):
    """Your own images in folders by class: `root/class/*.jpg`.

    Or `root/split/class/*.jpg` with the splits train, val and test. Ids are places in the
    sorted list of all images. Photographs are turned upright as their EXIF orientation says.
    """

    name: ClassVar[str] = "folder"

    def album(self) -> Album:
        """All images in class folders."""
        root = self.folder()
        return _album(root, folder_listing.times(root, 1))


@functools.lru_cache(maxsize=8)
def _album(root: Path, changed: Times) -> Album:
    entries = folder_listing.image_entries(root, 1, WHAT)
    return Album(entries, entries)
