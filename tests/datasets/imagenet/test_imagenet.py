"""ImageNet in its usual folders, or as photographs whose names start with their class."""

from functools import cache
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision.models import ResNet18_Weights

from xbench import DatasetError, UnknownNameError
from xbench.testing import check_component
from xbench_datasets.imagenet.dataset import Imagenet


@cache
def wordnet_ids(folder: Path) -> list[str]:
    """The 1 000 ids, from the names of real photographs."""
    return sorted(file.name[:9] for file in folder.glob("n*.jpg"))


@pytest.fixture
def sample(realdata: Path) -> Path:
    """One photograph of each class."""
    return realdata / "imagenet_sample"


def painted(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (6, 4), (9, 99, 199)).save(path)


def many(root: Path, names: list[str]) -> None:
    """One small image in each folder."""
    painted(root / "first.jpg")
    content = (root / "first.jpg").read_bytes()
    (root / "first.jpg").unlink()
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "1.JPEG").write_bytes(content)


@pytest.mark.realdata
def test_the_sample_has_one_photograph_of_each_class_in_order(sample: Path) -> None:
    dataset = Imagenet(root=str(sample))
    dataset.check()
    assert dataset.splits() == ("val",)
    ids = dataset.ids("val")
    assert list(ids) == dataset.labels(ids).tolist() == list(range(1000))
    assert dataset.images([948])[0].shape[0] == 3
    assert min(dataset.sizes([948])[0]) == 232
    check_component(dataset)
    assert dataset.fingerprint() == Imagenet(root=str(sample)).fingerprint()


@pytest.mark.realdata
def test_names_of_classes_are_those_of_the_photographs_and_of_the_networks(sample: Path) -> None:
    names = Imagenet(root=str(sample)).class_names()
    assert list(names) == ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    assert len(set(names)) == 1000
    files = [file.stem[10:] for file in sorted(sample.glob("n*.jpg"))]
    plain = str.maketrans("", "", " _-.'")
    differ = [
        (file, name)
        for file, name in zip(files, names, strict=True)
        if file.translate(plain).lower() != name.translate(plain).lower()
    ]
    assert differ == [("crane", "crane bird"), ("maillot", "maillot tank suit")]


@pytest.mark.realdata
def test_folders_with_and_without_splits(sample: Path, tmp_path: Path) -> None:
    names = wordnet_ids(sample)
    many(tmp_path / "val", names[::-1])
    plain = Imagenet(root=str(tmp_path / "val"))
    assert plain.splits() == ("val",)
    assert plain.labels(plain.ids("val")).tolist() == list(range(1000))
    (tmp_path / "train" / names[7]).mkdir(parents=True)
    painted(tmp_path / "train" / names[7] / f"{names[7]}_10.JPEG")
    both = Imagenet(root=str(tmp_path))
    assert both.splits() == ("train", "val")
    assert both.labels(both.ids("train")).tolist() == [7]
    assert both.labels(both.ids("val")).tolist() == list(range(1000))
    assert not set(both.ids("train")) & set(both.ids("val"))
    assert torch.equal(both.images(both.ids("val")[:1])[0], plain.images([0])[0])
    with pytest.raises(UnknownNameError, match=r"unknown split of .* 'test'\. Known: train, val"):
        both.ids("test")


@pytest.mark.realdata
def test_verify_names_every_damaged_photograph(sample: Path, tmp_path: Path) -> None:
    names = wordnet_ids(sample)
    many(tmp_path, names)
    assert Imagenet(root=str(tmp_path)).verify() == []
    (tmp_path / names[3] / "1.JPEG").write_bytes(b"no image")
    (line,) = Imagenet(root=str(tmp_path)).verify()
    assert line.startswith(f"damaged: {tmp_path / names[3] / '1.JPEG'}: ")
    with pytest.raises(DatasetError, match=rf"dataset 'imagenet', {names[3]}/1.JPEG: .* does not"):
        Imagenet(root=str(tmp_path)).images([3])


def test_some_classes_only(tmp_path: Path) -> None:
    for name in ("n01440764", "n01443537"):
        painted(tmp_path / name / "1.JPEG")
    with pytest.raises(DatasetError) as caught:
        Imagenet(root=str(tmp_path)).check()
    assert str(caught.value) == (
        f"dataset 'imagenet': {tmp_path} has images of 2 classes, expected all 1000;"
        " for some of them only, use the dataset 'folder'"
    )


def test_other_folders(tmp_path: Path) -> None:
    for name in ("n01440764", "cat", "dog", "emu", "fox"):
        painted(tmp_path / name / "1.JPEG")
    message = r"has 4 folders that are no WordNet ids \(cat, dog, emu, …\); expected one folder for"
    with pytest.raises(DatasetError, match=message):
        Imagenet(root=str(tmp_path)).check()


def test_a_thousand_other_classes(tmp_path: Path) -> None:
    many(tmp_path, [f"n{number:08d}" for number in range(1000)])
    with pytest.raises(
        DatasetError, match="has 1000 folders, but they are not the classes of ILSV"
    ):
        Imagenet(root=str(tmp_path)).check()


def test_no_root_and_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"dataset 'imagenet' needs a folder: `-p dataset.root"):
        Imagenet().check()
    with pytest.raises(
        DatasetError, match=r"dataset 'imagenet': .* should hold one folder of imag"
    ):
        Imagenet(root=str(tmp_path)).check()
    assert len(Imagenet(root=str(tmp_path)).verify()) == 1
