"""Which objects each training image shows, read once from all its files and then kept."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Bool, Float64

from xbench import DatasetError
from xbench_datasets.kept_arrays import kept_array

Read = Callable[[str], Bool[np.ndarray, " objects"]]
"""Reads which objects one file, named relative to the dataset's folder, shows."""
Stamp = tuple[str, int, int]
"""Path, size and time of change of a file."""
PERCENT = 100


def kept_presence(
    read: Read, what: str, stamps: Sequence[Stamp], objects: Sequence[str]
) -> Bool[np.ndarray, "n objects"]:
    """One row for each file; kept in `home()` until a file or the list of objects changes.

    `what` says how files are read, as part of the key under which the result is kept.
    """
    lines = [what, *objects, *(f"{path} {size} {time}" for path, size, time in stamps)]
    shape = len(stamps), len(objects)

    def presence() -> Bool[np.ndarray, "n objects"]:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            rows = list(threads.map(read, [path for path, _, _ in stamps]))
        return np.stack(rows) if rows else np.zeros(shape, bool)

    return kept_array("ade20k", "\n".join(lines), shape, presence)


def frequencies(
    present: Bool[np.ndarray, "n objects"], labels: np.ndarray, classes: int
) -> Float64[np.ndarray, "classes objects"]:
    """Per cent of the images of each class that show each object; classes must have images."""
    images = np.bincount(labels, minlength=classes)
    if (images == 0).any():
        raise DatasetError(f"class {int(images.argmin())} has no training image")
    sums = np.zeros((classes, present.shape[1]))
    np.add.at(sums, labels, present)
    return PERCENT * sums / images[:, None]
