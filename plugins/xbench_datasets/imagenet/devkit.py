"""ImageNet's validation images as they come: without folders, their labels in the devkit."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xbench import DatasetError
from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import ImageFile, Times
from xbench_datasets.matlab import read_structs
from xbench_datasets.missing_files import first_names

DEVKIT = "ILSVRC2012_devkit_t12"
META = "data/meta.mat"
TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"
PLACES = ("", "val", "ILSVRC2012_img_val")
"""Folders in the root that the images may lie in."""
IMAGE = re.compile(r"ILSVRC2012_val_(\d{8})\.jpe?g", re.IGNORECASE)


def times(root: Path) -> Times:
    """When the files with labels have changed; nothing where there is no devkit."""
    folder = _devkit(root)
    files = [folder / META, folder / TRUTH] if folder else []
    return tuple((str(file), file.stat().st_mtime_ns) for file in files if file.is_file())


def validation(root: Path, what: str) -> tuple[ImageFile, ...]:
    """The images, labelled by WordNet ids; nothing where none has an official name.

    `DatasetError` without the devkit, or where images are missing.
    """
    files = _images_by_number(root)
    if not files:
        return ()
    folder = _devkit(root)
    if folder is None:
        raise DatasetError(
            f"{what}: the labels of the validation images in {root} are in {DEVKIT}, which lies"
            f" neither there nor beside it; get it from https://image-net.org"
        )
    truth = _truth(folder, what)
    _require_all(root, files, len(truth), what)
    return tuple(sorted(_entry(root, file, truth[n - 1]) for n, file in files.items()))


def _images_by_number(root: Path) -> dict[int, Path]:
    """The images by their numbers, from the first folder that has some."""
    for place in PLACES:
        folder = root / place
        files = folder_listing.image_files(folder) if folder.is_dir() else []
        if images := {int(m[1]): Path(f.path) for f in files if (m := IMAGE.fullmatch(f.name))}:
            return images
    return {}


def _require_all(root: Path, files: Mapping[int, Path], count: int, what: str) -> None:
    absent = [f"ILSVRC2012_val_{n:08d}.JPEG" for n in range(1, count + 1) if n not in files]
    if absent:
        shown = first_names(absent)
        raise DatasetError(
            f"{what}: {root} lacks {len(absent)} of the {count} validation images: {shown}"
        )
    if len(files) > count:
        raise DatasetError(
            f"{what}: {root} has {len(files)} validation images, but {TRUTH} has {count} labels"
        )


def _entry(root: Path, file: Path, name: str) -> ImageFile:
    stat = file.stat()
    path = file.relative_to(root).as_posix()
    return ImageFile(path, "val", (name,), stat.st_size, stat.st_mtime_ns)


def _devkit(root: Path) -> Path | None:
    """The devkit's folder, in the root or beside it."""
    folders = (folder / DEVKIT for folder in (root, root.parent))
    return next((folder for folder in folders if folder.is_dir()), None)


def _truth(folder: Path, what: str) -> list[str]:
    """The WordNet id of each image, in the order of their numbers."""
    names, file = _names(folder / META, what), folder / TRUTH
    try:
        lines = file.read_text("ascii").split()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{what}: {file} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line not in names:
            raise DatasetError(
                f"{what}: {file}, line {number}: expected the number of a class in {META},"
                f" found {line!r}"
            )
    return [names[line] for line in lines]


def _names(file: Path, what: str) -> dict[str, str]:
    """WordNet ids by the numbers that the ground truth has for them."""
    synsets = read_structs(file, "synsets", {"ILSVRC2012_ID": "numbers", "WNID": "text"})
    names = {}
    for entry, synset in enumerate(synsets, start=1):
        numbers = np.ravel(synset["ILSVRC2012_ID"]).tolist()
        if len(numbers) != 1 or not float(numbers[0]).is_integer():
            raise DatasetError(
                f"{what}: {file}, synset {entry} ({synset['WNID']}): ILSVRC2012_ID should be one"
                f" whole number, found {numbers}; get {DEVKIT} again from https://image-net.org"
            )
        names[str(int(numbers[0]))] = str(synset["WNID"])
    return names
