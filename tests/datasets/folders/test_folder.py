"""Folders of images, one sub-folder a class."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench import DatasetError, ImageSet, UnknownNameError
from xbench_datasets.folders.folder import Folder


def paint(path: Path, colour: tuple[int, int, int] = (200, 30, 30), size=(7, 5)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """Class a has 9 images, class b 5; one file is no image by its name."""
    for label, count in (("b", 5), ("a", 9)):
        for i in range(count):
            paint(tmp_path / "birds" / label / f"{i}.{'jpg' if i % 2 else 'PNG'}", (i * 20, 0, 0))
    (tmp_path / "birds/a/notes.txt").write_text("no image")
    return tmp_path / "birds"


def test_images_are_sorted_and_labelled_by_folder(birds: Path) -> None:
    dataset = Folder(root=str(birds))
    dataset.check()
    assert dataset.splits() == ("all",)
    assert dataset.class_names() == ("a", "b")
    assert list(dataset.ids("all")) == list(range(14))
    assert dataset.labels(range(14)).tolist() == [0] * 9 + [1] * 5
    assert dataset.images([3])[0].shape == (3, 5, 7)
    assert list(dataset.sizes([3])) == [(5, 7)]


@pytest.mark.parametrize("stranger", [14, -1])
def test_an_id_of_no_image_is_named(birds: Path, stranger: int) -> None:
    dataset = Folder(root=str(birds))
    for ask in (dataset.images, dataset.labels, dataset.sizes):
        with pytest.raises(DatasetError, match=f"has no image {stranger}; it has 0 … 13"):
            ask([0, stranger])


def test_own_splits(tmp_path: Path) -> None:
    for split, label in (("train", "a"), ("train", "b"), ("test", "b")):
        paint(tmp_path / split / label / "1.png")
    dataset = Folder(root=str(tmp_path))
    assert dataset.splits() == ("train", "test")
    assert dataset.class_names() == ("a", "b")
    assert dataset.labels(dataset.ids("test")).tolist() == [1]
    assert not set(dataset.ids("test")) & set(dataset.ids("train"))
    with pytest.raises(DatasetError, match="has splits of its own; leave folds at 0"):
        Folder(root=str(tmp_path), folds=2).check()


@pytest.mark.parametrize("seed", [0, 1])
def test_folds_hold_each_image_out_once_and_are_stratified(birds: Path, seed: int) -> None:
    folds = [Folder(root=str(birds), folds=4, fold=fold, seed=seed) for fold in range(4)]
    held_out = [list(fold.ids("test")) for fold in folds]
    assert sorted(image for test in held_out for image in test) == list(range(14))
    for fold, test in zip(folds, held_out, strict=True):
        assert sorted([*test, *fold.ids("train")]) == list(range(14))
        counts = Counter(fold.labels(test).tolist())
        assert counts[0] in (2, 3)
        assert counts[1] in (1, 2)
        assert len(test) in (3, 4)


def test_folds_depend_on_the_seed_only(birds: Path) -> None:
    tests = {seed: tuple(Folder(str(birds), 4, 0, seed).ids("test")) for seed in range(6)}
    assert tests[0] == tuple(Folder(root=str(birds), folds=4).ids("test"))
    assert len(set(tests.values())) > 1


def test_too_few_images_for_the_folds(birds: Path) -> None:
    with pytest.raises(DatasetError, match="class 'b' has 5 images, too few for 6 folds"):
        Folder(root=str(birds), folds=6).check()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"folds": 1}, "folds should be 0, or 2 or more, got 1"),
        ({"folds": 4, "fold": 4}, "fold should be from 0 to 3, got 4"),
        ({"fold": 1}, "fold should be from 0 to 0, got 1"),
    ],
)
def test_impossible_folds(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Folder(root="x", **fields)


def test_fingerprint_follows_names_and_content_not_place_or_time(
    birds: Path, tmp_path: Path
) -> None:
    first = Folder(root=str(birds)).fingerprint()
    birds.rename(tmp_path / "moved")
    assert Folder(root=str(tmp_path / "moved")).fingerprint() == first
    changed = tmp_path / "moved/a/0.PNG"
    pixels = np.array(Image.open(changed))
    changed.unlink()
    paint(changed, (255, 255, 255))
    assert np.array(Image.open(changed)).shape == pixels.shape
    assert Folder(root=str(tmp_path / "moved")).fingerprint() != first


def test_new_image_is_seen(birds: Path) -> None:
    assert len(Folder(root=str(birds)).ids("all")) == 14
    paint(birds / "b" / "new.png")
    assert len(Folder(root=str(birds)).ids("all")) == 15


def test_new_images_are_seen_where_a_fingerprint_is_made_and_ids_stay_until_then(
    birds: Path,
) -> None:
    dataset = Folder(root=str(birds))
    before, labels = dataset.fingerprint(), dataset.labels(range(14))
    paint(birds / "_" / "first.png")
    assert torch.equal(dataset.labels(range(14)), labels)
    assert len(dataset.images(range(14))) == 14
    assert dataset.class_names() == ("a", "b")
    assert dataset.fingerprint() != before
    assert dataset.class_names() == ("_", "a", "b")
    assert dataset.labels(range(15)).tolist() == [0, *(labels + 1).tolist()]


def test_batches_do_not_look_into_folders(birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = ImageSet(Folder(root=str(birds)), "all")
    ids = images.ids()
    looked = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda *place: looked.append(place) or scan(*place))
    assert images.batch(ids[:5]).images.shape == (5, 3, 5, 7)
    assert looked == []
    images.ids()
    assert {str(place) for (place,) in looked} == {str(birds)}  # folders of images are not read


@pytest.mark.parametrize("splits", [["all"], ["train", "val"]])
def test_a_new_image_of_any_split_is_seen(tmp_path: Path, splits: list[str]) -> None:
    folders = [tmp_path / split if split != "all" else tmp_path for split in splits]
    for folder in folders:
        paint(folder / "a" / "0.png")
        paint(folder / "b" / "0.png")
    dataset = Folder(root=str(tmp_path))
    for split, folder in zip(splits, folders, strict=True):
        before = dataset.fingerprint()
        paint(folder / "b" / "1.png")
        assert len(dataset.ids(split)) == 3
        assert dataset.fingerprint() != before


def test_no_root_no_folder_no_class_no_image(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"needs a folder: `-p dataset.root=FOLDER` \(`-p def"):
        Folder().check()
    with pytest.raises(DatasetError, match="nowhere is no folder"):
        Folder(root=str(tmp_path / "nowhere")).check()
    with pytest.raises(DatasetError, match="should hold one folder of images for each class"):
        Folder(root=str(tmp_path)).check()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"class folder .*empty holds no image"):
        Folder(root=str(tmp_path)).check()
    assert len(Folder(root=str(tmp_path)).verify()) == 1


def test_unknown_split(birds: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown split of .* 'test'\. Known: all"):
        Folder(root=str(birds)).ids("test")


def test_verify_names_every_damaged_image(birds: Path) -> None:
    assert Folder(root=str(birds)).verify() == []
    (birds / "a/0.PNG").write_bytes(b"")
    (birds / "b/1.jpg").write_bytes((birds / "b/1.jpg").read_bytes()[:-100])
    first, second = Folder(root=str(birds)).verify()
    assert first.startswith(f"damaged: {birds / 'a/0.PNG'}: ")
    assert second.startswith(f"damaged: {birds / 'b/1.jpg'}: ")
    with pytest.raises(DatasetError, match=r"dataset 'folder', image 0: .* does not decode"):
        Folder(root=str(birds)).images([0])


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "a/1.jpg", exif=exif)
    dataset = Folder(root=str(tmp_path))
    assert dataset.images([0])[0].shape == (3, 8, 4)
    assert list(dataset.sizes([0])) == [(8, 4)]


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "CMYK", "I;16"])
def test_all_kinds_of_images_become_rgb(tmp_path: Path, mode: str) -> None:
    grey = Image.fromarray(np.full((4, 4), 255, np.uint8))
    image = (
        Image.fromarray(np.full((4, 4), 65535, np.uint16))
        if mode == "I;16"
        else grey.convert("RGB").convert(mode)
    )
    (tmp_path / "a").mkdir()
    image.save(tmp_path / ("a/1.tif" if mode == "CMYK" else "a/1.png"))
    pixels = Folder(root=str(tmp_path)).images([0])[0]
    assert torch.equal(pixels, torch.full((3, 4, 4), 255, dtype=torch.uint8))


@pytest.mark.realdata
def test_real_photographs_in_four_folds(realdata: Path) -> None:
    root = str(realdata / "cub_200_2010_photos")
    folds = [Folder(root=root, folds=4, fold=fold) for fold in range(4)]
    assert len(folds[0].class_names()) == 10
    assert sorted(image for fold in folds for image in fold.ids("test")) == list(range(294))
    assert {len(fold.ids("test")) for fold in folds} <= {73, 74}
    for image in folds[0].images(folds[0].ids("test")[:5]):
        assert min(image.shape[1:]) == 256
    assert folds[0].fingerprint() == folds[1].fingerprint()
