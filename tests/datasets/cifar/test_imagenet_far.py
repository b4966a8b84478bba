"""ImageNet-Far: photographs that stand for CIFAR-10's classes without being under them."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench import DatasetError
from xbench.testing import check_component
from xbench_datasets.cifar.far_synsets import BUNDLED
from xbench_datasets.cifar.imagenet_far import WAY_OUT, ImagenetFar
from xbench_datasets.cifar.names import CIFAR10
from xbench_explicable.wordnet.files import DATA
from xbench_explicable.wordnet.nouns import nouns, steps_up, synset_of

CIFAR10_SYNSETS = (
    *("n02691156", "n02958343", "n01503061", "n02121620", "n02430045"),
    *("n02084071", "n01639765", "n02374451", "n04194289", "n04490091"),
)
"""Airplane, car, bird, … of WordNet, in the order of CIFAR-10."""
TABLE = "class,synset\n" + "".join(f"{name},n0000000{i}\n" for i, name in enumerate(CIFAR10))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A synset for each class."""
    file = tmp_path / "synsets.csv"
    file.write_text(TABLE)
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two photographs of each synset, whose blue tells its class, and a class of nobody's."""
    folder = tmp_path / "imagenet"
    for label in range(11):
        place = folder / f"n{label:08d}"
        place.mkdir(parents=True)
        for red in range(2):
            Image.new("RGB", (70, 50), (red, 0, label)).save(place / f"{red}.png")
    return folder


def bundled() -> list[tuple[str, str]]:
    rows = csv.DictReader(BUNDLED.read_text().splitlines())
    return [(row["class"], row["synset"]) for row in rows]


def test_photographs_of_listed_synsets_have_the_classes_of_the_table(
    root: Path, table: Path
) -> None:
    dataset = ImagenetFar(str(root), synsets=str(table))
    check_component(dataset)
    assert dataset.verify() == []
    assert dataset.splits() == ("val",)
    assert dataset.class_names() == CIFAR10
    ids = dataset.ids("val")
    assert dataset.labels(ids).tolist() == [label for label in range(10) for _ in range(2)]
    pixels = [image[:, 0, 0].tolist() for image in dataset.images(ids)]
    assert pixels == [[red, 0, label] for label in range(10) for red in range(2)]
    assert dataset.sizes(ids[:1]) == [(32, 32)]


def test_a_pixel_is_the_mean_of_its_box_of_the_whole_photograph(root: Path, table: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    Image.fromarray(photo).save(root / "n00000000/0.png")
    dataset = ImagenetFar(str(root), synsets=str(table))
    image = dataset.images(dataset.ids("val")[:1])[0]
    assert image.shape == (3, 32, 32)
    for y, x in ((0, 0), (5, 17), (31, 31)):
        box = photo[2 * y : 2 * y + 2, 3 * x : 3 * x + 3].reshape(-1, 3).mean(0)
        assert image[:, y, x].double().numpy() == pytest.approx(box, abs=1)


def test_images_that_are_given_away_can_be_written_on(root: Path, table: Path) -> None:
    dataset = ImagenetFar(str(root), synsets=str(table))
    first = dataset.images([0])[0]
    before = first.clone()
    first.fill_(200)
    assert torch.equal(dataset.images([0])[0], before)


def test_a_photograph_that_is_replaced_is_read_again(root: Path, table: Path) -> None:
    dataset = ImagenetFar(str(root), synsets=str(table))
    assert dataset.images(dataset.ids("val")[:1])[0][0, 0, 0] == 0
    (root / "n00000000/0.png").unlink()
    Image.new("RGB", (70, 50), (99, 0, 0)).save(root / "n00000000/0.png")
    assert dataset.images(dataset.ids("val")[:1])[0][0, 0, 0] == 99


def test_another_table_is_another_dataset(root: Path, table: Path) -> None:
    first = ImagenetFar(str(root), synsets=str(table)).fingerprint()
    assert ImagenetFar(str(root), synsets=str(table)).fingerprint() == first
    swapped = TABLE.replace("cat,", "x,").replace("dog,", "cat,").replace("x,", "dog,")
    table.write_text(swapped)
    assert ImagenetFar(str(root), synsets=str(table)).fingerprint() != first


def test_a_split_must_have_all_synsets(root: Path, table: Path) -> None:
    for name in ("n00000003", "n00000008"):
        for file in (root / name).iterdir():
            file.unlink()
        (root / name).rmdir()
    with pytest.raises(DatasetError) as caught:
        ImagenetFar(str(root), synsets=str(table)).check()
    assert str(caught.value) == (
        f"dataset 'imagenet-far': split 'val' of {root} lacks 2 of 10 synsets: "
        f"n00000003 for cat, n00000008 for ship. {WAY_OUT}"
    )


def test_a_folder_without_any_of_them_is_refused(root: Path) -> None:
    with pytest.raises(DatasetError, match=rf"{root} lacks 46 of 46 synsets: n04552348 for air"):
        ImagenetFar(str(root)).check()


def test_no_folder_is_asked_for() -> None:
    with pytest.raises(DatasetError) as caught:
        ImagenetFar().check()
    assert str(caught.value) == (
        "dataset 'imagenet-far' needs a folder: `-p dataset.root=FOLDER` "
        "(`-p defaults.dataset.imagenet-far.root=FOLDER` where it is not the main dataset)"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("class,synset", "class,id"), "its first line lacks synset; a table has the columns"),
        (("deer,n00000004\n", ""), "no synset stands for deer; a table has"),
        (("deer,n0", "elk,n0"), "line 6: 'elk' is no class; classes are airplane, "),
        (("deer,n00000004", "deer,ibex"), "line 6: 'ibex' is no WordNet id such as n02417914"),
        (("n00000004", "n00000003"), "line 6: n00000003 stands for cat already"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(
    root: Path, table: Path, change: tuple[str, str], text: str
) -> None:
    table.write_text(TABLE.replace(*change))
    with pytest.raises(DatasetError) as caught:
        ImagenetFar(str(root), synsets=str(table)).check()
    assert str(caught.value).startswith(f"dataset 'imagenet-far': {table}")
    assert text in str(caught.value)


def imagenet_synsets() -> dict[str, str]:
    text = (DATA / "imagenet.csv").read_text()
    return {row["class"]: row["synset"] for row in csv.DictReader(text.splitlines())}


def test_the_bundled_synsets_are_imagenets_and_none_stands_twice() -> None:
    rows = bundled()
    assert set(dict(rows)) == set(CIFAR10)
    assert max(Counter(synset for _, synset in rows).values()) == 1
    imagenet = set(imagenet_synsets().values())
    assert len(imagenet) == 1000
    assert {synset for _, synset in rows} <= imagenet


def test_only_birds_are_under_their_class_in_wordnet() -> None:
    """ImageNet has no bird that is none; of all others the direct heirs are left out."""
    reader = nouns("")
    heads = dict(zip(CIFAR10, CIFAR10_SYNSETS, strict=True))
    for name, synset in bundled():
        path = {f"n{above.offset():08d}" for above, _ in steps_up(synset_of(reader, synset))}
        assert (heads[name] in path) == (name == "bird"), synset


@pytest.mark.realdata
def test_a_sample_of_imagenet_has_a_photograph_of_each_synset(realdata: Path) -> None:
    dataset = ImagenetFar(str(realdata / "imagenet_sample"))
    dataset.check()
    ids = dataset.ids("val")
    counts = Counter(name for name, _ in bundled())
    assert torch.bincount(dataset.labels(ids)).tolist() == [counts[name] for name in CIFAR10]
    assert torch.stack(list(dataset.images(ids))).shape == (46, 3, 32, 32)
    listed = set((realdata / "class_lists/Imagenet1000_wnids.txt").read_text().split())
    assert {synset for _, synset in bundled()} <= listed
