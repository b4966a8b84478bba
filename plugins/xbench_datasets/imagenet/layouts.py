"""The ways in which ImageNet's photographs lie in a folder, with the WordNet id of each."""

import re
from itertools import chain
from pathlib import Path

from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import WHOLE, ImageFile, Times
from xbench_datasets.imagenet import devkit as imagenet_devkit

WORDNET_ID = re.compile(r"n\d{8}")


def times(root: Path) -> Times:
    """When folders and lists have changed: a key for what follows from them."""
    train = root / "train"  # which lies beside official images that have no folders
    folders = [folder_listing.times(folder, 1) for folder in (root, train) if folder.is_dir()]
    return (*chain(*folders), *imagenet_devkit.times(root))


def photographs(root: Path, what: str) -> tuple[ImageFile, ...]:
    """All images, as they lie in folders or without, by path; "all" is the split "val".

    `DatasetError`, which begins with `what`, where there are none or labels are missing.
    """
    entries = (
        _official(root, what)
        or _without_folders(root)
        or folder_listing.image_entries(root, 1, what)
    )
    return tuple(e._replace(split="val") if e.split == WHOLE else e for e in entries)


def _official(root: Path, what: str) -> tuple[ImageFile, ...]:
    """Validation images as they come, and training images in folders beside them."""
    validation = imagenet_devkit.validation(root, what)
    train = root / "train"
    if not validation or not train.is_dir():
        return validation
    entries = folder_listing.image_entries(train, 1, what)
    training = (entry._replace(path=f"train/{entry.path}", split="train") for entry in entries)
    return tuple(sorted((*validation, *training)))


def _without_folders(root: Path) -> tuple[ImageFile, ...]:
    matches = [(WORDNET_ID.match(file.name), file) for file in folder_listing.image_files(root)]
    entries = (
        ImageFile(file.name, WHOLE, (name[0],), file.stat().st_size, file.stat().st_mtime_ns)
        for name, file in matches
        if name
    )
    return tuple(sorted(entries))
