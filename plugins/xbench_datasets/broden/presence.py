"""Which labels images of Broden show: read once from all masks of a category, then kept."""

import functools
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from PIL import Image

from xbench import PHOTO_DAMAGE, DatasetError, home
from xbench_datasets.broden.index import WHAT, Picture

SECOND_BYTE = 8
RED, GREEN = 0, 1
FIELDS = 2


def shown(
    folder: Path, pictures: Sequence[Picture], category: str, changed: int
) -> Int64[np.ndarray, "pairs 2"]:
    """Pairs (place of the picture, label), of whole images and of pixels.

    Kept in `home()` until the index, which was `changed` then, changes.
    """
    paths = "\n".join(picture.path for picture in pictures)
    key = hashlib.sha256(f"{folder} {changed} {category}\n{paths}".encode()).hexdigest()[:32]
    file = home() / "cache" / "broden" / f"{key}.npy"
    if (kept := _kept(file)) is not None:
        return kept
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        lists = list(threads.map(lambda picture: _labels(folder, picture, category), pictures))
    pairs = [(place, label) for place, labels in enumerate(lists) for label in labels]
    found = np.array(pairs, np.int64).reshape(-1, FIELDS)
    _keep(file, found)
    return found


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


def _kept(path: Path) -> Int64[np.ndarray, "pairs 2"] | None:
    """What an earlier call has kept; None if there is nothing, or if it is damaged."""
    return _loaded(path, path.stat().st_mtime_ns) if path.is_file() else None


@functools.lru_cache(maxsize=8)
def _loaded(path: Path, time: int) -> Int64[np.ndarray, "pairs 2"] | None:
    try:
        return np.load(path, allow_pickle=False).reshape(-1, FIELDS)
    except (ValueError, OSError, EOFError):
        return None


def _keep(path: Path, found: Int64[np.ndarray, "pairs 2"]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.tmp")
    with scratch.open("wb") as file:
        np.save(file, found)
    scratch.replace(path)
