"""Which labels images of Broden show: read once from all masks of a category, then kept."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from PIL import Image

from xbench import PHOTO_DAMAGE, DatasetError
from xbench_datasets.broden.index import WHAT, Picture
from xbench_datasets.kept_arrays import kept_array

SECOND_BYTE = 8
RED, GREEN = 0, 1
FIELDS = 2


def label_pairs(
    folder: Path, pictures: Sequence[Picture], category: str, changed: int
) -> Int64[np.ndarray, "pairs 2"]:
    """Pairs (place of the picture, label), of whole images and of pixels.

    Kept in `home()` until the index, which was `changed` then, changes.
    """
    paths = "\n".join(picture.path for picture in pictures)
    state = f"{folder} {changed} {category}\n{paths}"

    def pairs() -> Int64[np.ndarray, "pairs 2"]:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            lists = list(threads.map(lambda picture: _labels(folder, picture, category), pictures))
        rows = [(place, label) for place, labels in enumerate(lists) for label in labels]
        return np.array(rows, np.int64).reshape(-1, FIELDS)

    return kept_array("broden", state, (-1, FIELDS), pairs)


def label_map(path: Path) -> Int64[np.ndarray, "h w"]:
    """The label of each pixel, 0 for none: red + 256 × green."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), dtype=np.int64)
    except PHOTO_DAMAGE as error:
        reason = "the file is missing" if isinstance(error, FileNotFoundError) else str(error)
        raise DatasetError(f"{WHAT}: {path} does not decode as a mask: {reason}") from error
    return pixels[..., RED] + (pixels[..., GREEN] << SECOND_BYTE)


def _labels(folder: Path, picture: Picture, category: str) -> list[int]:
    labels = set(picture.labels.get(category, ()))
    for name in picture.masks.get(category, ()):
        counts = np.bincount(label_map(folder / "images" / name).ravel())
        labels.update(np.flatnonzero(counts).tolist())
    return sorted(labels - {0})
