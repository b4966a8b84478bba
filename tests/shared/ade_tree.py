"""Makes a tree in an official layout of ADE20K with drawn instead of real scenes.

    python tests/shared/ade_tree.py --out TREE --layout scene-parsing --images-per-scene 20

Four kinds of scenes show six of the 150 objects, each with its own probability, as
rectangles in the object's colour; label maps, lists, JSON files and index say the same as
the drawings.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

OBJECTS = ("wall", "building, edifice", "sky", "tree", "door, double door", "crt screen")
COLOURS = (
    (190, 175, 150),
    (150, 80, 60),
    (120, 170, 230),
    (40, 120, 50),
    (110, 70, 30),
    (20, 20, 60),
)
NUMBERS = {
    "wall": 2978,
    "building, edifice": 312,
    "sky": 2420,
    "tree": 2855,
    "door": 774,
    "double door": 783,
    "screen, crt screen": 3109,
    "umbrella": 2901,
}
"""Names and numbers in the full dataset; umbrellas are in no list of 150."""
FULL_NAMES = ("wall", "building, edifice", "sky", "tree", "door", "screen, crt screen")
SCENES = {
    "attic": (1.0, 0.0, 0.0, 0.0, 0.6, 0.7),
    "basement": (1.0, 0.0, 0.0, 0.0, 0.9, 0.2),
    "street": (0.0, 1.0, 0.9, 0.5, 0.4, 0.0),
    "valley": (0.0, 0.2, 1.0, 1.0, 0.0, 0.0),
}
"""How probably a scene shows each object."""
VALIDATION = 3
"""Every third image is a validation image."""


class Picture(NamedTuple):
    """A drawn scene; labels count objects from 1, 0 is nothing."""

    stem: str
    scene: str
    pixels: np.ndarray
    labels: np.ndarray


def pictures(images_per_scene: int) -> list[Picture]:
    """Scenes in turn, so that numbers tell nothing of them."""
    counts, found = {"train": 0, "val": 0}, []
    for one in range(images_per_scene):
        for place, scene in enumerate(SCENES):
            kind = "val" if one % VALIDATION == VALIDATION - 1 else "train"
            counts[kind] += 1
            stem = f"ADE_{kind}_{counts[kind]:08d}"
            found.append(drawn(stem, scene, np.random.default_rng([one, place])))
    return found


def drawn(stem: str, scene: str, random: np.random.Generator) -> Picture:
    """Objects as rectangles, later ones on top, on a noisy grey ground."""
    height, width = 48, int(random.integers(60, 72))
    labels = np.zeros((height, width), np.uint8)
    for place, probability in enumerate(SCENES[scene]):
        if random.random() < probability:
            top, left = random.integers(0, height // 2), random.integers(0, width // 2)
            tall, wide = random.integers(8, height // 2), random.integers(12, width // 2)
            labels[top : top + tall, left : left + wide] = place + 1
    colours = np.array([(128, 128, 128), *COLOURS])
    noisy = colours[labels] + random.normal(0, 12, (height, width, 3))
    return Picture(stem, scene, noisy.clip(0, 255).astype(np.uint8), labels)


def write_lists(folder: Path, made: list[Picture]) -> None:
    """`objectInfo150.txt` and `sceneCategories.txt`."""
    rows = [f"{i}\t0.1000\t9\t3\t{name}" for i, name in enumerate(OBJECTS, start=1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objectInfo150.txt").write_text(
        "\n".join(["Idx\tRatio\tTrain\tVal\tName", *rows, ""])
    )
    lines = [f"{one.stem} {one.scene}\n" for one in sorted(made, key=lambda one: one.stem)]
    (folder / "sceneCategories.txt").write_text("".join(lines))


def write_scene_parsing(tree: Path, made: list[Picture]) -> None:
    """SceneParsing-150."""
    write_lists(tree, made)
    for one in made:
        place = f"{split_of(one)}/{one.stem}"
        save(tree / f"images/{place}.jpg", one.pixels)
        save(tree / f"annotations/{place}.png", one.labels)


def write_full_2021(tree: Path, made: list[Picture]) -> None:
    """The full dataset of 2021: a JSON beside each image, and a folder with its instances."""
    write_lists(tree, made)
    for one in made:
        folder = tree / "images/ADE" / split_of(one) / "somewhere" / one.scene
        save(folder / f"{one.stem}.jpg", one.pixels)
        save(folder / f"{one.stem}_seg.png", full_labels(one))
        save(folder / one.stem / f"instance_000_{one.stem}.png", one.labels)
        present = [FULL_NAMES[place - 1] for place in np.unique(one.labels) if place]
        described = {
            "filename": f"{one.stem}.jpg",
            "scene": ["outdoor", "somewhere", one.scene],
            "object": [
                {"id": i, "name": name, "name_ndx": NUMBERS[name], "parts": {"part_level": 0}}
                for i, name in enumerate(present)
            ],
        }
        (folder / f"{one.stem}.json").write_text(json.dumps({"annotation": described}))


def write_full_2016(tree: Path, made: list[Picture]) -> None:
    """The full dataset of 2016: an index says which image has which objects."""
    write_lists(tree, made)
    for one in made:
        folder = tree / "images" / split_of(one) / one.scene[0] / one.scene
        save(folder / f"{one.stem}.jpg", one.pixels)
        save(folder / f"{one.stem}_seg.png", full_labels(one))
    write_index(tree / "index_ade20k.mat", made)


def write_index(path: Path, made: list[Picture], **changes: object) -> None:
    """`index_ade20k.mat`; `changes` replace fields."""
    from scipy.io import savemat

    named = {number: name for name, number in NUMBERS.items()}
    names = [named.get(number, f"thing {number}") for number in range(1, max(named) + 1)]
    presence = np.zeros((len(names), len(made)), np.float32)
    for column, one in enumerate(made):
        for place in np.unique(one.labels):
            if place:
                presence[NUMBERS[FULL_NAMES[place - 1]] - 1, column] = 2
    fields = {
        "filename": np.array([f"{one.stem}.jpg" for one in made], object),
        "scene": np.array([one.scene for one in made], object),
        "typeset": np.array([[1 if "train" in one.stem else 2] for one in made], np.uint8),
        "objectIsPart": np.zeros_like(presence),
        "objectPresence": presence,
        "objectnames": np.array(names, object),
    }
    savemat(path, {"index": {**fields, **changes}}, do_compression=True)


def full_labels(one: Picture) -> np.ndarray:
    """Class R // 10 · 256 + G; blue would tell instances apart."""
    numbers = np.array([0, *(NUMBERS[name] for name in FULL_NAMES)])[one.labels]
    channels = [numbers // 256 * 10, numbers % 256, (one.labels > 0) * 7]
    return np.stack(channels, axis=2).astype(np.uint8)


def split_of(one: Picture) -> str:
    """The folder of the image's split."""
    return "training" if "train" in one.stem else "validation"


def save(path: Path, pixels: np.ndarray) -> None:
    """An image file, folders made as needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **({"quality": 95} if path.suffix == ".jpg" else {}))


WRITERS = {
    "scene-parsing": write_scene_parsing,
    "full-2021": write_full_2021,
    "full-2016": write_full_2016,
}


def main() -> None:
    """Make the tree that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--layout", choices=WRITERS, default="scene-parsing")
    parser.add_argument("--images-per-scene", type=int, default=20)
    given = parser.parse_args()
    made = pictures(given.images_per_scene)
    WRITERS[given.layout](given.out, made)
    print(f"{len(made)} images of {len(SCENES)} scenes in {given.out}")  # noqa: T201


if __name__ == "__main__":
    main()
