"""MetaShift: photographs listed by subject and context."""

import pickle
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench import DatasetError, UnknownNameError, generator
from xbench.testing import check_component
from xbench_datasets.metashift.dataset import Metashift

INDEX = {
    "cat(snow)": range(100, 110),
    "cat(sofa)": range(105, 130),
    "dog(snow)": range(200, 230),
    "dog(sofa)": range(230, 233),
    "dog(cat)": range(125, 128),
    "cat(dog)": range(125, 128),
    "sofa(room)": [*range(300, 310), 105, 126],
    "chair(sofa)": range(305, 315),
    "snow(hill)": range(320, 325),
    "car(road)": range(330, 350),
}
"""Cats 125 to 127 are on sofas with dogs; other sofas are in 300 to 314, snow in 320 to 324."""
PAIR = {"classes": ("cat", "dog"), "minimum": 10, "size": 8}


def written(path: Path, index: dict) -> Path:
    """The index as the official file holds it."""
    table = defaultdict(set, {key: {str(i) for i in ids} for key, ids in index.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(table, 3))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Index and photographs, lossless whatever their names, whose red and green tell numbers."""
    written(tmp_path / "full-candidate-subsets.pkl", INDEX)
    (tmp_path / "images").mkdir()
    for image in {image for ids in INDEX.values() for image in ids}:
        pixels = np.zeros((9, 16, 3), np.uint8) + np.array(
            [image % 256, image // 256, 90], np.uint8
        )
        Image.fromarray(pixels).save(tmp_path / "images" / f"{image}.jpg", format="PNG")
    return tmp_path


@pytest.fixture
def pets(root: Path) -> Metashift:
    return Metashift(root=str(root), **PAIR)


def everything(dataset: Metashift) -> list[int]:
    return sorted([*dataset.ids("train"), *dataset.ids("test")])


def test_images_of_one_class_are_labelled_and_others_left_out(pets: Metashift) -> None:
    pets.check()
    assert pets.verify() == []
    assert pets.class_names() == ("cat", "dog")
    ids = everything(pets)
    cats = [i for i in range(100, 130) if i not in (125, 126, 127)]
    assert ids == [*cats, *range(200, 233)]
    assert pets.left_out() == 3
    assert pets.labels(ids).tolist() == [0] * 27 + [1] * 33
    assert list(pets.sizes([105, 210])) == [(9, 16)] * 2
    assert pets.images([230])[0][0].float().mean() == pytest.approx(230, abs=2)


def test_contexts_are_those_that_some_class_has_often_enough(root: Path, pets: Metashift) -> None:
    assert pets.context_names() == ("snow", "sofa")
    shown = pets.contexts([100, 105, 129, 200, 231])
    assert shown.dtype == torch.bool
    assert shown.tolist() == [
        [True, False], [True, True], [False, True], [True, False], [False, True],
    ]  # fmt: skip
    assert Metashift(root=str(root), **PAIR | {"minimum": 26}).context_names() == ("snow",)


def test_splits_hang_on_the_number_of_an_image_only(root: Path, pets: Metashift) -> None:
    train, test = set(pets.ids("train")), set(pets.ids("test"))
    assert not train & test
    assert 8 <= len(test) <= 30
    written(root / "other.pkl", {key: INDEX[key] for key in ("cat(sofa)", "dog(snow)")})
    fewer = Metashift(root=str(root), index=str(root / "other.pkl"), **PAIR)
    assert set(fewer.ids("test")) & set(everything(pets)) == test & set(everything(fewer))
    most = Metashift(root=str(root), test_share=0.9, **PAIR)
    assert test < set(most.ids("test"))


def test_concept_examples_lie_in_no_split(root: Path, pets: Metashift) -> None:
    assert [tuple(concept) for concept in pets.concepts()] == [
        ("snow", "contexts"), ("sofa", "contexts"),
    ]  # fmt: skip
    positive, negative = pets.concept_examples("sofa", 200, generator(0))
    assert numbers(positive) == {125, 126, 127, *range(300, 315)}
    assert numbers(negative) == {*range(320, 325), *range(330, 350)}
    assert positive.shape[1:] == (3, 8, 8)
    assert positive.dtype == torch.uint8
    few = pets.concept_examples("snow", 4, generator(0))
    assert len(few.positive) == len(few.negative) == 4
    assert numbers(few.positive) <= set(range(320, 325))


def numbers(images: torch.Tensor) -> set[int]:
    """The numbers that the colours of photographs tell."""
    means = images.double().mean(dim=(2, 3)).round()
    near = (means[:, 0] + 256 * means[:, 1]).int().tolist()
    known = {image for ids in INDEX.values() for image in ids}
    assert set(near) <= known
    return set(near)


def test_concept_examples_follow_the_generator(pets: Metashift) -> None:
    first, again, other = (
        pets.concept_examples("sofa", 5, generator(s)).positive for s in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_concept_examples_that_are_not_on_the_disk_are_left_out(
    root: Path, pets: Metashift
) -> None:
    for image in range(300, 314):
        (root / "images" / f"{image}.jpg").unlink()
    assert numbers(pets.concept_examples("sofa", 9, generator(0)).positive) == {125, 126, 127, 314}
    for image in (125, 126, 127, 314):
        (root / "images" / f"{image}.jpg").unlink()
    with pytest.raises(DatasetError, match=r"has no photograph of none of the classes .* 'sofa'"):
        pets.concept_examples("sofa", 9, generator(0))


def test_an_unknown_concept(pets: Metashift) -> None:
    with pytest.raises(
        UnknownNameError, match=r"unknown concept of metashift 'sofas'; did you mean"
    ):
        pets.concept_examples("sofas", 9, generator(0))


def test_the_layout_of_the_unpacked_archive(root: Path, pets: Metashift) -> None:
    before = pets.fingerprint()
    (root / "allImages").mkdir()
    (root / "images").rename(root / "allImages" / "images")
    pets.check()
    assert pets.fingerprint() == before


def test_missing_photographs(root: Path, pets: Metashift) -> None:
    (root / "images" / "105.jpg").unlink()
    with pytest.raises(DatasetError, match=r"1 of 60 photograph is not in .*images: 105.jpg\. `-p"):
        pets.check()
    assert pets.verify() == [f"missing: {root / 'images' / '105.jpg'}"]
    (root / "images" / "106.jpg").write_bytes(b"")
    assert len(pets.verify()) == 2


def test_an_index_that_is_not_there_or_not_one(root: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"nowhere/full-candidate-subsets.pkl is not there\. `-p d"
    ):
        Metashift(root=str(tmp_path / "nowhere")).check()
    for content, message in (
        (b"", "is no pickle, or a damaged one"),
        (b"cos\nsystem\n(S'true'\ntR.", r"is refused: it asks for os\.system"),
        (pickle.dumps([1]), r"should hold lists of images by subject\(context\)"),
        (pickle.dumps({"dog": {"1"}}), r"has the key 'dog', expected subject\(context\)"),
        (pickle.dumps({"dog(snow)": "1"}), r"dog\(snow\): expected a list of numbers of images"),
        (
            pickle.dumps({"dog(snow)": [["1"]]}),
            r"dog\(snow\): expected a list of numbers of images",
        ),
        (pickle.dumps({"dog(snow)": {"n1"}}), "has the image 'n1', expected a number"),
    ):
        (tmp_path / "index.pkl").write_bytes(content)
        dataset = Metashift(root=str(root), index=str(tmp_path / "index.pkl"))
        with pytest.raises(DatasetError, match=message):
            dataset.check()
        assert len(dataset.verify()) == 1


def test_classes_that_the_index_does_not_have(root: Path) -> None:
    with pytest.raises(
        DatasetError, match="has no images of 'emu'; it has car, cat, chair, dog, sno"
    ):
        Metashift(root=str(root), classes=("cat", "emu"), minimum=1).check()
    with pytest.raises(DatasetError, match="has no context of 99 images of one class"):
        Metashift(root=str(root), classes=("cat",), minimum=99).check()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": ("cat", "cat")}, "classes should be different names, got cat, cat"),
        ({"test_share": 1.0}, "test_share should be between 0 and 1, got 1.0"),
        ({"minimum": 0}, "minimum and size should be 1 or more"),
    ],
)
def test_impossible_parameters(fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Metashift(root="x", **fields)


def test_unknown_split_and_id(pets: Metashift) -> None:
    with pytest.raises(UnknownNameError, match="unknown split of metashift 'val'"):
        pets.ids("val")
    with pytest.raises(UnknownNameError, match="unknown image id of metashift '126'"):
        pets.labels([126])


@pytest.mark.realdata
def test_the_released_index_of_attributes(realdata: Path, tmp_path: Path) -> None:
    index = realdata / "metashift" / "attributes-candidate-subsets.pkl"
    dataset = Metashift(root=str(tmp_path), index=str(index))
    ids = everything(dataset)
    assert len(ids) == 2846
    assert dataset.left_out() == 21
    assert len(dataset.context_names()) == 20
    share = len(dataset.ids("test")) / len(ids)
    assert 0.27 < share < 0.33
    labels, contexts = dataset.labels(ids), dataset.contexts(ids)
    counts = torch.stack([contexts[labels == label].sum(dim=0) for label in range(5)])
    assert (counts.max(dim=0).values >= 25).all()
    table = pickle.loads(index.read_bytes())  # noqa: S301 - refused by nobody but us: a slow twin
    others = [
        table[key] for key in table if key.split("(")[0] in ("bear", "bird", "cat", "elephant")
    ]
    black = {int(i) for i in table["dog(black)"] if not any(i in other for other in others)}
    column = dataset.context_names().index("black")
    row = [image for image, label in zip(ids, labels.tolist(), strict=True) if label == 3]
    assert {i for i in row if dataset.contexts([i])[0, column]} == black
    with pytest.raises(DatasetError, match="2846 of 2846 photographs are not in"):
        dataset.check()


def test_the_conformance_suite(pets: Metashift) -> None:
    check_component(pets)
