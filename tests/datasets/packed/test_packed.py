"""Packed images: one file a split, encoded or as they are."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from xbench import DatasetError
from xbench.testing import check_component
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.packed import file as packed_file
from xbench_datasets.packed.dataset import PackedImages

CLASSES = ("cat", "dog", "emu")
FORM = (
    "expected labels, and either images or jpeg with offsets; docs/datasets.md describes the form"
)


def drawn(count: int, seed: int = 0, size: tuple[int, int] = (5, 4)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), np.uint8)


def encoded(images: list[np.ndarray], form: str = "PNG") -> dict[str, np.ndarray]:
    """The bytes of all images, and where each begins."""
    contents = []
    for image in images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, form)
        contents.append(buffer.getvalue())
    offsets = np.cumsum([0, *map(len, contents)])
    return {"jpeg": np.frombuffer(b"".join(contents), np.uint8), "offsets": offsets}


@pytest.fixture
def pets(tmp_path: Path) -> PackedImages:
    """Five encoded images to train on and two plain ones to test on."""
    packed = encoded(list(drawn(5)))
    np.savez(tmp_path / "train.npz", labels=np.uint8([0, 1, 2, 1, 0]), **packed)
    np.savez(tmp_path / "test.npz", labels=[2, 1], images=drawn(2, 1), class_names=CLASSES)
    return PackedImages(root=str(tmp_path))


def test_encoded_and_plain_images_are_those_that_were_packed(pets: PackedImages) -> None:
    pets.check()
    check_component(pets)
    assert pets.verify() == []
    assert pets.splits() == ("test", "train")
    assert pets.class_names() == CLASSES
    assert pets.ids("test") == [0, 1]
    assert pets.ids("train") == [1_000_000 + place for place in range(5)]
    assert pets.labels(pets.ids("train")).tolist() == [0, 1, 2, 1, 0]
    both = torch.from_numpy(np.concatenate([drawn(2, 1), drawn(5)])).permute(0, 3, 1, 2)
    assert torch.equal(pets.images([*pets.ids("test"), *pets.ids("train")]), both)
    assert torch.equal(pets.images([1_000_004, 0, 1_000_004]), both[[6, 0, 6]])
    assert pets.sizes([1, 1_000_001]) == [(5, 4), (5, 4)]


def test_files_can_be_chosen_and_their_splits_named(pets: PackedImages) -> None:
    dataset = PackedImages(pets.root, ("validation=test.npz", "train.npz"), CLASSES[::-1])
    assert dataset.splits() == ("validation", "train")
    assert dataset.class_names() == CLASSES[::-1]
    assert dataset.ids("validation") == [0, 1]
    with pytest.raises(ValueError, match="files should be of different splits, got train, train"):
        PackedImages(pets.root, ("train.npz", "train=test.npz"))


def test_only_images_that_are_asked_for_are_decoded_and_that_once(
    pets: PackedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    real = packed_file.Encoded._image

    def image(self: packed_file.Encoded, place: int) -> np.ndarray:
        opened.append(place)
        return real(self, place)

    monkeypatch.setattr(packed_file.Encoded, "_image", image)
    pets.check()
    pets.fingerprint()
    pets.labels(pets.ids("train"))
    pets.sizes(pets.ids("train"))
    assert opened == []
    first = pets.images([1_000_003, 1_000_001, 1_000_003])
    assert opened == [1, 3]
    pets.images([1_000_001, 1_000_002])
    assert opened == [1, 3, 2]
    monkeypatch.setattr(packed_file, "KEPT", 0)  # as if the images were too many to keep
    packed_file.read.cache_clear()
    for _ in range(2):
        assert torch.equal(pets.images([1_000_003, 1_000_001, 1_000_003]), first)
    assert opened == [1, 3, 2, *[3, 1, 3] * 2]


def test_images_do_not_change_what_is_kept(pets: PackedImages) -> None:
    first = pets.images([0, 1])
    first.zero_()
    assert torch.equal(pets.images([0]), torch.from_numpy(drawn(2, 1)[:1]).permute(0, 3, 1, 2))


@given(ids=st.permutations([3, 70, 41, 5]), asked=st.lists(st.sampled_from([3, 70, 41, 5])))
def test_own_ids_in_any_order(tmp_path_factory, ids: list[int], asked: list[int]) -> None:
    root = tmp_path_factory.mktemp("ids")
    np.savez(root / "all.npz", labels=[0, 1, 2, 1], ids=ids, images=drawn(4), class_names=CLASSES)
    dataset = PackedImages(root=str(root))
    dataset.check()
    assert dataset.ids("all") == ids
    places = [ids.index(image) for image in asked]
    assert dataset.labels(asked).tolist() == [[0, 1, 2, 1][place] for place in places]
    for image, place in zip(dataset.images(asked), places, strict=True):
        assert image.permute(1, 2, 0).tolist() == drawn(4)[place].tolist()


def test_grey_and_transparent_images_become_rgb(tmp_path: Path) -> None:
    grey, clear = np.full((3, 3), 90, np.uint8), np.full((3, 3, 4), 80, np.uint8)
    np.savez(tmp_path / "all.npz", labels=[0, 0], **encoded([grey, clear]))
    dataset = PackedImages(root=str(tmp_path), classes=("cat",))
    assert dataset.images([0, 1]).unique().tolist() == [80, 90]


def test_images_of_splits_of_two_sizes(pets: PackedImages) -> None:
    np.savez(Path(pets.root) / "wide.npz", labels=[1], images=drawn(1, 2, (5, 9)))
    assert [tuple(i.shape) for i in pets.images([2_000_000, 1, 0])] == [(3, 5, 9), *[(3, 5, 4)] * 2]
    assert pets.sizes([2_000_000, 1]) == [(5, 9), (5, 4)]


def test_fingerprint_follows_content_not_place_or_compression(
    pets: PackedImages, tmp_path: Path
) -> None:
    first = pets.fingerprint()
    other = tmp_path / "other"
    other.mkdir()
    for name in ("train", "test"):
        with np.load(tmp_path / f"{name}.npz") as arrays:
            np.savez_compressed(other / f"{name}.npz", **arrays)
    assert PackedImages(root=str(other)).fingerprint() == first
    changed = drawn(2, 1)
    changed[1, 2, 3, 0] ^= 1
    np.savez(other / "test.npz", labels=[2, 1], images=changed, class_names=CLASSES)
    assert PackedImages(root=str(other)).fingerprint() != first
    np.savez(other / "test.npz", labels=[2, 2], images=drawn(2, 1), class_names=CLASSES)
    assert PackedImages(root=str(other)).fingerprint() != first
    np.savez(other / "test.npz", labels=[2, 1], images=drawn(2, 1), class_names=CLASSES[::-1])
    assert PackedImages(root=str(other)).fingerprint() != first


def told(root: Path, **arrays: object) -> str:
    """What is wrong with a file that holds these arrays."""
    np.savez(root / "all.npz", **arrays)
    (line, *_) = PackedImages(root=str(root), classes=CLASSES).verify()
    return line.removeprefix(f"dataset 'packed': {root / 'all.npz'}: ")


def test_arrays_that_do_not_fit_together_are_named(tmp_path: Path) -> None:
    packed = encoded(list(drawn(3)))
    labels = [0, 1, 2]
    assert told(tmp_path, images=drawn(3)) == f"labels is missing; {FORM}"
    assert told(tmp_path, labels=labels) == f"images are missing; {FORM}"
    assert told(tmp_path, labels=labels, jpeg=packed["jpeg"]) == f"offsets is missing; {FORM}"
    assert told(tmp_path, labels=[0, -1], images=drawn(2)) == (
        "labels should be a row of whole numbers from 0 on, found int64 of shape (2,)"
    )
    assert told(tmp_path, labels=[0.5], images=drawn(1)) == (
        "labels should be a row of whole numbers from 0 on, found float64 of shape (1,)"
    )
    assert told(tmp_path, labels=labels, images=drawn(2)) == "there are 2 images, but 3 labels"
    assert told(tmp_path, labels=labels, images=drawn(3).transpose(0, 3, 1, 2)) == (
        "images should be bytes of shape (n, h, w, 3), found uint8 of shape (3, 3, 5, 4)"
    )
    assert told(tmp_path, labels=labels, ids=[4, 4, 5], images=drawn(3)) == (
        "ids should be 3 different numbers"
    )
    wrong = "offsets should be 4 ascending numbers from 0 on, one more than labels"
    for offsets in (packed["offsets"][:-1], packed["offsets"] + 1, packed["offsets"][[0, 2, 1, 3]]):
        assert told(tmp_path, labels=labels, jpeg=packed["jpeg"], offsets=offsets) == wrong
    assert told(tmp_path, labels=labels, **{**packed, "jpeg": packed["jpeg"][:-1]}).startswith(
        f"jpeg should be a row of {len(packed['jpeg'])} bytes, as offsets say, found uint8 of shape"
    )
    assert told(tmp_path, labels=[0, 1, 3], **packed).endswith(
        "has label 3, but there are 3 classes"
    )


@pytest.mark.parametrize("names", ["cat", [b"cat"], ["cat", "cat"], [["cat"]], [1]])
def test_names_of_classes_are_a_row_of_different_texts(tmp_path: Path, names: object) -> None:
    line = told(tmp_path, labels=[0], images=drawn(1), class_names=names)
    assert line.startswith("class_names should be a row of different texts, found ")


def test_an_array_that_memory_cannot_hold_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "|u1", "fortran_order": False, "shape": (1 << 55,)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(tmp_path / "all.npz", "w") as archive:
        archive.writestr("labels.npy", header.getvalue())
    (line,) = PackedImages(root=str(tmp_path), classes=CLASSES).verify()
    assert "all.npz: labels cannot be read: Unable to allocate" in line


def test_damaged_images_are_all_named(tmp_path: Path) -> None:
    packed = encoded([*drawn(2), drawn(1, size=(6, 4))[0], drawn(1)[0]])
    content = packed["jpeg"].copy()
    begin = packed["offsets"][1]
    content[begin : begin + 8] = 0
    arrays = {"jpeg": content, "offsets": packed["offsets"]}
    np.savez(tmp_path / "all.npz", labels=[0, 1, 2, 2], **arrays)
    dataset = PackedImages(root=str(tmp_path), classes=CLASSES)
    dataset.check()
    damaged, other = dataset.verify()
    assert damaged.startswith(
        f"dataset 'packed': {tmp_path / 'all.npz'}: image 1 does not decode: "
    )
    assert other.endswith(
        "image 2 is 6 × 4, the first is 5 × 4; all images of a file have one size"
    )
    assert len(dataset.images([0, 3])) == 2
    with pytest.raises(DatasetError, match="image 1 does not decode"):
        dataset.images([0, 1])


def test_a_cut_jpeg_is_damaged(tmp_path: Path) -> None:
    packed = encoded(list(drawn(2, size=(40, 40))), "JPEG")
    cut = packed["jpeg"][:-300]
    offsets = np.array([*packed["offsets"][:-1], len(cut)])
    line = told(tmp_path, labels=[0, 1], jpeg=cut, offsets=offsets)
    assert line.startswith("image 1 does not decode: image file is truncated")


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "all.npz"
    dataset = PackedImages(root=str(tmp_path), classes=CLASSES)
    file.write_bytes(b"PK\x03\x04 no archive")
    assert f"dataset 'packed': {file}: it cannot be read: " in dataset.verify()[0]
    with file.open("wb") as stream:
        np.save(stream, drawn(2))
    assert dataset.verify() == [f"dataset 'packed': {file}: it holds one array; {FORM}"]
    evil = np.array([{"a": 1}], object)
    assert told(tmp_path, labels=evil, images=drawn(1)).startswith(
        "labels cannot be read: Object arrays cannot be loaded when allow_pickle=False"
    )


def test_nothing_there(pets: PackedImages, tmp_path: Path) -> None:
    def message(**fields: object) -> str:
        with pytest.raises(DatasetError) as caught:
            PackedImages(**fields).check()
        return str(caught.value)

    empty = tmp_path / "empty"
    empty.mkdir()
    option = (
        "`-p dataset.root=FOLDER` "
        "(`-p defaults.dataset.packed.root=FOLDER` where it is not the main dataset)"
    )
    assert message() == f"dataset 'packed' needs a folder: {option}"
    assert message(root=str(empty / "x")).endswith(f"x is no folder; see {option}")
    assert message(root=str(empty)).endswith("empty should hold .npz files, one for each split")
    assert message(root=pets.root, files=("val.npz",)) == (
        f"dataset 'packed': {tmp_path / 'val.npz'} is not there;"
        " files that are: test.npz, train.npz"
    )
    assert message(root=pets.root, files=("train.npz",)) == (
        f"dataset 'packed': no file in {tmp_path} names the classes;"
        """ give them in order: -p 'dataset.classes=["cat", "dog"]'"""
    )


def test_two_files_with_the_same_ids_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", labels=[0], ids=[7], images=drawn(1), class_names=["x"])
    with pytest.raises(DatasetError, match=r"b.npz has ids of another file"):
        PackedImages(root=str(tmp_path)).check()


@pytest.mark.realdata
def test_real_packed_images_are_read_as_they_are(realdata: Path) -> None:
    files = ("train=train_jpeg.npz", "test=test_jpeg.npz", "lossless=train_first4000_lossless.npz")
    dataset = PackedImages(str(realdata / "cifar10"), files, CIFAR10)
    check_component(dataset)
    counts = {split: len(dataset.ids(split)) for split in dataset.splits()}
    assert counts == {"train": 50_000, "test": 10_000, "lossless": 4_000}
    test = dataset.ids("test")
    assert dataset.labels(test).bincount().tolist() == [1000] * 10
    with np.load(realdata / "cifar10/test_jpeg.npz") as arrays:
        begin, end = arrays["offsets"][8:10]
        content = arrays["jpeg"][begin:end].tobytes()
    picture = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert torch.equal(dataset.images([test[8]])[0], torch.tensor(picture).permute(2, 0, 1))
    with np.load(realdata / "cifar10/train_first4000_lossless.npz") as arrays:
        plain = torch.from_numpy(arrays["images"][17:19]).permute(0, 3, 1, 2)
    assert torch.equal(dataset.images(dataset.ids("lossless")[17:19]), plain)


def test_a_small_file_that_would_fill_the_memory_is_refused(
    pets: PackedImages, monkeypatch
) -> None:
    monkeypatch.setattr(packed_file, "MOST_BYTES", 100)
    with pytest.raises(DatasetError, match=r"labels has \d+ bytes, more than 100"):
        pets.labels(pets.ids(pets.splits()[0]))
