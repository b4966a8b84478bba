"""The lists of ADE20K: 150 objects and their names elsewhere, and the scene of each image."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from xbench import DatasetError, line_error, read_rows, shown_line

OBJECTS, SCENES = "objectInfo150.txt", "sceneCategories.txt"
STEM = re.compile(r"ADE_(train|val)_(\d+)")
"""Names of images, without suffix."""
VALIDATION = 1_000_000
"""Added to the number of a validation image: numbers count from 1 in either split."""

PAIR = "an image such as ADE_train_00000001 and a scene"

OTHER_NAMES = {
    "door, double door": ("door", "double door"),
    "wardrobe, closet, press": ("closet",),
    "booth, cubicle, stall, kiosk": ("booth",),
    "crt screen": ("screen, crt screen",),
}
"""Objects that stand for more than one of the full dataset's, or have another name there."""


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects that label maps speak of, in the order of their list."""

    names: tuple[str, ...]

    def place(self, name: str) -> int:
        """Where an object of the full dataset stands in the list, −1 if it does not."""
        return self._places.get(_words(name), -1)

    @functools.cached_property
    def _places(self) -> dict[frozenset[str], int]:
        places = {_words(name): place for place, name in enumerate(self.names)}
        other_places = {
            _words(synonym): place
            for place, name in enumerate(self.names)
            for synonym in OTHER_NAMES.get(name, ())
        }
        return {**other_places, **places}


class Stem(NamedTuple):
    """What the name of an image says."""

    id: int
    training: bool


def parsed(stem: str) -> Stem | None:
    """Id and split of an image by its name; None for a file of another name."""
    match = STEM.fullmatch(stem)
    if match is None:
        return None
    training = match[1] == "train"
    return Stem(int(match[2]) + (0 if training else VALIDATION), training)


def changed(path: Path) -> int:
    """When a file last changed; `DatasetError` if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise DatasetError(f"{path} is missing") from error


def read_objects(path: Path) -> Objects:
    """The names in `objectInfo150.txt`; `DatasetError` names the line that is wrong."""
    return _objects(path, changed(path))


@functools.lru_cache(maxsize=4)
def _objects(path: Path, time: int) -> Objects:
    names: list[str] = []
    for line, cells in read_rows(path, "\t")[1:]:
        if len(cells) != 5:
            line_text = shown_line("\t".join(cells))
            raise line_error(path, line, f"expected 5 fields, found {len(cells)}: {line_text}")
        number = cells[0].strip()
        if number != str(len(names) + 1):
            raise line_error(path, line, f"expected number {len(names) + 1}, found {number}")
        names.append(cells[4].strip())
    if not names:
        raise DatasetError(f"{path} lists no objects")
    return Objects(tuple(names))


def read_scenes(path: Path) -> list[tuple[str, str]]:
    """The pairs (image, scene) in `sceneCategories.txt`; each image stands there once."""
    pairs: dict[str, str] = {}
    for line, cells in read_rows(path, " "):
        text = " ".join(cells).strip()
        name, _, scene = text.partition(" ")
        if parsed(name) is None or not scene.strip():
            raise line_error(path, line, f"expected {PAIR}, found {shown_line(text)}")
        if name in pairs:
            raise line_error(path, line, f"image {name} stands here a second time")
        pairs[name] = scene.strip()
    return list(pairs.items())


def _words(name: str) -> frozenset[str]:
    """Synonyms without their order, in which editions of the lists differ."""
    return frozenset(word.strip() for word in name.split(","))
