"""CIFAR10H: counts of human labels for the test images of CIFAR-10."""

from pathlib import Path

import numpy as np
import pytest

from xbench import DatasetError, HumanLabels, UnknownNameError, data_home
from xbench.testing import check_component
from xbench_datasets.cifar.cifar10h import Cifar10h
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.packed.dataset import PackedImages

WAY_OUT = (
    "`xbench data get cifar10h -p dataset.of=cifar10` fetches cifar10h-counts.npy;"
    " `-p dataset.counts=FILE` (`-p defaults.dataset.cifar10h.counts=FILE` where it is not the"
    " main dataset) says where it is."
)


@pytest.fixture
def images(tmp_path: Path) -> PackedImages:
    """Ten thousand images of one pixel to test on, and three to train on."""
    labels = np.random.default_rng(0).permutation(np.arange(10_000) % 10)
    pixels = np.zeros((10_000, 1, 1, 3), np.uint8)
    np.savez(tmp_path / "test.npz", labels=labels, images=pixels, class_names=CIFAR10)
    np.savez(tmp_path / "train.npz", labels=[0, 1, 2], images=pixels[:3])
    return PackedImages(root=str(tmp_path))


@pytest.fixture
def counts(images: PackedImages, tmp_path: Path) -> Path:
    """Some fifty people, nearly all of whom chose the label; for 1% of the images none did."""
    random = np.random.default_rng(1)
    labels = images.labels(images.ids("test")).numpy()
    found = random.integers(0, 3, (10_000, 10))
    found[np.arange(10_000), np.where(np.arange(10_000) % 100, labels, (labels + 1) % 10)] += 40
    np.save(tmp_path / "counts.npy", found)
    return tmp_path / "counts.npy"


def test_counts_are_those_of_the_file_by_id(images: PackedImages, counts: Path) -> None:
    dataset = Cifar10h(images, str(counts))
    check_component(dataset)
    assert dataset.verify() == []
    assert isinstance(dataset, HumanLabels)
    assert not dataset.simulated
    assert dataset.splits() == ("test",)
    assert dataset.class_names() == CIFAR10
    ids = dataset.ids("test")
    assert ids == images.ids("test")
    some = [ids[9_999], ids[3], ids[3]]
    assert dataset.label_counts(some).tolist() == np.load(counts)[[9_999, 3, 3]].tolist()
    assert dataset.labels(some).tolist() == images.labels(some).tolist()
    with pytest.raises(UnknownNameError, match="unknown split of cifar10h 'train'"):
        dataset.ids("train")
    stranger = images.ids("train")[0]
    message = rf"image {stranger} is not in split 'test' of 'packed'; people were shown only those"
    with pytest.raises(DatasetError, match=message):
        dataset.label_counts([stranger])


def test_fingerprint_follows_counts_and_images(images: PackedImages, counts: Path) -> None:
    first = Cifar10h(images, str(counts)).fingerprint()
    assert Cifar10h(images, str(counts)).fingerprint() == first
    changed = np.load(counts)
    changed[0, 0] += 1
    np.save(counts.with_name("other.npy"), changed)
    assert Cifar10h(images, str(counts.with_name("other.npy"))).fingerprint() != first
    alone = PackedImages(images.root, ("test.npz",))
    assert Cifar10h(alone, str(counts)).fingerprint() != first


def test_another_order_of_images_or_classes_is_refused(images: PackedImages, counts: Path) -> None:
    good = np.load(counts)
    for wrong in (np.roll(good, 1, axis=0), np.roll(good, 1, axis=1), good[:, ::-1]):
        np.save(counts, wrong)
        with pytest.raises(DatasetError) as caught:
            Cifar10h(images, str(counts)).check()
        message = str(caught.value)
        assert message.startswith(
            f"dataset 'cifar10h': in {counts} most people chose the label of only "
        )
        assert message.endswith(
            "% of the images in split 'test' of 'packed', in the official order of 99.2%;"
            " images or classes are in another order than the counts (TensorFlow's data set has"
            " another order of images than the official files, PyTorch's and the counts)"
        )
        with pytest.raises(DatasetError, match="in another order"):
            Cifar10h(images, str(counts)).label_counts(images.ids("test")[:1])


def test_a_split_of_other_images_is_refused(images: PackedImages, counts: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        Cifar10h(images, str(counts), split="train").check()
    assert str(caught.value) == (
        "dataset 'cifar10h': split 'train' of 'packed' has 3 images of 10 classes;"
        " the counts are of 10000 images of 10"
    )


def test_files_that_hold_no_counts_are_refused(images: PackedImages, counts: Path) -> None:
    good = np.load(counts)

    def told(array: np.ndarray) -> str:
        np.save(counts, array)
        (line,) = Cifar10h(images, str(counts)).verify()
        return line.removeprefix(f"dataset 'cifar10h': {counts}")

    empty = good.copy()
    empty[70] = 0
    negative = good.copy()
    negative[5, 5] = -1
    assert told(empty) == f": nobody labelled image 70. {WAY_OUT}"
    assert told(good[:-1]).startswith(" should hold 10000 × 10 counts, found (9999, 10). ")
    assert told(negative).startswith(" should hold whole numbers from 0 on, found int64;")
    assert told(good / good.sum(1, keepdims=True)).startswith(
        " should hold whole numbers from 0 on, found float64; the file with probabilities is anot"
    )
    assert told(good.astype(object)).startswith(" cannot be read as an array of numbers. `")
    counts.write_bytes(counts.read_bytes()[:100])
    (line,) = Cifar10h(images, str(counts)).verify()
    assert "cannot be read as an array" in line


def test_missing_counts_say_how_to_get_them(images: PackedImages) -> None:
    with pytest.raises(DatasetError) as caught:
        Cifar10h(images).check()
    file = data_home() / "cifar10h" / "cifar10h-counts.npy"
    assert str(caught.value) == f"dataset 'cifar10h': {file} is not there. {WAY_OUT}"
    (download,) = Cifar10h(images).downloads()
    assert data_home() / download.target / download.filename == file
    assert not download.archive
    assert download.licence == "CC BY-NC-SA 4.0"
    assert Cifar10h(images, "mine.npy").downloads() == ()


@pytest.mark.realdata
def test_real_counts_belong_to_the_real_images(realdata: Path) -> None:
    images = PackedImages(str(realdata / "cifar10"), ("test=test_jpeg.npz",), CIFAR10)
    dataset = Cifar10h(images, str(realdata / "cifar10h/cifar10h-counts.npy"))
    check_component(dataset)
    ids = dataset.ids("test")
    counts = dataset.label_counts(ids)
    assert counts.sum() == 511_000
    assert (int(counts.sum(1).min()), int(counts.sum(1).max())) == (47, 63)
    agreed = counts.argmax(1) == dataset.labels(ids)
    assert int(agreed.sum()) == 9_921
    wrong = PackedImages(images.root, images.files, CIFAR10[:9])
    with pytest.raises(DatasetError):
        Cifar10h(wrong, dataset.counts).check()
