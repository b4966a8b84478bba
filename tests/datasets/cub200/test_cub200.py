"""CUB-200-2011 in its official layout."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import cub_tree
from xbench import (
    ClassAttributes,
    DatasetError,
    ImageSet,
    ObjectBoxes,
    ParameterError,
    PartPoints,
    Transform,
    UnknownNameError,
    annotation_kinds,
)
from xbench_datasets.cub200.dataset import Cub200

PERCENTAGES = "attributes/class_attribute_labels_continuous.txt"
IMAGE_ATTRIBUTES = "attributes/image_attribute_labels.txt"
WAY_OUT = (
    "`xbench data get cub200` fetches the data; `-p dataset.root=FOLDER` "
    "(`-p defaults.dataset.cub200.root=FOLDER` where it is not the main dataset) "
    "says where a copy is."
)
IDS_BY_PART = {
    "back": [(59, 73), (237, 240)],
    "beak": [(1, 9), (150, 152), (279, 293)],
    "belly": [(198, 212), (245, 248)],
    "breast": [(55, 58), (106, 120)],
    "crown": [(95, 105), (153, 167), (294, 308)],
    "forehead": [(95, 105), (153, 167)],
    "eye": [(136, 149), (95, 105)],
    "leg": [(264, 278)],
    "wing": [(10, 24), (213, 217), (309, 312)],
    "nape": [(183, 197)],
    "tail": [(74, 79), (80, 94), (168, 182), (241, 244)],
    "throat": [(95, 105), (121, 135)],
}
"""First and last attribute, counted from 1, of each group of each part."""
EARLIER = {**IDS_BY_PART, "crown": [(294, 308)], "forehead": [(153, 167)]}
EARLIER |= {"eye": [(136, 149)], "throat": [(121, 135)]}


def edit(path: Path, line: int, text: str | None) -> None:
    """Replace a line, counted from 1, or take it out."""
    lines = path.read_text().splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    path.write_text("\n".join(lines) + "\n")


def complaint(tree: Path, **fields) -> str:
    with pytest.raises(DatasetError) as caught:
        Cub200(root=str(tree), **fields).check()
    return str(caught.value)


def test_it_has_part_points_boxes_and_class_attributes() -> None:
    assert annotation_kinds(Cub200) == (PartPoints, ObjectBoxes, ClassAttributes)


def test_ids_labels_and_names_are_the_official_ones(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    dataset.check()
    assert list(dataset.ids("train")) == [5, 7, 9, 11, 13, 15]
    assert list(dataset.ids("test")) == [6, 8, 10, 12, 14, 16]
    assert dataset.labels([16, 5, 9]).tolist() == [2, 0, 1]
    assert dataset.class_names() == ("Red Tit", "Blue Tit", "Grey Tit")


def test_order_of_lines_does_not_matter_outside_images_txt(tiny: Path) -> None:
    before = Cub200(root=str(tiny))
    labels, points = before.labels(range(5, 17)), before.part_points(range(5, 17))
    for name in ("image_class_labels.txt", "parts/part_locs.txt", "train_test_split.txt"):
        lines = (tiny / name).read_text().splitlines()
        (tiny / name).write_text("\n".join(lines[::-1]) + "\n")
    after = Cub200(root=str(tiny))
    assert torch.equal(after.labels(range(5, 17)), labels)
    assert torch.equal(after.part_points(range(5, 17)), points)
    assert list(after.ids("train")) == [5, 7, 9, 11, 13, 15]


def test_first_classes_only(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny), classes=2)
    assert list(dataset.ids("train")) == [5, 7, 9, 11]
    assert len(dataset.class_names()) == 2
    assert all(len(a.frequencies) == 2 for a in dataset.class_attributes())
    shutil.rmtree(tiny / "images/003.Grey_Tit")
    dataset.check()


def test_more_classes_than_there_are(tiny: Path) -> None:
    with pytest.raises(ParameterError, match="cub200: classes is 4, but there are 3"):
        Cub200(root=str(tiny), classes=4).check()
    with pytest.raises(ValueError, match="classes should be 0 or more, got -1"):
        Cub200(classes=-1)


@pytest.mark.parametrize("place", ["..", ".", "attributes"])
def test_attribute_names_may_lie_in_three_places(tiny: Path, place: str) -> None:
    expected = Cub200(root=str(tiny)).class_attributes()
    shutil.move(tiny / "../attributes.txt", tiny / place / "attributes.txt")
    found = Cub200(root=str(tiny)).class_attributes()
    assert [a[:3] for a in found] == [a[:3] for a in expected]


def test_root_may_be_the_folder_above_and_is_the_data_folder_by_default(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Cub200(root=str(tiny.parent)).folder() == tiny
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path / "home"))
    default = tmp_path / "home/data/CUB_200_2011"
    assert Cub200().folder() == default
    shutil.copytree(tiny.parent / "CUB_200_2011", default / "CUB_200_2011")
    assert Cub200().folder() == default / "CUB_200_2011"


def test_points_are_middles_of_pixels_and_find_their_place_in_the_picture(tiny: Path) -> None:
    edit(tiny / "parts/part_locs.txt", 2, "5 2 31.0 17.0 1")
    with Image.open(tiny / "images/001.Red_Tit/bird_5.jpg") as image:
        blank = np.zeros((image.height, image.width, 3), np.uint8)
    blank[17, 31] = 255
    Image.fromarray(blank).save(tiny / "images/001.Red_Tit/bird_5.png")
    edit(tiny / "images.txt", 1, "5 001.Red_Tit/bird_5.png")
    images = ImageSet(Cub200(root=str(tiny)), "train", Transform())
    x, y, visible = images.part_points([5])[0, 1].tolist()
    assert (x, y, visible) == (31.5, 17.5, 1)
    assert images.batch([5]).images[0, :, int(y), int(x)].tolist() == [1, 1, 1]
    assert images.part_points([5])[0, 2, 2] == 0


def test_boxes_are_cut_to_the_photograph(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    assert dataset.object_boxes([6, 5]).tolist() == [[8, 6, 60, 40]] * 2
    height, width = dataset.sizes([5])[0]
    edit(tiny / "bounding_boxes.txt", 1, f"5 -2.5 6.0 {width + 20} 40.0")
    assert dataset.object_boxes([5, 6]).tolist() == [[0, 6, width, 40], [8, 6, 60, 40]]
    edit(tiny / "bounding_boxes.txt", 1, f"5 1.0 {height - 3} 4.0 40.0")
    assert dataset.object_boxes([5]).tolist() == [[1, height - 3, 4, 3]]
    assert dataset.object_boxes([]).shape == (0, 4)


def test_a_box_outside_its_photograph_is_named(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    height, width = dataset.sizes([7])[0]
    edit(tiny / "bounding_boxes.txt", 3, f"7 {width} 6.0 60.0 40.0")
    with pytest.raises(DatasetError) as caught:
        dataset.object_boxes([5, 7])
    assert str(caught.value) == (
        f"dataset 'cub200': {tiny / 'bounding_boxes.txt'}: the box of image 7 (60×40 at "
        f"x = {width}, y = 6) lies outside its photograph of {width}×{height} pixels. {WAY_OUT}"
    )


def test_class_attributes_hold_raw_percentages_by_part(tiny: Path) -> None:
    table = np.loadtxt(tiny / PERCENTAGES)
    attributes = Cub200(root=str(tiny)).class_attributes()
    parts = Cub200(root=str(tiny)).part_names()
    assert len(parts) == 15
    assert [a.part for a in attributes] == sorted(a.part for a in attributes)
    beak = [a for a in attributes if parts[a.part] == "beak"]
    assert [a.name for a in beak] == ["bill_shape", "bill_length", "bill_color"]
    assert torch.equal(beak[1].frequencies, torch.from_numpy(table[:, 149:152]))
    assert beak[2].values[:2] == ("blue", "brown")


@pytest.mark.parametrize(("name", "table"), [("current", IDS_BY_PART), ("earlier", EARLIER)])
def test_attributes_of_each_part_are_those_of_the_published_table(tiny, name, table) -> None:
    dataset = Cub200(root=str(tiny), attribute_table=name)
    values = np.loadtxt(tiny / PERCENTAGES)
    found: dict[str, list[tuple[int, int]]] = {}
    for part, _, _, frequencies in dataset.class_attributes():
        columns = [
            int(np.flatnonzero((column == values.T).all(1))[0]) + 1
            for column in frequencies.T.numpy()
        ]
        assert columns == list(range(columns[0], columns[-1] + 1))
        found.setdefault(dataset.part_names()[part], []).append((columns[0], columns[-1]))
    expected = {part: table[re.sub("left |right ", "", part)] for part in dataset.part_names()}
    assert found == expected


def test_grey_photographs_become_rgb(tiny: Path) -> None:
    path = tiny / "images/001.Red_Tit/bird_6.jpg"
    with Image.open(path) as image:
        image.convert("L").save(path)
    image = Cub200(root=str(tiny)).images([6])[0]
    assert image.dtype == torch.uint8
    assert image.shape[0] == 3
    assert torch.equal(image[0], image[2])


def test_sizes_are_those_of_the_images(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    ids = [5, 9, 13]
    shapes = [tuple(image.shape[1:]) for image in dataset.images(ids)]
    assert list(dataset.sizes(ids)) == shapes


def test_image_attributes_where_the_copy_has_them(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    with pytest.raises(DatasetError, match=r"image_attribute_labels.txt is missing"):
        dataset.image_attributes([5])
    rows = [
        f"{i} {a} {(i * a) % 2} {1 + (i + a) % 4} 3.5" for i in range(5, 17) for a in range(1, 313)
    ]
    rows[400] = rows[400].replace(" 3.5", " 0 3.5")  # the official file has such lines
    (tiny / IMAGE_ATTRIBUTES).write_text("\n".join(rows) + "\n")
    present, certainty = dataset.image_attributes([9, 6])
    ids, attributes = np.array([[9], [6]]), np.arange(1, 313)
    assert np.array_equal(present, (ids * attributes) % 2)
    assert np.array_equal(certainty, 1 + (ids + attributes) % 4)


def test_image_attributes_with_a_bad_line(tiny: Path) -> None:
    (tiny / IMAGE_ATTRIBUTES).write_text("5 1 1 3 0.5\n5 2 1 9 0.5\n")
    with pytest.raises(DatasetError, match="line 2: certainty should be from 1 to 4, found 9"):
        Cub200(root=str(tiny)).image_attributes([5])
    (tiny / IMAGE_ATTRIBUTES).write_text("5 1 1 3 0.5 7\n5 2 1\n")
    with pytest.raises(DatasetError, match="line 2: expected 4 fields"):
        Cub200(root=str(tiny)).image_attributes([5])


def test_fingerprint_depends_on_annotations_images_and_classes(tiny: Path) -> None:
    first = Cub200(root=str(tiny)).fingerprint()
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert Cub200(root=str(tiny.parent)).fingerprint() == first
    assert Cub200(root=str(tiny), classes=2).fingerprint() != first
    edit(tiny / "parts/part_locs.txt", 1, "5 1 9.0 9.0 1")
    second = Cub200(root=str(tiny)).fingerprint()
    assert second != first
    with (tiny / "images/001.Red_Tit/bird_5.jpg").open("ab") as file:
        file.write(b"x")
    assert Cub200(root=str(tiny)).fingerprint() != second


def test_missing_data_says_how_to_get_it(tmp_path: Path) -> None:
    assert complaint(tmp_path / "nowhere") == (
        f"dataset 'cub200': {tmp_path / 'nowhere'} lacks 9 files: images.txt, classes.txt,"
        f" image_class_labels.txt, …. {WAY_OUT}"
    )


def test_missing_files_are_named(tiny: Path) -> None:
    (tiny / "images/001.Red_Tit/bird_5.jpg").unlink()
    shutil.rmtree(tiny / "images/002.Blue_Tit")
    text = complaint(tiny)
    assert "lacks 5 files: images/001.Red_Tit/bird_5.jpg, images/002.Blue_Tit/bird_9.jpg" in text
    (tiny / "parts/part_locs.txt").unlink()
    assert (
        complaint(tiny) == f"dataset 'cub200': {tiny} lacks a file: parts/part_locs.txt. {WAY_OUT}"
    )


@pytest.mark.parametrize(
    ("name", "line", "text", "message"),
    [
        (
            "parts/part_locs.txt",
            3,
            "5 3 1.0",
            "expected 5 fields (image, part, x, y, visible), found 3: '5 3 1.0'",
        ),
        ("parts/part_locs.txt", 4, "5 4 1.0 oops 1", "y should be a number, found 'oops'"),
        ("parts/part_locs.txt", 4, "5 4 1.0 nan 1", "y should be a number, found 'nan'"),
        ("parts/part_locs.txt", 4, "5 4.5 1.0 1.0 1", "part should be a whole number, found '4.5'"),
        ("parts/part_locs.txt", 4, "5 4 1.0 1.0 2", "visible should be 0 or 1, found 2"),
        (
            "parts/part_locs.txt",
            4,
            "5 16 1.0 1.0 1",
            "part 16 does not exist, parts.txt has 1 to 15",
        ),
        ("parts/part_locs.txt", 4, "99 4 1.0 1.0 1", "image 99 is not in images.txt"),
        ("parts/part_locs.txt", 4, "5 3 1.0 1.0 1", None),
        (
            "parts/part_locs.txt",
            4,
            "",
            "expected 5 fields (image, part, x, y, visible), found 0: ''",
        ),
        ("image_class_labels.txt", 2, "6 4", "class 4 does not exist, classes.txt has 1 to 3"),
        ("image_class_labels.txt", 2, "6 0", "class 0 does not exist, classes.txt has 1 to 3"),
        ("image_class_labels.txt", 2, "6", "expected 2 fields (image, class), found 1: '6'"),
        ("train_test_split.txt", 2, "6 x", "is_training should be a whole number, found 'x'"),
        ("train_test_split.txt", 12, "4 1", "image 4 is not in images.txt"),
        (
            "bounding_boxes.txt",
            2,
            "6 8.0 6.0 60.0",
            "expected 5 fields (image, x, y, width, height), found 4: '6 8.0 6.0 60.0'",
        ),
        ("bounding_boxes.txt", 2, "6 8 6 60 nan", "height should be a number, found 'nan'"),
        ("bounding_boxes.txt", 2, "6 8 6 60 -4", "height should be above 0, found -4.0"),
        ("bounding_boxes.txt", 2, "6 8 6 0 4", "width should be above 0, found 0.0"),
        (
            "bounding_boxes.txt",
            2,
            "6 -9 6 8 4",
            "x + width is -1.0: the box lies outside the image",
        ),
        ("bounding_boxes.txt", 2, "99 8 6 60 40", "image 99 is not in images.txt"),
        ("images.txt", 2, "006.jpg", "expected a number and a name, found '006.jpg'"),
        ("images.txt", 2, "5 again.jpg", "image 5 stands here a second time"),
        ("classes.txt", 2, "3 002.Blue_Tit", "expected number 2, found 3"),
        (PERCENTAGES, 2, "1.0 2.0", "expected 312 fields (numbers), found 2: '1.0 2.0'"),
        (
            PERCENTAGES,
            2,
            " ".join(["101.5"] * 312),
            "a percentage should be from 0 to 100, found 101.5",
        ),
    ],
)
def test_bad_line_is_named(
    tiny: Path, name: str, line: int, text: str, message: str | None
) -> None:
    edit(tiny / name, line, text)
    told = complaint(tiny)
    if message is None:
        assert f"{tiny / name}: part 4 of image 5 is missing (1 in all)" in told
    else:
        assert told == f"dataset 'cub200': {tiny / name}, line {line}: {message}. {WAY_OUT}"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("image_class_labels.txt", "image 7 is missing (1 in all)"),
        ("train_test_split.txt", "image 7 is missing (1 in all)"),
        ("parts/part_locs.txt", "part 3 of image 5 is missing (1 in all)"),
        ("bounding_boxes.txt", "image 7 is missing (1 in all)"),
        (PERCENTAGES, "expected 3 lines, found 2"),
    ],
)
def test_lost_line_is_named(tiny: Path, name: str, message: str) -> None:
    edit(tiny / name, 3, None)
    assert f"{tiny / name}: {message}" in complaint(tiny)


def test_doubled_line_is_named(tiny: Path) -> None:
    edit(tiny / "image_class_labels.txt", 12, "16 3\n16 3")
    assert "image_class_labels.txt, line 13: image 16 stands here a second time" in complaint(tiny)


def test_changed_vocabulary_is_refused(tiny: Path) -> None:
    edit(tiny / "parts/parts.txt", 1, "1 hump")
    assert "parts.txt: unknown part 'hump'" in complaint(tiny)
    edit(tiny / "parts/parts.txt", 1, "1 back")
    names = tiny / "../attributes.txt"
    names.write_text(names.read_text().replace("has_nape_color", "has_neck_color"))
    assert "attributes.txt has no has_nape_color" in complaint(tiny)


def test_image_that_does_not_decode_is_named(tiny: Path) -> None:
    path = tiny / "images/001.Red_Tit/bird_6.jpg"
    path.write_bytes(path.read_bytes()[:500])
    dataset = Cub200(root=str(tiny))
    with pytest.raises(DatasetError) as caught:
        dataset.images([5, 6])
    assert str(caught.value).startswith(
        f"dataset 'cub200', image 6: {path} does not decode as an image: "
    )
    path.write_bytes(b"<html>")
    with pytest.raises(DatasetError, match=r"image 6: .*bird_6.jpg does not decode"):
        dataset.sizes([6])


def test_unknown_split_and_id(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    with pytest.raises(
        UnknownNameError, match="unknown split of cub200 'tests'; did you mean 'test'"
    ):
        dataset.ids("tests")
    with pytest.raises(UnknownNameError, match="unknown image id of cub200 '4'"):
        dataset.labels([5, 4])


def test_verify_names_every_missing_or_damaged_file(tiny: Path) -> None:
    dataset = Cub200(root=str(tiny))
    assert dataset.verify() == []
    cut, gone = tiny / "images/001.Red_Tit/bird_6.jpg", tiny / "images/003.Grey_Tit/bird_16.jpg"
    cut.write_bytes(cut.read_bytes()[:-600])
    gone.unlink()
    damaged, missing = dataset.verify()
    assert damaged.startswith(f"damaged: {cut}: ")
    assert missing == f"missing: {gone}"
    edit(tiny / "classes.txt", 1, "x")
    assert [line.partition(" expected")[0] for line in dataset.verify()] == [
        f"dataset 'cub200': {tiny / 'classes.txt'}, line 1:"
    ]
    (tiny / "images.txt").unlink()
    assert dataset.verify() == [f"missing: {tiny / 'images.txt'}"]


def test_download_is_the_official_archive_and_goes_to_the_root(tmp_path: Path) -> None:
    (archive,) = Cub200(root=str(tmp_path / "birds")).downloads()
    assert archive.url.startswith("https://data.caltech.edu/records/65de6-vp158/")
    assert archive.target == str(tmp_path / "birds")
    assert Cub200().downloads()[0].target == "CUB_200_2011"


@pytest.mark.realdata
def test_real_annotation_files(realdata: Path) -> None:
    dataset = Cub200(root=str(realdata / "CUB_200_2011"))
    assert len(dataset.ids("train")) == 5994
    assert len(dataset.ids("test")) == 5794
    assert len(dataset.class_names()) == 200
    assert dataset.class_names()[0] == "Black footed Albatross"
    assert len(dataset.part_names()) == 15
    assert dataset.labels([1, 11788]).tolist() == [0, 199]
    assert dataset.part_points([1])[0, 1].tolist() == [312.5, 182.5, 1.0]
    points = dataset.part_points([*dataset.ids("train"), *dataset.ids("test")])
    assert points.shape == (11788, 15, 3)
    attributes = dataset.class_attributes()
    assert {a.part for a in attributes} == set(range(15))
    assert all(a.frequencies.shape == (200, len(a.values)) for a in attributes)


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "table"), [("current", IDS_BY_PART), ("earlier", EARLIER)])
def test_real_attributes_of_each_part(realdata: Path, name, table) -> None:
    dataset = Cub200(root=str(realdata / "CUB_200_2011"), attribute_table=name)
    percentages = np.loadtxt(realdata / "CUB_200_2011" / PERCENTAGES)
    assert percentages.shape == (200, 312)
    for index, part in enumerate(dataset.part_names()):
        ranges = table[re.sub("left |right ", "", part)]
        found = [a.frequencies for a in dataset.class_attributes() if a.part == index]
        expected = [torch.from_numpy(percentages[:, a - 1 : b]) for a, b in ranges]
        assert all(torch.equal(x, y) for x, y in zip(found, expected, strict=True))


@pytest.mark.realdata
def test_real_annotations_without_images_say_how_many_are_missing(realdata: Path) -> None:
    text = complaint(realdata / "CUB_200_2011")
    assert "lacks 11788 files: images/001.Black_footed_Albatross/" in text
    assert text.endswith(WAY_OUT)


@pytest.mark.realdata
def test_tree_drawn_from_the_real_annotation_files_is_complete(realdata, tmp_path) -> None:
    cub_tree.copy_subset(
        realdata / "CUB_200_2011", tmp_path / "tree", classes=3, images_per_class=5
    )
    cub_tree.render(tmp_path / "tree")
    dataset = Cub200(root=str(tmp_path / "tree"))
    assert dataset.verify() == []
    assert len(dataset.ids("train")) == 9
    assert len(dataset.ids("test")) == 6
    whole = Cub200(root=str(realdata / "CUB_200_2011"))
    assert torch.equal(
        dataset.part_points(dataset.ids("test")), whole.part_points(dataset.ids("test"))
    )
    for (x, y, visible), (height, width) in zip(
        dataset.part_points(dataset.ids("train"))[:, 1].tolist(),
        dataset.sizes(dataset.ids("train")),
        strict=True,
    ):
        assert not visible or (x < width and y < height)
