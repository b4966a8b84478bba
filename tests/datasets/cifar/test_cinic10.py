"""CINIC-10: photographs of CIFAR-10's classes, from it and from ImageNet."""

from pathlib import Path

import pytest
from PIL import Image

from xbench import DatasetError, data_home
from xbench.testing import check_component
from xbench_datasets.cifar.cinic10 import Cinic10
from xbench_datasets.cifar.names import CIFAR10

SPLITS = ("train", "valid", "test")
WAY_OUT = (
    "`xbench data get cinic10` fetches it; `-p dataset.root=FOLDER` "
    "(`-p defaults.dataset.cinic10.root=FOLDER` where it is not the main dataset) "
    "says where a copy is."
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """In each folder one image of CIFAR-10 and two of ImageNet, whose red tells which."""
    for split in SPLITS:
        for label, name in enumerate(CIFAR10):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            files = (f"cifar10-train-{label}.png", "n02691156_10.png", "n02691156_9.png")
            for red, file in enumerate(files):
                Image.new("RGB", (32, 32), (red, label, 0)).save(folder / file)
    return tmp_path


@pytest.mark.parametrize(
    ("part", "reds"), [("all", [0, 1, 2]), ("cifar", [0]), ("imagenet", [1, 2])]
)
def test_parts_have_the_images_whose_names_say_so(root: Path, part: str, reds: list[int]) -> None:
    dataset = Cinic10(root=str(root), part=part)
    check_component(dataset)
    assert dataset.verify() == []
    assert dataset.splits() == SPLITS
    assert dataset.class_names() == CIFAR10
    for split in SPLITS:
        ids = dataset.ids(split)
        assert dataset.labels(ids).tolist() == [label for label in range(10) for _ in reds]
        found = [image[:, 0, 0].tolist() for image in dataset.images(ids)]
        assert found == [[red, label, 0] for label in range(10) for red in reds]
    assert dataset.sizes([0]) == [(32, 32)]


def test_parts_have_their_own_fingerprints(root: Path) -> None:
    parts = ("all", "cifar", "imagenet")
    assert len({Cinic10(root=str(root), part=part).fingerprint() for part in parts}) == 3


def test_the_folder_of_the_archive_may_lie_in_the_root(root: Path, tmp_path_factory) -> None:
    outer = tmp_path_factory.mktemp("outer")
    first = Cinic10(root=str(root)).fingerprint()
    root.rename(outer / "CINIC-10")
    assert Cinic10(root=str(outer)).fingerprint() == first


def test_new_images_are_seen(root: Path) -> None:
    dataset = Cinic10(root=str(root))
    assert len(dataset.ids("test")) == 30
    Image.new("RGB", (32, 32)).save(root / "test/ship/n02691156_77.png")
    assert len(dataset.ids("test")) == 31


def test_missing_folders_and_strange_names_are_named(root: Path) -> None:
    def told(part: str = "all") -> str:
        with pytest.raises(DatasetError) as caught:
            Cinic10(root=str(root), part=part).check()
        return str(caught.value)

    (root / "valid/frog/cifar10-train-6.png").unlink()
    assert told("cifar") == (
        f"dataset 'cinic10': {root / 'valid/frog'} holds no image of part 'cifar'. {WAY_OUT}"
    )
    strange = root / "test/dog/rex.png"
    (root / "test/dog/n02691156_9.png").rename(strange)
    assert len(Cinic10(root=str(root)).ids("test")) == 30
    assert told("imagenet") == (
        f"dataset 'cinic10': {strange} is named neither as an image of CIFAR-10"
        " (cifar10-train-1.png) nor as one of ImageNet (n02691156_1.png)"
    )
    for file in (root / "train/cat").iterdir():
        file.unlink()
    assert told() == f"dataset 'cinic10': {root / 'train/cat'} holds no image. {WAY_OUT}"
    (root / "train/cat").rmdir()
    assert told() == f"dataset 'cinic10': {root / 'train/cat'} is not there. {WAY_OUT}"


def test_damaged_images_are_named(root: Path) -> None:
    file = root / "test/dog/n02691156_9.png"
    file.write_bytes(b"no image")
    dataset = Cinic10(root=str(root))
    (line,) = dataset.verify()
    assert line.startswith(f"damaged: {file}: ")
    image = dataset.ids("test")[5 * 3 + 2]
    with pytest.raises(DatasetError, match=r"'cinic10', test/dog/n02691156_9.png: .* does not dec"):
        dataset.images([image])


def test_the_archive_goes_where_the_dataset_is_looked_for(tmp_path: Path) -> None:
    (usual,), (own,) = Cinic10().downloads(), Cinic10(root=str(tmp_path)).downloads()
    assert data_home() / usual.target == Cinic10().folder()
    assert own.target == str(tmp_path)
    (line,) = Cinic10().verify()
    assert line.endswith(WAY_OUT)
