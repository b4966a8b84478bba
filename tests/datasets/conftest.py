"""Tiny trees in official layouts, made from nothing."""

from pathlib import Path

import numpy as np
import pytest

import cub_tree

PARTS = (  # noqa: SIM905
    "back,beak,belly,breast,crown,forehead,left eye,left leg,left wing,nape,"
    "right eye,right leg,right wing,tail,throat"
).split(",")
GROUPS = {
    "bill_shape": 9, "wing_color": 15, "upperparts_color": 15, "underparts_color": 15,
    "breast_pattern": 4, "back_color": 15, "tail_shape": 6, "upper_tail_color": 15,
    "head_pattern": 11, "breast_color": 15, "throat_color": 15, "eye_color": 14,
    "bill_length": 3, "forehead_color": 15, "under_tail_color": 15, "nape_color": 15,
    "belly_color": 15, "wing_shape": 5, "size": 5, "shape": 14, "back_pattern": 4,
    "tail_pattern": 4, "belly_pattern": 4, "primary_color": 15, "leg_color": 15,
    "bill_color": 15, "crown_color": 15, "wing_pattern": 4,
}  # fmt: skip
"""How many values each attribute has, in the official order: 312 in all."""
FIRST_ID, IMAGES, CLASSES = 5, 12, 3


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Three classes of four images, ids from 5 on; attributes.txt lies beside the folder."""
    tree = tmp_path / "CUB_200_2011"
    write_annotations(tree, list(cub_tree.COLOURS))
    cub_tree.render(tree)
    (tree / "attributes.txt").rename(tmp_path / "attributes.txt")
    return tree


def write_annotations(tree: Path, colours: list[str]) -> None:
    """The annotation files, with attributes.txt inside the folder."""
    random = np.random.default_rng(0)
    ids = range(FIRST_ID, FIRST_ID + IMAGES)
    labels = [1 + row // 4 for row in range(IMAGES)]
    names = ["001.Red_Tit", "002.Blue_Tit", "003.Grey_Tit"]
    paths = [
        f"{names[label - 1]}/bird_{image}.jpg" for image, label in zip(ids, labels, strict=True)
    ]
    write(tree / "images.txt", zip(ids, paths, strict=True))
    write(tree / "classes.txt", enumerate(names, start=1))
    write(tree / "image_class_labels.txt", zip(ids, labels, strict=True))
    write(tree / "train_test_split.txt", ((image, image % 2) for image in ids))
    write(tree / "bounding_boxes.txt", ((image, "8.0", "6.0", "60.0", "40.0") for image in ids))
    write(tree / "parts/parts.txt", enumerate(PARTS, start=1))
    write(tree / "parts/part_locs.txt", (row for image in ids for row in points(image, random)))
    values = [value for name, count in GROUPS.items() for value in attribute(name, count, colours)]
    write(tree / "attributes.txt", enumerate(values, start=1))
    shares = random.uniform(0, 100, (CLASSES, len(values))).round(6)
    write(tree / "attributes/class_attribute_labels_continuous.txt", shares.tolist())


def points(image: int, random: np.random.Generator) -> list[tuple[object, ...]]:
    """One line for each part; part 3 is never visible."""
    xy = random.integers((8, 6), (68, 46), (len(PARTS), 2))
    return [
        (image, part, *((0.0, 0.0, 0) if part == 3 else (float(x), float(y), 1)))
        for part, (x, y) in enumerate(xy, start=1)
    ]


def attribute(name: str, count: int, colours: list[str]) -> list[str]:
    """Names of an attribute's values, such as has_bill_color::blue."""
    values = colours if name.endswith("color") else [f"kind-{i}" for i in range(count)]
    return [f"has_{name}::{value}" for value in values[:count]]


def write(path: Path, rows) -> None:
    """One line a row, fields separated by a space."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
