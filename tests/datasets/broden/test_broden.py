"""Broden: tables and masks of Network Dissection, drawn small."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench import DatasetError, UnknownNameError, generator
from xbench.testing import check_component
from xbench_datasets.broden.dataset import Broden
from xbench_datasets.broden.presence import label_map

SIDE, COUNT = 8, 24
NAMES = {
    1: "black-c", 2: "fabric", 3: "street-s", 5: "striped", 6: "rare", 7: "attic-s", 8: "red-c",
    9: "dotted", 300: "cat", 301: "ear, left",
}  # fmt: skip
TRAIN = [place for place in range(COUNT) if place % 8 not in (2, 7)]
HEADER = "image,split,ih,iw,sh,sw,color,object,part,material,scene,texture"


def picture(place: int) -> dict[str, list[int]]:
    """What image `place` shows: even ones are of source a and have scenes, others textures."""
    even = place % 2 == 0
    return {
        "color": [8] if place % 3 else [1, 8],
        "object": [300] if place % 4 == 0 else [2] if place in (1, 6, 14) else [6] * (place == 3),
        "part": [301] if place in (0, 8) else [],
        "material": [2] if place in (5, 7, 9, 11) else [1] * (place > 20),
        "scene": ([3, 7] if place % 6 == 0 else [7]) if even and place < 20 else [],
        "texture": [] if even else [5] if place % 4 == 1 else [9],
    }


def label_table() -> str:
    """label.csv, counted."""
    lines = ["number,name,category,frequency,coverage,syns"]
    for number, name in NAMES.items():
        shown = [[c for c, own in picture(p).items() if number in own] for p in range(COUNT)]
        counts = {c: sum(c in own for own in shown) for c in picture(0)}
        categories = ";".join(f"{c}({count})" for c, count in counts.items() if count)
        lines.append(f'{number},"{name}",{categories},{sum(map(bool, shown))},0.5,')
    return "\n".join(lines) + "\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Images whose brightness tells their place; TRAIN are of train."""
    folder = tmp_path / "broden1_224"
    lines = [HEADER]
    for place in range(COUNT):
        source = "ab"[place % 2]
        name = f"{source}/{place}"
        draw(folder / "images" / f"{name}.jpg", np.full((SIDE, SIDE, 3), 10 * place, np.uint8))
        cells = []
        for category, labels in picture(place).items():
            if category in ("scene", "texture"):
                cells.append(";".join(map(str, labels)))
            else:
                files = [f"{name}_{category}_{k}.png" for k in range(len(labels))]
                for file, label in zip(files, labels, strict=True):
                    draw(folder / "images" / file, mask(label))
                cells.append(";".join(files))
        split = "train" if place in TRAIN else "val"
        lines.append(",".join([f"{name}.jpg", split, *[str(SIDE)] * 4, *cells]))
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    (folder / "label.csv").write_text(label_table())
    return tmp_path


def mask(label: int) -> np.ndarray:
    """The label in one corner: red + 256 × green."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2, :3] = label % 256, label // 256, 0
    return pixels


def draw(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **({"quality": 100} if path.suffix == ".jpg" else {}))


@pytest.fixture
def broden(tree: Path) -> Broden:
    return Broden(root=str(tree), minimum=2, size=SIDE)


def places(images: torch.Tensor) -> list[int]:
    """The places that the colours of images tell, sorted."""
    return sorted((images.double().mean(dim=(1, 2, 3)) / 10).round().int().tolist())


def test_a_label_map_has_two_bytes(tmp_path: Path) -> None:
    draw(tmp_path / "1.png", mask(300))
    assert label_map(tmp_path / "1.png").tolist() == [[300, 300, 300, 0]] * 2 + [[0] * 4] * 2


def test_images_and_scenes(tree: Path, broden: Broden) -> None:
    broden.check()
    assert broden.verify() == []
    assert broden.splits() == ("val",)
    assert list(broden.ids("val")) == [2, 7, 10, 15, 18, 23]
    assert broden.class_names() == ("street-s", "attic-s", "none")
    assert broden.labels([*range(7), 22]).tolist() == [0, 2, 1, 2, 1, 2, 0, 2]
    assert broden.images([3])[0].shape == (3, SIDE, SIDE)
    assert list(broden.sizes([3])) == [(SIDE, SIDE)]
    assert Broden(root=str(tree / "broden1_224"), minimum=2).fingerprint() == broden.fingerprint()


def test_concepts_are_labels_that_are_frequent_enough(tree: Path, broden: Broden) -> None:
    assert [tuple(concept) for concept in broden.concepts()] == [
        ("black-c", "image qualities"),
        ("fabric", "textures"),
        ("street-s", "settings"),
        ("striped", "textures"),
        ("attic-s", "settings"),
        ("red-c", "image qualities"),
        ("dotted", "textures"),
        ("cat", "objects and parts"),
        ("ear, left", "objects and parts"),
    ]
    often = [concept.name for concept in Broden(root=str(tree), minimum=6).concepts()]
    assert often == ["black-c", "fabric", "striped", "attic-s", "red-c", "dotted", "cat"]


def slow_twin(number: int, category: str) -> tuple[list[int], list[int]]:
    """Training images with the label; and others of the same sources labelled in its category."""
    positive = [p for p in TRAIN if any(number in own for own in picture(p).values())]
    sources = {p % 2 for p in positive}
    negative = [
        p for p in TRAIN if p not in positive and p % 2 in sources and picture(p)[category] != []
    ]
    return positive, negative


@pytest.mark.parametrize(
    ("number", "category"),
    [(1, "color"), (2, "material"), (3, "scene"), (5, "texture"), (9, "texture"), (300, "object")],
)
def test_examples_have_the_label_and_the_others_do_not(
    broden: Broden, number: int, category: str
) -> None:
    positive, negative = broden.concept_examples(NAMES[number], 50, generator(0))
    assert (places(positive), places(negative)) == slow_twin(number, category)
    assert positive.shape[1:] == (3, SIDE, SIDE)
    assert positive.dtype == torch.uint8
    assert len(slow_twin(number, category)[1]) > 1


def test_so_many_examples_as_are_wanted_by_the_generator(broden: Broden) -> None:
    first, again, other = (broden.concept_examples("cat", 2, generator(s)) for s in (0, 0, 3))
    assert len(first.positive) == len(first.negative) == 2
    assert torch.equal(first.positive, again.positive)
    assert torch.equal(first.negative, again.negative)
    assert not torch.equal(first.negative, other.negative)


@pytest.mark.parametrize("name", ["red-c", "ear, left"])
def test_a_label_that_all_or_no_others_have(broden: Broden, name: str) -> None:
    message = rf"no training images tell with '{name}' from without; raise -p dataset.minimum"
    with pytest.raises(DatasetError, match=message):
        broden.concept_examples(name, 50, generator(0))


def test_an_unknown_or_rare_concept(broden: Broden) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown concept of broden 'rare'"):
        broden.concept_examples("rare", 5, generator(0))
    with pytest.raises(UnknownNameError, match=r"unknown split of broden 'train'\. Known: val"):
        broden.ids("train")
    with pytest.raises(UnknownNameError, match=r"unknown image id of broden '24'"):
        broden.labels([24])


def test_masks_are_read_once_and_then_kept(tree: Path, broden: Broden) -> None:
    before = broden.concept_examples("cat", 50, generator(0))
    for file in (tree / "broden1_224" / "images").rglob("*_object_*.png"):
        file.unlink()
    after = broden.concept_examples("cat", 50, generator(0))
    assert torch.equal(before.positive, after.positive)
    index = tree / "broden1_224" / "index.csv"
    os.utime(index, ns=(index.stat().st_atime_ns, index.stat().st_mtime_ns + 10**9))
    with pytest.raises(
        DatasetError, match=r"_object_0.png does not decode as a mask: the file is m"
    ):
        broden.concept_examples("cat", 50, generator(0))


def test_missing_and_damaged_files(tree: Path, broden: Broden) -> None:
    images = tree / "broden1_224" / "images"
    (images / "a/4_object_0.png").write_bytes(b"")
    (images / "b/3.jpg").unlink()
    lines = broden.verify()
    assert lines[0] == f"missing: {images / 'b/3.jpg'}"
    assert lines[1].startswith(f"damaged: {images / 'a/4_object_0.png'}: ")
    with pytest.raises(
        DatasetError, match=r"dataset 'broden': .*images lacks an image: b/3.jpg\. h"
    ):
        broden.check()


def test_no_tables(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"dataset 'broden': .*index.csv is not there\. http://net"
    ):
        Broden(root=str(tmp_path)).check()
    assert len(Broden(root=str(tmp_path)).verify()) == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("index.csv", "image,split", "picture,split", r"line 1: expected the columns image"),
        ("index.csv", "a/2.jpg,val", "a/2.jpg,test", r"line 4: split should be train or val, "),
        ("index.csv", "a/2.jpg,val,8", "a/2.jpg,val,x", r"line 4: ih should be a whole number"),
        ("index.csv", "a/2.jpg,val,", "a/2.jpg,val,9,", r"line 4: expected 12 fields"),
        ("index.csv", "a/2.jpg", "a/0.jpg", r"index.csv: an image stands twice"),
        ("index.csv", ",3;7,", ",3;77,", r"line 2: label 77 is not in label.csv"),
        ("label.csv", "scene(", "scene", r"label.csv, line 4: categories should be such"),
        ("label.csv", "7,", "3,", r"label.csv: label 3 stands twice"),
        ("label.csv", "7,", "70000,", r"line 7: number should be from 1 to 65535, found 70000"),
    ],
)  # fmt: skip
def test_tables_that_are_wrong(
    tree: Path, broden: Broden, file: str, old: str, new: str, message: str
) -> None:
    path = tree / "broden1_224" / file
    lines = path.read_text().splitlines(keepends=True)
    changed = "".join(lines)
    assert old in changed
    if old == "7,":
        changed = "".join(new + line[2:] if line.startswith(old) else line for line in lines)
    else:
        changed = changed.replace(old, new, 1)
    path.write_text(changed)
    with pytest.raises(DatasetError, match=message):
        broden.check()


def test_impossible_parameters() -> None:
    with pytest.raises(ValueError, match="minimum and size should be 1 or more"):
        Broden(root="x", minimum=0)


def test_the_conformance_suite(broden: Broden) -> None:
    check_component(broden)
