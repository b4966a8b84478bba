"""MetaShift's lists of images: for each subject and context the images that show both."""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from xbench import DatasetError, UsageError, derived_seed, read_pickle
from xbench_datasets.missing_files import first_names

Subsets = Mapping[tuple[str, str], Int64[np.ndarray, " n"]]
"""Ids of the images, ascending, by subject and context."""
KEY = re.compile(r"([^()]+)\(([^()]+)\)")
WHAT = "dataset 'metashift'"
SEEDS = 1 << 63
LONGEST = 18
"""Numbers of so many digits fit into 64 bits."""
SHOWN = 20
"""How many names a message shows."""


@dataclass(frozen=True, eq=False)
class Selection:
    """The images of some classes, the contexts they have, and the images beside them."""

    labels: Mapping[int, int]
    """The class of each image that shows one class only, by ascending id."""
    left_out: int
    """How many images show more than one of the classes."""
    contexts: Mapping[str, frozenset[int]]
    """By name, sorted: images of any of the classes in that context."""
    pool: frozenset[int]
    """All images of the index that are in no class."""
    pool_contexts: Mapping[str, frozenset[int]]
    """By context: images of the pool in that context, or of that subject."""


def read_index(path: Path) -> Subsets:
    """The subsets in a file; `DatasetError` names what is wrong with it."""
    return _read(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _read(path: Path, changed: int) -> Subsets:
    try:
        content = read_pickle(path, WHAT)
    except UsageError as error:
        raise DatasetError(str(error)) from error
    if not isinstance(content, dict) or not content:
        raise DatasetError(f"{WHAT}: {path} should hold lists of images by subject(context)")
    numbers = _numbers(path, content)
    return {_key(path, key): _sorted(numbers, images) for key, images in content.items()}


def _key(path: Path, key: object) -> tuple[str, str]:
    match = KEY.fullmatch(key) if isinstance(key, str) else None
    if match is None:
        raise DatasetError(f"{WHAT}: {path} has the key {key!r}, expected subject(context)")
    return match[1], match[2]


def _numbers(path: Path, content: Mapping[object, object]) -> dict[object, int]:
    """The number of each image by its name; each name is looked at once, as most come often."""
    names: set[object] = set()
    for key, images in content.items():
        if isinstance(images, set | frozenset | list | tuple) and _is_plain(images):
            names.update(images)
        else:
            raise DatasetError(f"{WHAT}: {path}, {key}: expected a list of numbers of images")
    for name in names:
        if not (text := str(name)).isdecimal() or not text.isascii() or len(text) > LONGEST:
            raise DatasetError(f"{WHAT}: {path} has the image {name!r}, expected a number")
    return {name: int(str(name)) for name in names}


def _is_plain(items: Iterable[object]) -> bool:
    return {str, int}.issuperset(map(type, items))


def _sorted(numbers: Mapping[object, int], images: Iterable[object]) -> Int64[np.ndarray, " n"]:
    return np.sort(np.array([numbers[image] for image in set(images)], np.int64))


@functools.lru_cache(maxsize=4)
def selection(path: Path, changed: int, classes: tuple[str, ...], minimum: int) -> Selection:
    """What the index says of these classes; contexts of at least `minimum` images of a class.

    `changed` is when the file has changed.
    """
    subsets = _read(path, changed)
    members = [
        _union(ids for (subject, _), ids in subsets.items() if subject == name) for name in classes
    ]
    _require(path, subsets, classes, members)
    counts = Counter(image for ids in members for image in ids)
    labels = {i: label for label, ids in enumerate(members) for i in ids if counts[i] == 1}
    contexts = _contexts(subsets, classes, labels, minimum)
    if not contexts:
        raise DatasetError(f"{WHAT}: {path} has no context of {minimum} images of one class")
    pool = _union(subsets.values()) - labels.keys()
    return Selection(
        dict(sorted(labels.items())), len(counts) - len(labels), contexts, pool,
        _pool_contexts(subsets, contexts, pool),
    )  # fmt: skip


def in_test(image: int, share: float) -> bool:
    """Whether an image is in the test split; the same whatever else is in the dataset."""
    return derived_seed("metashift", image) < share * SEEDS


def _require(
    path: Path, subsets: Subsets, classes: Sequence[str], members: Sequence[frozenset[int]]
) -> None:
    subjects = sorted({subject for subject, _ in subsets})
    for name, ids in zip(classes, members, strict=True):
        if not ids:
            names = first_names(subjects, SHOWN)
            raise DatasetError(f"{WHAT}: {path} has no images of {name!r}; it has {names}")


def _contexts(
    subsets: Subsets, classes: Sequence[str], labels: Mapping[int, int], minimum: int
) -> dict[str, frozenset[int]]:
    """Images by context; a context that no class has often enough is left out."""
    contexts: dict[str, set[int]] = {}
    frequent = set()
    for (subject, context), ids in subsets.items():
        if subject in classes:
            members = {image for image in ids.tolist() if image in labels}
            contexts.setdefault(context, set()).update(members)
            frequent |= {context} if len(members) >= max(minimum, 1) else set()
    return {name: frozenset(contexts[name]) for name in sorted(frequent)}


def _pool_contexts(
    subsets: Subsets, contexts: Iterable[str], pool: frozenset[int]
) -> dict[str, frozenset[int]]:
    members: dict[str, list[Int64[np.ndarray, " n"]]] = {name: [] for name in contexts}
    for (subject, context), ids in subsets.items():
        for name in {subject, context} & members.keys():
            members[name].append(ids)
    return {name: _union(lists) & pool for name, lists in members.items()}


def _union(lists: Iterable[Int64[np.ndarray, " n"]]) -> frozenset[int]:
    several = list(lists)
    return frozenset(np.unique(np.concatenate(several)).tolist()) if several else frozenset()
