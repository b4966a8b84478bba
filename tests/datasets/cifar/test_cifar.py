"""CIFAR-10 and CIFAR-100 in their official files, binary and Python version."""

import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from pickled import Calls
from xbench import ClassHierarchy, DatasetError, UnknownNameError, data_home
from xbench.testing import check_component
from xbench_datasets.cifar.cifar import Cifar10, Cifar100

COARSE = (
    "4 1 14 8 0 6 7 7 18 3 3 14 9 18 7 11 3 9 7 11 6 11 5 10 7 6 13 15 3 15 0 11 1 10 12 14 16 9"
    " 11 5 5 19 8 8 15 13 14 17 18 10 16 4 17 4 2 0 17 4 18 17 10 3 2 12 12 16 12 1 9 19 2 10 0 1"
    " 16 12 9 13 15 13 16 19 2 4 6 19 5 5 8 19 18 1 2 15 6 0 17 8 14 13"
)
"""The superclass of each class of CIFAR-100, by number."""
WAY_OUT = (
    "`xbench data get cifar10` fetches the data; `-p dataset.root=FOLDER` "
    "(`-p defaults.dataset.cifar10.root=FOLDER` where it is not the main dataset) "
    "says where a copy is."
)


def drawn(count: int, seed: int) -> np.ndarray:
    """Images of which some pixels differ; the others are black."""
    pixels = np.zeros((count, 3, 32, 32), np.uint8)
    pixels[:, :, :4, 5] = np.random.default_rng(seed).integers(0, 256, (count, 3, 4))
    return pixels


def labels_of(count: int, classes: int, seed: int) -> np.ndarray:
    """As many of each class."""
    return np.random.default_rng(seed).permutation(np.arange(count) % classes)


def binary(file: Path, *labels: np.ndarray, pixels: np.ndarray) -> None:
    """The labels in front of the pixels of each image."""
    file.parent.mkdir(parents=True, exist_ok=True)
    columns = [column.astype(np.uint8)[:, None] for column in labels]
    np.concatenate([*columns, pixels.reshape(len(pixels), -1)], 1).tofile(file)


def python2(file: Path, pixels: np.ndarray, **labels: np.ndarray) -> None:
    """The table as Python 2 and the NumPy of its time pickled it."""
    table = pixels.reshape(len(pixels), -1)
    size = b"".join(b"J" + number.to_bytes(4, "little") for number in table.shape)
    content = table.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
        + size
        + b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN"
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + len(content).to_bytes(4, "little")
        + content
        + b"tb"
    )
    items = {"batch_label": b"U\x05batch", "data": array}
    for name, column in labels.items():
        items[name] = b"](" + b"".join(b"K" + bytes([int(label)]) for label in column) + b"e"
    keys = {name: b"U" + bytes([len(name)]) + name.encode() for name in items}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(
        b"\x80\x02}(" + b"".join(keys[name] + value for name, value in items.items()) + b"u."
    )


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Both versions of the ten classes, side by side, of the official sizes."""
    root = tmp_path_factory.mktemp("cifar10")
    for place, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        pixels, labels = drawn(10_000, place), labels_of(10_000, 10, place)
        binary(root / f"cifar-10-batches-bin/{name}.bin", labels, pixels=pixels)
        python2(root / "cifar-10-batches-py" / name, pixels, labels=labels)
    yield root
    shutil.rmtree(root)  # 400 MB, which pytest would keep


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Both versions of the hundred classes."""
    root = tmp_path_factory.mktemp("cifar100")
    above = np.array(COARSE.split(), int)
    for name, count in (("train", 50_000), ("test", 10_000)):
        pixels, fine = drawn(count, count), labels_of(count, 100, count)
        binary(root / f"cifar-100-binary/{name}.bin", above[fine], fine, pixels=pixels)
        labels = {"coarse_labels": above[fine], "fine_labels": fine}
        python2(root / "cifar-100-python" / name, pixels, **labels)
    yield root
    shutil.rmtree(root)


@pytest.fixture
def broken(ten: Path, tmp_path: Path) -> Path:
    """The binary version as links, one of which a test can replace."""
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for file in (ten / "cifar-10-batches-bin").iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def test_images_and_labels_are_those_of_the_files_in_order(ten: Path) -> None:
    dataset = Cifar10(root=str(ten))
    dataset.check()
    assert dataset.splits() == ("train", "test")
    train, test = dataset.ids("train"), dataset.ids("test")
    assert (len(train), len(test)) == (50_000, 10_000)
    assert list(test) == list(range(1_000_000, 1_010_000))
    for batch in range(5):
        some = train[batch * 10_000 : (batch + 1) * 10_000][::997]
        assert torch.equal(dataset.images(some), torch.from_numpy(drawn(10_000, batch)[::997]))
        assert dataset.labels(some).tolist() == labels_of(10_000, 10, batch)[::997].tolist()
    assert torch.equal(dataset.images(test[7:9]), torch.from_numpy(drawn(10_000, 5)[7:9]))
    assert dataset.labels(test).tolist() == labels_of(10_000, 10, 5).tolist()
    assert dataset.sizes(test[:2]) == [(32, 32)] * 2


def test_images_of_both_splits_come_in_the_order_they_are_asked_for(ten: Path) -> None:
    dataset = Cifar10(root=str(ten))
    ids = [1_000_003, 49_999, 0, 1_000_003, 20_000]
    alone = torch.cat([dataset.images([image]) for image in ids])
    assert torch.equal(dataset.images(ids), alone)
    assert dataset.labels(ids).tolist() == [int(dataset.labels([image])) for image in ids]
    assert len(dataset.images([])) == len(dataset.labels([])) == len(dataset.sizes([])) == 0
    with pytest.raises(DatasetError, match="'cifar10' has no image with the id 50000"):
        dataset.images([0, 50_000])
    with pytest.raises(UnknownNameError, match=r"unknown split of cifar10 'val'\. Known: test, tr"):
        dataset.ids("val")


@pytest.mark.parametrize("folder", ["", "cifar-10-batches-bin", "cifar-10-batches-py"])
def test_both_versions_are_one_dataset(ten: Path, folder: str) -> None:
    dataset = Cifar10(root=str(ten / folder))
    check_component(dataset)
    assert dataset.verify() == []
    assert dataset.fingerprint() == Cifar10(root=str(ten)).fingerprint()


def test_superclasses_are_above_the_fine_classes(hundred: Path) -> None:
    dataset = Cifar100(root=str(hundred))
    check_component(dataset)
    assert isinstance(dataset, ClassHierarchy)
    names, above = dataset.class_names(), dataset.class_ancestors()
    assert len(names) == len(above) == 100
    assert names[:4] == ("apple", "aquarium_fish", "baby", "bear")
    superclasses = sorted({ancestors[0] for ancestors in above})
    assert [superclasses.index(one) for (one,) in above] == [int(n) for n in COARSE.split()]
    assert dataset.labels(dataset.ids("test")).tolist() == labels_of(10_000, 100, 10_000).tolist()
    python = Cifar100(root=str(hundred / "cifar-100-python"))
    assert python.verify() == dataset.verify() == []
    assert python.fingerprint() == dataset.fingerprint()
    assert torch.equal(python.images([49_999]), torch.from_numpy(drawn(50_000, 50_000)[-1:]))


def test_nothing_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        Cifar10(root=str(tmp_path)).check()
    assert str(caught.value) == (
        f"dataset 'cifar10': {tmp_path} neither is nor holds cifar-10-batches-bin or"
        f" cifar-10-batches-py. {WAY_OUT}"
    )
    assert Cifar10().folder() == data_home() / "cifar10"
    (line,) = Cifar100().verify()
    assert "`xbench data get cifar100` fetches the data" in line


def test_a_missing_and_a_short_batch_are_named(broken: Path) -> None:
    dataset, file = Cifar10(root=str(broken)), broken / "data_batch_4.bin"
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(DatasetError) as caught:
        dataset.check()
    assert str(caught.value) == f"dataset 'cifar10': {file} is not there. {WAY_OUT}"
    file.write_bytes(content[:-1])
    assert dataset.verify() == [
        f"dataset 'cifar10': {file}: it has 30729999 bytes, expected 30730000. {WAY_OUT}"
    ]


def test_a_label_beyond_the_classes_is_named(broken: Path) -> None:
    file = broken / "test_batch.bin"
    content = bytearray(file.read_bytes())
    content[3073 * 12] = 10
    file.unlink()
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"test_batch.bin: image 12 has the label 10 of 10\. `"):
        Cifar10(root=str(broken)).check()


def test_images_that_changed_their_class_are_found_by_verify(broken: Path) -> None:
    file = broken / "test_batch.bin"
    labels = labels_of(10_000, 10, 5)
    changed = np.where(labels == 3, 5, labels)
    file.unlink()
    binary(file, changed, pixels=drawn(10_000, 5))
    dataset = Cifar10(root=str(broken))
    dataset.check()
    assert dataset.verify() == [
        "damaged: the split test has 0 images of 'cat', expected 1000",
        "damaged: the split test has 2000 images of 'dog', expected 1000",
    ]


def test_a_class_outside_its_superclass_is_named(hundred: Path, tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.bin").symlink_to(hundred / f"cifar-100-binary/{name}.bin")
    content = bytearray((tmp_path / "test.bin").read_bytes())
    content[3074 * 5] = 19 - content[3074 * 5]
    first, last = content[3074 * 5 : 3074 * 5 + 2]
    (tmp_path / "test.bin").unlink()
    (tmp_path / "test.bin").write_bytes(content)
    message = rf"test.bin: image 5 has the labels {first} and {last}, which contradict each other"
    with pytest.raises(DatasetError, match=message):
        Cifar100(root=str(tmp_path)).check()


def test_a_batch_that_asks_for_a_command_is_refused(ten: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for file in (ten / "cifar-10-batches-py").iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "data_batch_2").unlink()
    (folder / "data_batch_2").write_bytes(
        pickle.dumps({"data": Calls(os.system, f"touch {tmp_path / 'ran'}")}, 2)
    )
    with pytest.raises(DatasetError, match=r"data_batch_2 is refused: .*system.* `xbench data get"):
        Cifar10(root=str(tmp_path)).check()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], r"it should hold data and labels\."),
        ({"data": [0], "labels": [0]}, "data should be an array of bytes"),
        ({"data": np.zeros((7, 3072), np.uint8), "labels": [0] * 7}, "data is 7 × 3072, expected"),
        ({"data": None, "labels": [0.5] * 10_000}, "labels should be a list of 10000 whole"),
        ({"data": None, "labels": [1 << 70] * 10_000}, "labels has numbers that no byte holds"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, value: object, message: str) -> None:
    if isinstance(value, dict) and value["data"] is None:
        value["data"] = np.zeros((10_000, 3072), np.uint8)
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(value, 2))
    with pytest.raises(DatasetError, match=message):
        Cifar10(root=str(tmp_path)).check()


@pytest.mark.parametrize("kind", [Cifar10, Cifar100])
def test_downloads_go_where_the_dataset_is_looked_for(kind: type, tmp_path: Path) -> None:
    (usual,), (own,) = kind().downloads(), kind(root=str(tmp_path)).downloads()
    assert data_home() / usual.target == kind().folder()
    assert own.target == str(tmp_path)
    assert usual.checksum.startswith("sha256:")
    assert usual.filename == f"cifar-{kind.name[5:]}-binary.tar.gz"
