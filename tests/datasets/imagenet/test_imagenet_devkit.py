"""ImageNet's validation images as they come, with the labels of the devkit."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from xbench import DatasetError
from xbench.testing import check_component
from xbench_datasets.imagenet.dataset import DIGEST, Imagenet
from xbench_datasets.matlab import read_structs
from xbench_explicable.wordnet.senses import imagenet

DEVKIT = "ILSVRC2012_devkit_t12/data"
FILE = "ILSVRC2012_val_{:08d}.JPEG"


def devkit(root: Path, names: list[str], truth: list[int], entity: object = None) -> None:
    """`meta.mat` with an array of structures, of which the first is above the classes."""
    kinds = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("children", object)]
    above = len(names) + 1 if entity is None else entity
    rows = [(above, "n00001740", "entity", np.arange(3.0))]
    rows += [(n, name, f"words of {n}", np.array([])) for n, name in enumerate(names, start=1)]
    folder = root / DEVKIT
    folder.mkdir(parents=True)
    synsets = np.array(rows, kinds)[:, None]
    savemat(folder / "meta.mat", {"synsets": synsets}, do_compression=True)
    lines = "".join(f"{number}\n" for number in truth)
    (folder / "ILSVRC2012_validation_ground_truth.txt").write_text(lines)


def painted(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (9, 99, 199)).save(folder / "first.jpg")
    content = (folder / "first.jpg").read_bytes()
    (folder / "first.jpg").unlink()
    for number in range(1, count + 1):
        (folder / FILE.format(number)).write_bytes(content)


@pytest.fixture
def ids() -> list[str]:
    """The 1 000 WordNet ids in order."""
    lines = sorted(imagenet().values())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == DIGEST
    return lines


@pytest.mark.parametrize("place", ["", "val", "ILSVRC2012_img_val"])
def test_labels_come_from_the_devkit_in_its_own_order(
    ids: list[str], tmp_path: Path, place: str
) -> None:
    numbered = np.random.default_rng(0).permutation(1000)  # the devkit's order is another
    truth = np.random.default_rng(1).permutation(1000) + 1
    devkit(tmp_path, [ids[place] for place in numbered], truth.tolist())
    painted(tmp_path / place, 1000)
    dataset = Imagenet(root=str(tmp_path))
    check_component(dataset)
    assert dataset.verify() == []
    assert dataset.splits() == ("val",)
    assert dataset.wordnet_ids() == tuple(ids)
    assert dataset.labels(dataset.ids("val")).tolist() == numbered[truth - 1].tolist()
    assert dataset.images([999])[0].shape == (3, 4, 6)


def test_training_images_in_folders_may_lie_beside_them(ids: list[str], tmp_path: Path) -> None:
    devkit(tmp_path, ids, list(range(1000, 0, -1)))
    painted(tmp_path / "val", 1000)
    painted(tmp_path / "train" / ids[7], 2)
    dataset = Imagenet(root=str(tmp_path))
    assert dataset.splits() == ("train", "val")
    assert dataset.labels(dataset.ids("train")).tolist() == [7, 7]
    assert dataset.labels(dataset.ids("val")).tolist() == list(range(999, -1, -1))
    assert dataset.images(dataset.ids("train")[:1])[0].shape == (3, 4, 6)
    alone = Imagenet(root=str(tmp_path / "val"))  # the devkit lies beside its root
    assert alone.labels(alone.ids("val")).tolist() == list(range(999, -1, -1))


def test_a_changed_ground_truth_is_seen_where_a_fingerprint_is_made(
    ids: list[str], tmp_path: Path
) -> None:
    devkit(tmp_path, ids, list(range(1, 1001)))
    painted(tmp_path, 1000)
    dataset = Imagenet(root=str(tmp_path))
    assert dataset.labels([0]).tolist() == [0]
    before = dataset.fingerprint()
    file = tmp_path / DEVKIT / "ILSVRC2012_validation_ground_truth.txt"
    file.write_text("".join(f"{number}\n" for number in range(1000, 0, -1)))
    assert dataset.fingerprint() != before
    assert dataset.labels([0]).tolist() == [999]


def test_a_new_training_image_beside_official_ones_is_seen(ids: list[str], tmp_path: Path) -> None:
    devkit(tmp_path, ids, list(range(1, 1001)))
    painted(tmp_path / "val", 1000)
    train = tmp_path / "train" / ids[0]
    train.mkdir(parents=True)
    Image.new("RGB", (6, 4)).save(train / "0.jpg")
    dataset = Imagenet(root=str(tmp_path))
    before = dataset.fingerprint()
    assert len(dataset.ids("train")) == 1
    Image.new("RGB", (6, 4)).save(train / "1.jpg")
    assert dataset.fingerprint() != before
    assert len(dataset.ids("train")) == 2


@pytest.mark.parametrize("wrong", [np.array([]), np.array([1.0, 2.0]), np.nan, 1.5])
def test_a_synset_of_the_devkit_without_one_number_is_named(
    ids: list[str], tmp_path: Path, wrong: object
) -> None:
    devkit(tmp_path, ids, list(range(1, 1001)), entity=wrong)
    painted(tmp_path, 1)
    assert told(tmp_path) == (
        f"dataset 'imagenet': {tmp_path / DEVKIT}/meta.mat, synset 1 (n00001740): ILSVRC2012_ID "
        f"should be one whole number, found {np.ravel(wrong).tolist()}; get ILSVRC2012_devkit_t12 "
        "again from https://image-net.org"
    )


def told(root: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        Imagenet(root=str(root)).check()
    return str(caught.value)


def test_images_without_the_devkit_say_where_it_is(tmp_path: Path) -> None:
    painted(tmp_path / "val", 2)
    assert told(tmp_path) == (
        f"dataset 'imagenet': the labels of the validation images in {tmp_path} are in"
        " ILSVRC2012_devkit_t12, which lies neither there nor beside it;"
        " get it from https://image-net.org"
    )


def test_missing_and_surplus_images_are_named(tmp_path: Path) -> None:
    devkit(tmp_path, ["n00000001", "n00000002"], [1, 2, 1, 2, 1])
    painted(tmp_path, 6)
    assert told(tmp_path) == (
        f"dataset 'imagenet': {tmp_path} has 6 validation images, but"
        " data/ILSVRC2012_validation_ground_truth.txt has 5 labels"
    )
    for number in (1, 3, 4, 5):
        (tmp_path / FILE.format(number)).unlink()
    assert told(tmp_path) == (
        f"dataset 'imagenet': {tmp_path} lacks 4 of the 5 validation images:"
        f" {FILE.format(1)}, {FILE.format(3)}, {FILE.format(4)}, …"
    )


def test_a_devkit_that_is_damaged_or_of_other_classes(tmp_path: Path) -> None:
    devkit(tmp_path, ["n00000001", "n00000002"], [1, 2])
    painted(tmp_path, 2)
    assert "has images of 2 classes, expected all 1000" in told(tmp_path)
    truth = tmp_path / DEVKIT / "ILSVRC2012_validation_ground_truth.txt"
    truth.write_text("1\n9\n")
    assert told(tmp_path) == (
        f"dataset 'imagenet': {truth}, line 2: expected the number of a class in data/meta.mat,"
        " found '9'"
    )
    truth.unlink()
    assert told(tmp_path).startswith(f"dataset 'imagenet': {truth} cannot be read: ")
    meta = tmp_path / DEVKIT / "meta.mat"
    meta.write_bytes(meta.read_bytes()[:200])
    assert told(tmp_path).startswith(
        f"{meta} should be a MATLAB 5 file with a structure 'synsets' that has ILSVRC2012_ID, WNID"
    )


def test_arrays_of_structures_are_read_one_after_another(tmp_path: Path) -> None:
    devkit(tmp_path, ["n00000007", "n00000009"], [1])
    found = read_structs(
        tmp_path / DEVKIT / "meta.mat", "synsets", {"WNID": "text", "ILSVRC2012_ID": "numbers"}
    )
    assert [one["WNID"] for one in found] == ["n00001740", "n00000007", "n00000009"]
    assert [int(one["ILSVRC2012_ID"].item()) for one in found] == [3, 1, 2]
    with pytest.raises(DatasetError, match="children is of another class"):
        read_structs(tmp_path / DEVKIT / "meta.mat", "synsets", {"children": "text"})
