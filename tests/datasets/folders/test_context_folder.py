"""Folders of images in contexts."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from PIL import Image

from xbench import DatasetError, UnknownNameError
from xbench.testing import check_component
from xbench_datasets.folders.context_folder import ContextFolder
from xbench_datasets.folders.folder import Folder


def paint(path: Path, red: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (7, 5), (red, 40, 40)).save(path)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Cats in snow and on sofas, dogs in snow; one cat in both contexts, one in none."""
    for number in range(6):
        paint(tmp_path / "cat" / "sofa" / f"c{number}.png", number)
        paint(tmp_path / "dog" / "snow" / f"d{number}.png", 100 + number)
    paint(tmp_path / "cat" / "snow" / "c0.png", 0)
    paint(tmp_path / "cat" / "plain.png", 200)
    return tmp_path


def test_classes_contexts_and_images(pets: Path) -> None:
    dataset = ContextFolder(root=str(pets))
    dataset.check()
    assert dataset.splits() == ("all",)
    assert dataset.class_names() == ("cat", "dog")
    assert dataset.context_names() == ("snow", "sofa")
    ids = dataset.ids("all")
    assert list(ids) == list(range(13))
    labels, contexts = dataset.labels(ids), dataset.contexts(ids)
    assert labels.tolist() == [0] * 7 + [1] * 6
    assert contexts.dtype == torch.bool
    counts = Counter(zip(labels.tolist(), map(tuple, contexts.tolist()), strict=True))
    assert counts == {
        (0, (False, False)): 1,
        (0, (True, True)): 1,
        (0, (False, True)): 5,
        (1, (True, False)): 6,
    }
    both = int(contexts.all(dim=1).nonzero())
    assert dataset.images([both])[0][0, 0, 0] == 0
    assert list(dataset.sizes([both])) == [(5, 7)]


def test_contexts_are_in_the_order_of_the_ids(pets: Path) -> None:
    dataset = ContextFolder(root=str(pets))
    whole = dataset.contexts(range(13))
    assert torch.equal(dataset.contexts([9, 0, 3]), whole[[9, 0, 3]])
    assert dataset.contexts([]).shape == (0, 2)


def test_one_name_with_two_contents_is_two_images(pets: Path) -> None:
    paint(pets / "cat" / "snow" / "c1.png", 77)
    same_size = (pets / "cat/snow/c1.png").stat().st_size == (
        pets / "cat/sofa/c1.png"
    ).stat().st_size
    dataset = ContextFolder(root=str(pets))
    assert same_size
    assert len(dataset.ids("all")) == 14
    assert int(dataset.contexts(range(14)).all(dim=1).sum()) == 1


def test_one_name_in_two_classes_is_two_images(pets: Path) -> None:
    paint(pets / "dog" / "sofa" / "c0.png", 0)
    assert len(ContextFolder(root=str(pets)).ids("all")) == 14


def test_own_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number in range(2):
            paint(tmp_path / split / "cat" / "sofa" / f"{number}.png", number)
    dataset = ContextFolder(root=str(tmp_path))
    assert dataset.splits() == ("train", "test")
    assert list(dataset.ids("test")) == [0, 1]
    assert dataset.context_names() == ("sofa",)
    with pytest.raises(DatasetError, match=r"dataset 'context-folder': .* leave folds at 0"):
        ContextFolder(root=str(tmp_path), folds=2).check()
    with pytest.raises(UnknownNameError, match=r"unknown split of .* 'all'\. Known: test, train"):
        dataset.ids("all")


def test_folds_are_stratified_by_class(pets: Path) -> None:
    folds = [ContextFolder(root=str(pets), folds=3, fold=fold, seed=1) for fold in range(3)]
    held_out = [list(fold.ids("test")) for fold in folds]
    assert sorted(image for test in held_out for image in test) == list(range(13))
    for fold, test in zip(folds, held_out, strict=True):
        assert fold.splits() == ("train", "test")
        assert sorted([*test, *fold.ids("train")]) == list(range(13))
        assert Counter(fold.labels(test).tolist())[1] == 2


def test_impossible_folds() -> None:
    with pytest.raises(ValueError, match="folds should be 0, or 2 or more, got 1"):
        ContextFolder(root="x", folds=1)


def test_fingerprint_sees_a_context_that_changes(pets: Path) -> None:
    before = ContextFolder(root=str(pets)).fingerprint()
    (pets / "dog" / "snow").rename(pets / "dog" / "sand")
    after = ContextFolder(root=str(pets))
    assert after.fingerprint() != before
    assert after.context_names() == ("sand", "snow", "sofa")


def test_a_plain_folder_has_no_contexts_and_leaves_deeper_folders_out(tmp_path: Path) -> None:
    paint(tmp_path / "cat" / "1.png")
    paint(tmp_path / "cat" / "snow" / "2.png", 9)
    assert ContextFolder(root=str(tmp_path)).contexts([0, 1]).tolist() == [[False], [True]]
    assert len(Folder(root=str(tmp_path)).ids("all")) == 1


def test_what_is_missing_is_named(pets: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"dataset 'context-folder' needs a folder: `-p dat"):
        ContextFolder().check()
    (pets / "emu" / "sand").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"'context-folder': class folder .*emu holds no image"):
        ContextFolder(root=str(tmp_path)).check()
    assert len(ContextFolder(root=str(tmp_path)).verify()) == 1


def test_verify_names_a_damaged_image(pets: Path) -> None:
    assert ContextFolder(root=str(pets)).verify() == []
    (pets / "dog/snow/d1.png").write_bytes(b"")
    (line,) = ContextFolder(root=str(pets)).verify()
    assert line.startswith(f"damaged: {pets / 'dog/snow/d1.png'}: ")


def test_the_conformance_suite(pets: Path) -> None:
    check_component(ContextFolder(root=str(pets), folds=2))
