"""CIFAR-10.1 in its official files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xbench import DatasetError, data_home
from xbench.testing import check_component
from xbench_datasets.cifar.cifar10_1 import Cifar101
from xbench_datasets.cifar.names import CIFAR10

WAY_OUT = (
    "`xbench data get cifar10.1` fetches it; `-p dataset.root=FOLDER` "
    "(`-p 'defaults.dataset.\"cifar10.1\".root=FOLDER'` where it is not the main dataset) "
    "says where a copy is."
)


def drawn(count: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, 32, 32, 3), np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Both editions, of the official shapes."""
    for edition, count in (("v4", 2021), ("v6", 2000)):
        np.save(tmp_path / f"cifar10.1_{edition}_data.npy", drawn(count))
        np.save(tmp_path / f"cifar10.1_{edition}_labels.npy", np.int32(np.arange(count) % 10))
    return tmp_path


@pytest.mark.parametrize(("edition", "count"), [("v4", 2021), ("v6", 2000)])
def test_images_and_labels_are_those_of_the_files(root: Path, edition: str, count: int) -> None:
    dataset = Cifar101(root=str(root), edition=edition)
    check_component(dataset)
    assert dataset.verify() == []
    assert dataset.splits() == ("test",)
    assert dataset.class_names() == CIFAR10
    ids = dataset.ids("test")
    assert ids == list(range(count))
    assert dataset.labels(ids).tolist() == [place % 10 for place in range(count)]
    some = [count - 1, 3]
    assert torch.equal(
        dataset.images(some), torch.from_numpy(drawn(count)[some]).permute(0, 3, 1, 2)
    )
    assert dataset.sizes(some) == [(32, 32)] * 2


def test_editions_and_changed_files_have_other_fingerprints(root: Path) -> None:
    first = Cifar101(root=str(root)).fingerprint()
    assert Cifar101(root=str(root), edition="v4").fingerprint() != first
    np.save(root / "cifar10.1_v6_labels.npy", np.int32(np.arange(2000) % 9))
    assert Cifar101(root=str(root)).fingerprint() != first


def test_missing_and_other_files_are_named(root: Path) -> None:
    def told() -> str:
        (line,) = Cifar101(root=str(root)).verify()
        return line

    data, labels = root / "cifar10.1_v6_data.npy", root / "cifar10.1_v6_labels.npy"
    np.save(labels, np.int32(np.arange(2000) % 11))
    assert told() == f"dataset 'cifar10.1': {labels} has labels beyond 0 to 9. {WAY_OUT}"
    np.save(labels, np.arange(1999))
    assert told() == (
        f"dataset 'cifar10.1': {labels} should hold int32 of shape (2000,), found int64 of shape"
        f" (1999,). {WAY_OUT}"
    )
    data.write_bytes(data.read_bytes()[:5000])
    assert told().startswith(
        f"dataset 'cifar10.1': {data} cannot be read as an array of numbers. `"
    )
    with data.open("wb") as file:
        np.savez(file, drawn(3))
    assert told().startswith(
        f"dataset 'cifar10.1': {data} should hold uint8 of shape (2000, 32, 32"
    )
    data.unlink()
    assert told() == f"dataset 'cifar10.1': {data} is not there. {WAY_OUT}"


def test_downloads_are_the_two_files_of_the_edition(tmp_path: Path) -> None:
    files = Cifar101().downloads()
    assert [file.filename for file in files] == ["cifar10.1_v6_data.npy", "cifar10.1_v6_labels.npy"]
    assert {data_home() / file.target for file in files} == {Cifar101().folder()}
    assert not any(file.archive for file in files)
    own = Cifar101(root=str(tmp_path), edition="v4").downloads()
    assert [file.size for file in own] == [2021 * 3072 + 128, 2021 * 4 + 128]
    assert {file.target for file in own} == {str(tmp_path)}


def test_nothing_there() -> None:
    with pytest.raises(DatasetError, match=r"cifar10.1_v6_data.npy is not there. `xbench data ge"):
        Cifar101().check()
