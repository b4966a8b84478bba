"""Which objects each training image shows, read once from all its files and then kept."""

import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from xbench import DatasetError, home

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
    key = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
    kept = _kept(home() / "cache" / "ade20k" / f"{key}.npy")
    if kept is not None and kept.shape == (len(stamps), len(objects)):
        return kept
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rows = list(threads.map(read, [path for path, _, _ in stamps]))
    found = np.stack(rows) if rows else np.zeros((0, len(objects)), bool)
    _keep(home() / "cache" / "ade20k" / f"{key}.npy", found)
    return found


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


@functools.lru_cache(maxsize=2)
def _loaded(path: Path, time: int) -> Bool[np.ndarray, "n objects"] | None:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None


def _kept(path: Path) -> Bool[np.ndarray, "n objects"] | None:
    """What an earlier call has kept; None if there is nothing, or if it is damaged."""
    return _loaded(path, path.stat().st_mtime_ns) if path.is_file() else None


def _keep(path: Path, found: Bool[np.ndarray, "n objects"]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.tmp")
    with scratch.open("wb") as file:
        np.save(file, found)
    scratch.replace(path)
