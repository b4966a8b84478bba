"""Folders of photographs of which nothing is known."""

import os
from pathlib import Path

import pytest
from PIL import Image

from xbench import DatasetError, ImageSet, MismatchError, Transform
from xbench.testing import check_component
from xbench_datasets.folders.photographs import Photographs


def paint(path: Path, red: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (9, 6), (red, 40, 40)).save(path)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Three photographs, one of them in a folder of a folder; what is hidden, and a text."""
    root = tmp_path / "mine"
    for red, name in enumerate(("my cat.JPG", "0815.png", "trips/2026/beach.jpeg"), 1):
        paint(root / name, 10 * red)
    paint(root / ".thumbnails" / "small.jpg")
    (root / "._my cat.JPG").write_bytes(b"no image")
    (root / "notes.txt").write_text("no image either")
    return root


def test_photographs_of_any_name_at_any_depth_are_taken_and_hidden_ones_left_out(
    mine: Path,
) -> None:
    dataset = Photographs(str(mine))
    dataset.check()
    assert dataset.splits() == ("all",)
    assert list(dataset.ids("all")) == [0, 1, 2]
    second, third = (image[0].float().mean() for image in dataset.images([0, 2]))
    assert (second, third) == (20, pytest.approx(30, abs=2))
    assert dataset.sizes([1]) == [(6, 9)]
    assert dataset.verify() == []


def test_it_conforms(mine: Path) -> None:
    check_component(Photographs(str(mine)))


def test_classes_are_imagenets_or_those_of_a_file(mine: Path, tmp_path: Path) -> None:
    assert Photographs(str(mine)).class_names()[0] == "tench"
    assert len(Photographs(str(mine)).class_names()) == 1000
    names = tmp_path / "names.txt"
    names.write_text("cat\n\n dog \n")
    own = Photographs(str(mine), classes=str(names))
    assert own.class_names() == ("cat", "dog")
    assert own.fingerprint() != Photographs(str(mine)).fingerprint()
    assert own.parameters() == {}


@pytest.mark.parametrize("text", ["", "cat\ncat\n"])
def test_names_that_are_none_or_not_different_are_refused(
    mine: Path, tmp_path: Path, text: str
) -> None:
    names = tmp_path / "names.txt"
    names.write_text(text)
    with pytest.raises(DatasetError, match=r"names\.txt should hold different names of classes"):
        Photographs(str(mine), classes=str(names)).check()
    with pytest.raises(DatasetError, match=r"class names .*other\.txt cannot be read"):
        Photographs(str(mine), classes=str(tmp_path / "other.txt")).check()


def test_labels_are_not_known_and_batches_go_without(mine: Path) -> None:
    dataset = Photographs(str(mine))
    batch = ImageSet(dataset, "all", Transform(resize=6, crop=6)).batch([0, 1])
    assert batch.labels is None
    assert batch.images.shape == (2, 3, 6, 6)
    with pytest.raises(MismatchError, match="dataset 'photographs' has no labels; where they are"):
        dataset.labels([0])


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DatasetError, match=r"holds no photograph \(suffixes: \.bmp"):
        Photographs(str(tmp_path)).check()


def test_a_file_that_is_no_image_is_named_before_work(mine: Path) -> None:
    (mine / "trips" / "broken.jpg").write_bytes(b"hello")
    with pytest.raises(DatasetError, match=r"'photographs', trips/broken\.jpg: .* does not decode"):
        Photographs(str(mine)).check()


def test_a_photograph_that_ends_early_is_named_by_verify_and_when_it_is_read(mine: Path) -> None:
    noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
    noise.save(mine / "half.jpg")
    (mine / "half.jpg").write_bytes((mine / "half.jpg").read_bytes()[:1500])
    dataset = Photographs(str(mine))
    dataset.check()
    (line,) = dataset.verify()
    assert "half.jpg" in line
    with pytest.raises(DatasetError, match=r"dataset 'photographs', half\.jpg"):
        dataset.images([1])


def test_photographs_that_come_or_go_are_seen(mine: Path) -> None:
    dataset = Photographs(str(mine))
    before = dataset.fingerprint()
    (mine / "trips" / "2026" / "beach.jpeg").unlink()
    assert list(dataset.ids("all")) == [0, 1]
    assert dataset.fingerprint() != before
