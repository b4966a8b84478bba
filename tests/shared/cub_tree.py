"""Makes a tree in the official layout of CUB-200-2011 with drawn instead of real photographs.

    python tests/shared/cub_tree.py --source CUB_200_2011 --out TREE --classes 10

The annotation files are those of `--source`, cut to the chosen classes and images; ids,
paths, points and percentages stay what they are. At each listed path a simple bird is
drawn: every visible part in a colour that is drawn from the percentages of its class.
"""

import argparse
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

COLOURS = {
    "blue": (40, 80, 200),
    "brown": (115, 70, 35),
    "iridescent": (30, 140, 140),
    "purple": (120, 40, 150),
    "rufous": (175, 75, 30),
    "grey": (130, 130, 135),
    "yellow": (240, 215, 40),
    "olive": (120, 120, 40),
    "green": (40, 140, 50),
    "pink": (240, 150, 180),
    "orange": (240, 140, 30),
    "black": (20, 20, 25),
    "white": (245, 245, 240),
    "red": (200, 30, 35),
    "buff": (220, 185, 130),
}
ATTRIBUTE = {
    "tail": "upper_tail_color",
    "left leg": "leg_color",
    "right leg": "leg_color",
    "back": "back_color",
    "left wing": "wing_color",
    "right wing": "wing_color",
    "belly": "belly_color",
    "breast": "breast_color",
    "nape": "nape_color",
    "throat": "throat_color",
    "crown": "crown_color",
    "forehead": "forehead_color",
    "beak": "bill_color",
    "left eye": "eye_color",
    "right eye": "eye_color",
}
"""What colours each part, in the order in which parts are drawn, the last on top."""
SIZES = {"left eye": 0.3, "right eye": 0.3, "beak": 0.6, "left leg": 0.5, "right leg": 0.5}
PERCENTAGES = "attributes/class_attribute_labels_continuous.txt"


class Bird(NamedTuple):
    """What is known of one image."""

    id: int
    path: str
    label: int
    box: tuple[float, float, float, float]
    parts: dict[str, tuple[float, float]]


def copy_subset(source: Path, out: Path, classes: int, images_per_class: int) -> None:
    """Write the annotation files of the first so many classes, and images of each."""
    labels = {row[0]: int(row[1]) for row in _rows(source / "image_class_labels.txt")}
    training = {row[0]: row[1] for row in _rows(source / "train_test_split.txt")}
    kept = _kept(labels, training, classes, images_per_class)
    by_image = ("images", "image_class_labels", "train_test_split", "bounding_boxes")
    for name in (*(f"{name}.txt" for name in by_image), "parts/part_locs.txt"):
        lines = (source / name).read_text().splitlines()
        _write(out / name, [line for line in lines if line.split(" ")[0] in kept])
    for name in ("classes.txt", PERCENTAGES):
        _write(out / name, (source / name).read_text().splitlines()[:classes])
    for name in ("parts/parts.txt", "attributes.txt", "attributes/certainties.txt"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, out / name)


def render(tree: Path) -> None:
    """Draw a bird at each path that `images.txt` lists."""
    names = [row[1] for row in _rows(tree / "attributes.txt")]
    percentages = np.loadtxt(tree / PERCENTAGES, ndmin=2)
    for bird in birds(tree):
        path = tree / "images" / bird.path
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(bird, names, percentages[bird.label]).save(path, quality=92)


def birds(tree: Path) -> list[Bird]:
    """What the annotation files say of each image."""
    parts = {row[0]: row[1] for row in _rows(tree / "parts/parts.txt")}
    labels = {row[0]: int(row[1]) - 1 for row in _rows(tree / "image_class_labels.txt")}
    boxes = {row[0]: row[1].split(" ") for row in _rows(tree / "bounding_boxes.txt")}
    points: dict[str, dict[str, tuple[float, float]]] = {}
    for image, rest in _rows(tree / "parts/part_locs.txt"):
        part, x, y, visible = rest.split(" ")
        if visible == "1":
            points.setdefault(image, {})[parts[part]] = float(x), float(y)
    return [
        Bird(int(i), path, labels[i], tuple(map(float, boxes[i])), points.get(i, {}))  # type: ignore[arg-type]
        for i, path in _rows(tree / "images.txt")
    ]


def draw(bird: Bird, names: list[str], percentages: np.ndarray) -> Image.Image:
    """The bird: an ellipse in its primary colour, and a disc for each visible part."""
    random = np.random.default_rng(bird.id)
    left, top, width, height = bird.box
    right, bottom = left + width, top + height
    size = (
        max(right, *(x for x, _ in bird.parts.values()), 0) + 1,
        max(bottom, *(y for _, y in bird.parts.values()), 0) + 1,
    )
    image = _background((int(size[0]) + 12, int(size[1]) + 12), random)
    pen = ImageDraw.Draw(image)
    inset = 0.12 * min(width, height)
    body = (left + inset, top + inset, right - inset, bottom - inset)
    pen.ellipse(body, fill=_colour("primary_color", names, percentages, random))
    radius = 0.14 * (width * height) ** 0.5
    colours = {
        attribute: _colour(attribute, names, percentages, random)
        for attribute in dict.fromkeys(ATTRIBUTE.values())
    }
    for part, attribute in ATTRIBUTE.items():
        if part in bird.parts:
            x, y = (value + 0.5 for value in bird.parts[part])
            r = max(2.0, radius * SIZES.get(part, 1.0))
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colours[attribute], outline=(10, 10, 10))
    return image


def _colour(
    attribute: str, names: list[str], percentages: np.ndarray, random: np.random.Generator
) -> tuple[int, ...]:
    """A colour drawn from the class's percentages, sharpened so that the usual one dominates."""
    prefix = f"has_{attribute}::"
    columns = [column for column, name in enumerate(names) if name.startswith(prefix)]
    weights = percentages[columns] ** 4 + 1e-9
    column = random.choice(columns, p=weights / weights.sum())
    colour = np.array(COLOURS[names[column].removeprefix(prefix)]) + random.normal(0, 8, 3)
    return tuple(int(value) for value in colour.clip(0, 255))


def _background(size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    hues = np.array([(150, 190, 220), (120, 150, 90), (170, 160, 140), (90, 120, 110)])
    grid = hues[random.integers(len(hues))] + random.normal(0, 10, (5, 6, 3))
    rough = Image.fromarray(grid.clip(0, 255).astype(np.uint8))
    return rough.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3))


def _kept(
    labels: dict[str, int], training: dict[str, str], classes: int, images_per_class: int
) -> set[str]:
    """Ids of the images that stay: of each class so many, training and test in turn."""
    kept: set[str] = set()
    for label in range(1, classes + 1):
        halves = [
            [image for image in labels if labels[image] == label and training[image] == flag]
            for flag in "10"
        ]
        half = -(-images_per_class // 2)
        chosen = halves[0][:half] + halves[1][: images_per_class - half]
        kept.update(chosen)
    return kept


def _rows(path: Path) -> list[tuple[str, str]]:
    pairs = (line.split(" ", 1) for line in path.read_text().splitlines())
    return [(number, rest) for number, rest in pairs]


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def main() -> None:
    """Make the tree that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source", type=Path, required=True, help="folder with the annotation files"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--images-per-class", type=int, default=20)
    given = parser.parse_args()
    copy_subset(given.source, given.out, given.classes, given.images_per_class)
    render(given.out)
    print(f"{len(birds(given.out))} images of {given.classes} classes in {given.out}")  # noqa: T201


if __name__ == "__main__":
    main()
