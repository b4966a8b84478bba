"""The JSON files of FunnyBirds: classes, parts and images, parsed and checked."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xbench import DatasetError

CLASSES, PARTS = "classes.json", "parts.json"
SPLITS = ("train", "test")
Values = Mapping[str, str]
"""What a part looks like: its model, and its colour where it has several."""


@dataclass(frozen=True)
class Index:
    """What the files say."""

    parts: dict[str, list[Values]]
    """The looks that each part can have."""
    classes: list[dict[str, int]]
    """Which of its looks each part has in each class."""
    labels: dict[str, list[int]]
    """The class of each image of each split that is there."""
    digest: str
    """A hash of the files."""


def listing(split: str) -> str:
    """Name of the file with a split's images."""
    return f"dataset_{split}.json"


def read_index(folder: Path) -> Index:
    """All files; kept until one of them changes."""
    names = (CLASSES, PARTS, *map(listing, SPLITS))
    files = [folder / name for name in names if (folder / name).is_file()]
    state = tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    return _index(folder, state)


@functools.lru_cache(maxsize=4)
def _index(folder: Path, state: tuple[tuple[str, int, int], ...]) -> Index:
    parts = _parts(folder / PARTS)
    classes = _classes(folder / CLASSES, parts)
    there = [split for split in SPLITS if (folder / listing(split)).is_file()]
    if not there:
        names = " and ".join(map(listing, SPLITS))
        raise DatasetError(f"{folder} lacks {names}")
    labels = {split: _labels(folder / listing(split), len(classes)) for split in there}
    digest = hashlib.sha256()
    for file, *_ in state:
        digest.update(Path(file).name.encode() + hashlib.sha256(Path(file).read_bytes()).digest())
    return Index(parts, classes, labels, digest.hexdigest())


def _parts(path: Path) -> dict[str, list[Values]]:
    parts = _json(path)
    if not isinstance(parts, dict) or not parts or not all(map(_is_looks, parts.values())):
        raise DatasetError(f"{path} should hold for each part a list of models and colours")
    return parts


def _is_looks(looks: Any) -> bool:
    return (
        isinstance(looks, list)
        and bool(looks)
        and all(isinstance(look, dict) and look.keys() == looks[0].keys() for look in looks)
        and all(isinstance(value, str) for look in looks for value in look.values())
    )


def _classes(path: Path, parts: Mapping[str, list[Values]]) -> list[dict[str, int]]:
    classes = []
    for place, entry in enumerate(_entries(path)):
        own, where = entry.get("parts"), f"{path}, entry {place}"
        if entry.get("class_idx") != place:
            raise DatasetError(f"{where}: class_idx should be {place}")
        if not isinstance(own, dict) or own.keys() != parts.keys():
            raise DatasetError(f"{where}: parts should be {', '.join(parts)}, as in {PARTS}")
        looks = own.items()
        classes.append({p: _below(look, len(parts[p]), f"{where}: {p}") for p, look in looks})
    return classes


def _labels(path: Path, classes: int) -> list[int]:
    labels = []
    for place, entry in enumerate(_entries(path)):
        label = entry.get("class_idx")
        labels.append(_below(label, classes, f"{path}, entry {place}: class_idx"))
    return labels


def _below(value: Any, end: int, what: str) -> int:
    if type(value) is not int or not 0 <= value < end:
        raise DatasetError(f"{what} should be a whole number from 0 to {end - 1}, found {value!r}")
    return value


def _entries(path: Path) -> list[dict[str, Any]]:
    entries = _json(path)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DatasetError(f"{path} should hold a list of objects")
    return entries


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path} is missing") from error
    except ValueError as error:
        raise DatasetError(f"{path} is no JSON: {error}") from error
