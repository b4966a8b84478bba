"""CIFAR-10N: three answers to each training image."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from xbench import DatasetError, HumanLabels
from xbench_datasets.cifar.cifar10n import ANSWERS, Cifar10n
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.packed.dataset import PackedImages

COUNT = 50_000


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> PackedImages:
    """As many images of one pixel as CIFAR-10 has to train on."""
    folder = tmp_path_factory.mktemp("images")
    labels = np.random.default_rng(0).permutation(np.arange(COUNT) % 10)
    pixels = np.zeros((COUNT, 1, 1, 3), np.uint8)
    np.savez(folder / "train.npz", labels=labels, images=pixels, class_names=CIFAR10)
    np.savez(folder / "test.npz", labels=[0, 1, 2], images=pixels[:3])
    return PackedImages(root=str(folder))


def archived(file: Path, value: object) -> Path:
    """A file as torch writes it: a pickle in an archive."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("human/data.pkl", pickle.dumps(value, protocol=2))
    return file


def answers(images: PackedImages) -> dict[str, np.ndarray]:
    """Those of three people, who are right about five of six images."""
    labels = images.labels(images.ids("train")).numpy()
    wrong = np.arange(COUNT) % 6 == 0
    return {name: np.where(wrong, (labels + n) % 10, labels) for n, name in enumerate(ANSWERS)}


def test_counts_are_those_of_three_people(images, tmp_path):
    given = answers(images)
    dataset = Cifar10n(images, str(archived(tmp_path / "human.pt", given)))
    dataset.check()
    assert isinstance(dataset, HumanLabels)
    ids = dataset.ids("train")
    counts = dataset.label_counts(ids)
    assert counts.sum(1).unique().tolist() == [3]
    slow = np.zeros(10, int)
    for name in ANSWERS:
        slow[given[name][6]] += 1
    assert counts[6].tolist() == slow.tolist()
    with pytest.raises(DatasetError, match="people were shown only those"):
        dataset.label_counts(images.ids("test")[:1])


def test_answers_in_another_order_are_refused(images, tmp_path):
    given = {name: array[::-1].copy() for name, array in answers(images).items()}
    file = archived(tmp_path / "human.pt", given)
    with pytest.raises(DatasetError, match=r"of the answers are the label.*TensorFlow's is not"):
        Cifar10n(images, str(file)).check()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "lacks random_label1"),
        ({ANSWERS[0]: np.zeros(3, int)}, r"random_label1 should hold 50000 classes, found \(3,\)"),
        ({ANSWERS[0]: np.full(COUNT, 10)}, "has classes beside 0 to 9"),
        ([], "lacks random_label1"),
    ],
)
def test_other_contents_are_refused(images, tmp_path, value, message):
    with pytest.raises(DatasetError, match=message):
        Cifar10n(images, str(archived(tmp_path / "human.pt", value))).check()


def test_nothing_in_a_file_is_run(images, tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path(tmp_path / "proof").touch, ())

    with pytest.raises(DatasetError, match="cannot be read"):
        Cifar10n(images, str(archived(tmp_path / "human.pt", Evil()))).check()
    assert not (tmp_path / "proof").exists()
    (tmp_path / "human.pt").write_bytes(b"no archive")
    with pytest.raises(DatasetError, match="cannot be read"):
        Cifar10n(images, str(tmp_path / "human.pt")).check()


def test_a_file_that_is_not_there_is_said_with_where_to_get_it(images):
    with pytest.raises(DatasetError, match=r"is not there\. Get CIFAR-10_human\.pt"):
        Cifar10n(images).check()
