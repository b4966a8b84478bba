"""What ADE20K says of copies that are incomplete, damaged or inconsistent."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ade_tree
from xbench import DatasetError, UnknownNameError
from xbench_datasets.ade20k.dataset import Ade20k

WAY_OUT = (
    "`xbench data get ade20k` fetches SceneParsing-150; `-p dataset.root=FOLDER` "
    "(`-p defaults.dataset.ade20k.root=FOLDER` where it is not the main dataset) says where a copy"
    " is. The full dataset is given to those who register at https://ade20k.csail.mit.edu."
)
MASK = "annotations/training/ADE_train_00000001.png"
PHOTO = "images/training/ADE_train_00000001.jpg"
SCENE_2021 = "images/ADE/training/somewhere/attic/ADE_train_00000001"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree in each layout, to copy."""
    folder = tmp_path_factory.mktemp("trees")
    for layout, write in ade_tree.WRITERS.items():
        write(folder / layout, ade_tree.pictures(3))
    return folder


@pytest.fixture
def copy(trees: Path, tmp_path: Path):
    """Copies the tree of a layout."""

    def made(layout: str) -> Path:
        return Path(shutil.copytree(trees / layout, tmp_path / layout))

    return made


@pytest.fixture
def tree(copy) -> Path:
    return copy("scene-parsing")


def complaint(tree: Path, **fields) -> str:
    with pytest.raises(DatasetError) as caught:
        Ade20k(root=str(tree), **fields).check()
    return explained(str(caught.value))


def explained(text: str) -> str:
    """The message without what all of them say."""
    assert text.startswith("dataset 'ade20k': ")
    assert text.endswith(f". {WAY_OUT}")
    return text.removeprefix("dataset 'ade20k': ").removesuffix(f". {WAY_OUT}")


def of_mask(tree: Path, image: int = 1) -> str:
    with pytest.raises(DatasetError) as caught:
        Ade20k(root=str(tree)).part_masks([image])
    return str(caught.value)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_missing_data_says_how_to_get_it(tmp_path: Path) -> None:
    known = (
        "full-2021 has images/ADE/; full-2016 has images/training/ and index_ade20k.mat;"
        " scene-parsing has annotations/ or sceneCategories.txt"
    )
    assert complaint(tmp_path) == f"{tmp_path} has none of the known layouts ({known})"
    assert complaint(tmp_path / "nowhere").startswith(f"{tmp_path / 'nowhere'} has none of")
    assert complaint(tmp_path, layout="scene-parsing") == (
        f"{tmp_path / 'sceneCategories.txt'} is missing"
    )


@pytest.mark.parametrize("layout", ["scene-parsing", "full-2021", "full-2016"])
def test_the_list_of_objects_is_needed_and_may_lie_elsewhere(copy, layout, tmp_path) -> None:
    tree = copy(layout)
    lists = tmp_path / "lists"
    lists.mkdir()
    for name in ("objectInfo150.txt", "sceneCategories.txt"):
        (tree / name).rename(lists / name)
    missing = "sceneCategories.txt" if layout == "scene-parsing" else "objectInfo150.txt"
    assert f"{missing}" in complaint(tree)
    Ade20k(root=str(tree), lists=str(lists)).check()


def test_missing_files_are_named(tree: Path) -> None:
    (tree / MASK).unlink()
    assert complaint(tree) == f"{tree} lacks a file: {MASK}"
    shutil.rmtree(tree / "images/validation")
    gone = "images/validation/ADE_val_00000001.jpg, images/validation/ADE_val_00000002.jpg"
    assert complaint(tree).startswith(f"{tree} lacks 5 files: {gone}, ")
    assert (
        of_mask(tree) == f"dataset 'ade20k', ADE_train_00000001: label map {tree / MASK} is missing"
    )


def test_a_missing_description_is_named(copy) -> None:
    tree = copy("full-2021")
    (tree / f"{SCENE_2021}.json").unlink()
    assert complaint(tree) == f"{tree} lacks a file: {SCENE_2021}.json"
    assert of_mask(tree).endswith(f"{tree / SCENE_2021}.json is missing")


def test_a_split_without_images_is_named(copy) -> None:
    tree = copy("full-2021")
    shutil.rmtree(tree / "images/ADE/validation")
    assert complaint(tree) == f"{tree / 'images/ADE'} names no validation image"
    assert len(Ade20k(root=str(tree)).ids("train")) == 8
    shutil.rmtree(tree / "images/ADE/training")
    assert complaint(tree) == (
        f"{tree / 'images/ADE'} holds no image ADE_train_*.jpg or ADE_val_*.jpg"
    )


def test_a_scene_without_training_images_is_named_where_none_may_be_left_out(tree: Path) -> None:
    path = tree / "sceneCategories.txt"
    edit(path, "ADE_val_00000001 attic", "ADE_val_00000001 cellar")
    edit(path, "ADE_val_00000002 basement", "ADE_val_00000002 barn")
    Ade20k(root=str(tree)).check()
    assert complaint(tree, fewest=0) == (
        f"{path}: scene 'barn' has no training image, so nobody knows what it usually shows"
        " (2 such scenes); -p dataset.fewest=1 leaves them out"
    )
    assert complaint(tree, fewest=9) == f"{path}: no scene has 9 training images"
    with pytest.raises(ValueError, match="fewest should be 0 or more, got -1"):
        Ade20k(fewest=-1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2\t0.1000", "4\t0.1000", "line 3: expected number 2, found 4"),
        ("3\t0.1000\t9", "3\t9", "line 4: expected 5 fields, found 4: '3\\t9\\t3\\tsky'"),
    ],
)
def test_a_bad_line_in_the_list_of_objects_is_named(tree: Path, old, new, message) -> None:
    edit(tree / "objectInfo150.txt", old, new)
    assert complaint(tree) == f"{tree / 'objectInfo150.txt'}, {message}"


def test_an_empty_list_of_objects_is_refused(tree: Path) -> None:
    (tree / "objectInfo150.txt").write_text("Idx\tRatio\n")
    assert complaint(tree) == f"{tree / 'objectInfo150.txt'} lists no objects"


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("ADE_train_1x attic", "found 'ADE_train_1x attic'"),
        ("ADE_train_00000002", "found 'ADE_train_00000002'"),
        ("", "found ''"),
    ],
)
def test_a_bad_line_in_the_list_of_scenes_is_named(tree: Path, new, message) -> None:
    path = tree / "sceneCategories.txt"
    edit(path, "ADE_train_00000002 basement", new)
    expected = "expected an image such as ADE_train_00000001 and a scene"
    assert complaint(tree) == f"{path}, line 2: {expected}, {message}"


def test_a_doubled_line_in_the_list_of_scenes_is_named(tree: Path) -> None:
    path = tree / "sceneCategories.txt"
    edit(path, "ADE_train_00000002 basement", "ADE_train_00000001 attic")
    assert complaint(tree) == f"{path}, line 2: image ADE_train_00000001 stands here a second time"


def test_an_image_in_the_wrong_split_or_in_two_scenes_is_named(copy) -> None:
    tree = copy("full-2021")
    place = tree / "images/ADE/training/somewhere"
    shutil.copy(place / "attic/ADE_train_00000001.jpg", place / "street/ADE_train_00000001.jpg")
    assert complaint(tree) == (
        f"{place / 'street/ADE_train_00000001.jpg'}: an image of this name lies in"
        f" {place / 'attic'} too"
    )
    (place / "street/ADE_train_00000001.jpg").rename(place / "street/ADE_val_00000009.jpg")
    assert complaint(tree) == (
        f"{place / 'street/ADE_val_00000009.jpg'} is no name of an image of the split 'training'"
    )


def test_a_label_map_of_another_size_is_named_with_its_image(tree: Path) -> None:
    with Image.open(tree / PHOTO) as image:
        width, height = image.size
    Image.new("L", (20, 10)).save(tree / MASK)
    assert of_mask(tree) == (
        f"dataset 'ade20k', ADE_train_00000001: label map {tree / MASK} is 20×10 pixels, but its"
        f" image {tree / PHOTO} is {width}×{height}"
    )


def test_an_object_outside_the_list_is_named_with_its_pixel(tree: Path) -> None:
    with Image.open(tree / MASK) as image:
        values = np.array(image)
    values[5, 9] = 7
    Image.fromarray(values).save(tree / MASK)
    what = f"dataset 'ade20k', ADE_train_00000001: {tree / MASK} shows object 7 at x=9, y=5"
    assert of_mask(tree) == f"{what}, but objectInfo150.txt lists 1 to 6"
    with pytest.raises(DatasetError, match="shows object 7 at x=9, y=5"):
        Ade20k(root=str(tree)).class_attributes()


@pytest.mark.parametrize("layout", ["full-2021", "full-2016"])
def test_a_number_that_nothing_names_is_named_with_its_pixel(copy, layout) -> None:
    tree = copy(layout)
    stem = SCENE_2021 if layout == "full-2021" else "images/training/a/attic/ADE_train_00000001"
    with Image.open(tree / f"{stem}_seg.png") as image:
        values = np.array(image)
    values[4, 3] = 250, 9, 0
    Image.fromarray(values).save(tree / f"{stem}_seg.png")
    source = f"{stem}.json" if layout == "full-2021" else "index_ade20k.mat"
    assert of_mask(tree) == (
        f"dataset 'ade20k', ADE_train_00000001: {tree / stem}_seg.png shows object 6409 at"
        f" x=3, y=4, which {tree / source} lacks"
    )


def test_a_label_map_of_another_kind_or_damaged_is_named(tree: Path) -> None:
    Image.new("RGB", (20, 10)).save(tree / MASK)
    assert of_mask(tree).endswith(f"label map {tree / MASK} has mode RGB, expected L")
    (tree / MASK).write_bytes((tree / MASK).read_bytes()[:40])
    assert f"{tree / MASK} does not decode as an image: " in of_mask(tree)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scene": None}, "{path} has no scene"),
        ({"scene": []}, "{path} has no scene"),
        ({"object": None}, "{path} should hold an annotation with objects, each with name and"),
        ({"object": [{"name": "wall"}]}, "each with name and name_ndx: no 'name_ndx'"),
    ],
)
def test_a_description_that_lacks_something_is_named(copy, change, message) -> None:
    tree = copy("full-2021")
    path = tree / f"{SCENE_2021}.json"
    content = json.loads(path.read_bytes())
    content["annotation"].update(change)
    path.write_text(json.dumps(content))
    expected = message.format(path=path)
    assert expected in of_mask(tree)
    with pytest.raises(DatasetError) as caught:
        Ade20k(root=str(tree)).class_attributes()
    assert str(caught.value).startswith("dataset 'ade20k', ADE_train_00000001: ")
    assert expected in str(caught.value)
    path.write_text("{")
    assert f"{path} should hold an annotation" in of_mask(tree)


def test_index_and_list_that_disagree_are_named(tree: Path) -> None:
    index, pictures = tree / "index_ade20k.mat", ade_tree.pictures(3)

    def of_attributes() -> str:
        with pytest.raises(DatasetError) as caught:
            Ade20k(root=str(tree)).class_attributes()
        return explained(str(caught.value))

    ade_tree.write_index(index, pictures[2:])
    assert of_attributes() == (
        f"{index} has no image ADE_train_00000001 (2 of the listed 8 images are not in it):"
        " index and list disagree"
    )
    kinds = np.array([[2]] + [[1 if "train" in one.stem else 2] for one in pictures[1:]])
    ade_tree.write_index(index, pictures, typeset=kinds)
    assert of_attributes() == (
        f"{index}: typeset puts ADE_train_00000001 into the other split (1 in all): index and list"
        " disagree"
    )
    names = np.array([f"thing {number}" for number in range(1, 3110)], object)
    ade_tree.write_index(index, pictures, objectnames=names)
    assert of_attributes() == (
        f"{index} has no object 'wall', which the list of objects has (6 in all): index and list"
        " disagree"
    )
    ade_tree.write_index(index, pictures, objectnames=names[:-9])
    assert complaint(tree) == (
        f"{index}: objectPresence is 3109 × 12, but there are 3100 objectnames, 12 filenames and 12"
        " typesets"
    )
    ade_tree.write_index(index, pictures, typeset=np.full((12, 1), 3))
    assert complaint(tree) == f"{index}: typeset of ADE_train_00000001 should be 1 or 2, found 3"
    index.write_bytes(b"MATLAB")
    assert complaint(tree).startswith(f"{index} should be a MATLAB 5 file with a structure 'index'")
    assert complaint(tree, index=str(tree / "no.mat")) == f"{tree / 'no.mat'} is missing"


def test_the_dataset_of_2021_has_no_such_index(copy) -> None:
    tree = copy("full-2021")
    ade_tree.write_index(tree / "index_ade20k.mat", ade_tree.pictures(3))
    assert complaint(tree) == (
        f"{tree / 'index_ade20k.mat'} belongs to the editions of 2016, not to full-2021"
    )


def test_unknown_split_and_id(tree: Path) -> None:
    dataset = Ade20k(root=str(tree))
    with pytest.raises(
        UnknownNameError, match="unknown split of ade20k 'tests'; did you mean 'test'"
    ):
        dataset.ids("tests")
    with pytest.raises(UnknownNameError, match="unknown image id of ade20k '999'"):
        dataset.images([1, 999])


def test_verify_names_every_missing_or_damaged_file(tree: Path) -> None:
    dataset = Ade20k(root=str(tree))
    assert dataset.verify() == []
    cut, gone = tree / PHOTO, tree / "images/validation/ADE_val_00000001.jpg"
    cut.write_bytes(cut.read_bytes()[:-600])
    gone.unlink()
    mask = tree / "annotations/training/ADE_train_00000003.png"
    Image.new("L", (20, 10)).save(mask)
    (tree / "annotations/validation/ADE_val_00000002.png").unlink()
    damaged, missing, *others = dataset.verify()
    assert damaged.startswith(f"damaged: {cut}: ")
    assert missing == f"missing: {gone}"
    assert others[0].startswith(
        f"damaged: dataset 'ade20k', ADE_train_00000003: label map {mask} is 20×10 pixels, but"
    )
    assert others[1].endswith("ADE_val_00000002.png is missing")
    assert len(others) == 2
    (tree / "objectInfo150.txt").unlink()
    assert dataset.verify() == [
        f"dataset 'ade20k': {tree / 'objectInfo150.txt'} is missing. {WAY_OUT}"
    ]
