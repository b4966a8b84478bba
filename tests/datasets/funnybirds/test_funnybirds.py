"""FunnyBirds: a small folder in the public layout, with boxes for parts."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench import (
    ClassAttributes,
    DatasetError,
    ParameterError,
    PartMasks,
    PartRemovals,
    UnknownNameError,
    annotation_kinds,
)
from xbench.testing import check_component
from xbench_datasets.funnybirds.dataset import FunnyBirds

SIDE, CLASSES = 16, 3
LOOKS = {
    "beak": [{"model": f"beak0{k}.glb", "color": "yellow"} for k in (1, 2)],
    "eye": [{"model": "eye01.glb"}, {"model": "eye02.glb"}],
    "foot": [{"model": "foot01.glb"}],
    "tail": [{"model": "tail01.glb", "color": c} for c in ("red", "green", "blue")],
    "wing": [{"model": "wing01.glb", "color": "red"}, {"model": "wing02.glb", "color": "red"}],
}
PARTS = tuple(LOOKS)
OWN = [
    {"beak": 0, "eye": 0, "foot": 0, "tail": 0, "wing": 0},
    {"beak": 1, "eye": 0, "foot": 0, "tail": 2, "wing": 0},
    {"beak": 1, "eye": 1, "foot": 0, "tail": 1, "wing": 1},
]
SHADES = {
    "beak": [(255, 255, 0)],
    "eye": [(255, 255, 253), (255, 255, 254)],
    "foot": [(255, 0, 1), (255, 0, 2)],
    "tail": [(0, 0, 255)],
    "wing": [(0, 255, 1), (0, 255, 2)],
}
LABELS = {"train": [0, 0, 1, 1, 2, 2], "test": [0, 1, 2]}


def drawn(split, number, kept, *, is_map=False):
    """A part is two boxes in its row, left and right, which part maps tell apart."""
    pixels = np.full((SIDE, SIDE, 4), 255, np.uint8)
    pixels[..., :3] = (204, 204, 205) if is_map else 40 + 10 * number + len(split)
    for row, part in enumerate(PARTS):
        if part in kept:
            for place in range(2):
                box = (slice(3 * row, 3 * row + 2), slice(8 * place + 1, 8 * place + 5))
                shade = SHADES[part][place % len(SHADES[part])]
                pixels[(*box, slice(3))] = shade if is_map else (30 * row, 200, 90)
    return Image.fromarray(pixels)


def save(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Six images for training and three for testing."""
    folder = tmp_path / "FunnyBirds"
    folder.mkdir()
    (folder / "parts.json").write_text(json.dumps(LOOKS))
    classes = [{"class_idx": k, "parts": own} for k, own in enumerate(OWN)]
    (folder / "classes.json").write_text(json.dumps(classes))
    for split, labels in LABELS.items():
        samples = [{"class_idx": k, "camera_distance": 300, "bg_objects": "1,2,"} for k in labels]
        (folder / f"dataset_{split}.json").write_text(json.dumps(samples))
        for number, label in enumerate(labels):
            name = f"{label}/{number:06d}"
            save(drawn(split, number, PARTS), folder / split / f"{name}.png")
            part_map = drawn(split, number, PARTS, is_map=True)
            save(part_map, folder / f"{split}_part_map" / f"{name}.png")
    for number, label in enumerate(LABELS["test"]):
        for count in range(len(PARTS) + 1):
            for kept in itertools.combinations(PARTS, count):
                file = f"{label}/{number:06d}/body_{'_'.join(sorted(kept))}.png"
                save(drawn("test", number, kept), folder / "test_interventions" / file)
        background = f"{label}/{number:06d}/background_interventions/0.png"
        save(drawn("test", 9, PARTS), folder / "test_interventions" / background)
    return tmp_path


@pytest.fixture
def birds(tree: Path) -> FunnyBirds:
    """The dataset of the tree."""
    return FunnyBirds(root=str(tree))


def test_it_keeps_the_rules_of_datasets(birds):
    check_component(birds)
    assert annotation_kinds(FunnyBirds) == (PartMasks, PartRemovals, ClassAttributes)


@pytest.mark.parametrize("inside", ["", "FunnyBirds"])
def test_the_root_is_the_folder_or_the_one_that_holds_it(tree, inside):
    assert FunnyBirds(root=str(tree / inside)).folder() == tree / "FunnyBirds"


def test_images_and_labels_are_those_of_the_lists(birds):
    assert birds.splits() == ("train", "test")
    assert birds.class_names() == ("bird 0", "bird 1", "bird 2")
    for split, labels in LABELS.items():
        ids = birds.ids(split)
        assert birds.labels(ids).tolist() == labels
        for number, image in enumerate(birds.images(ids)):
            expected = np.array(drawn(split, number, PARTS))[..., :3]
            assert torch.equal(image.permute(1, 2, 0), torch.from_numpy(expected))
    assert list(birds.ids("test")) == [1_000_000, 1_000_001, 1_000_002]
    assert birds.sizes([0]) == [(SIDE, SIDE)]


def test_a_split_without_a_list_is_not_there(tree, birds):
    (tree / "FunnyBirds" / "dataset_train.json").unlink()
    assert birds.splits() == ("test",)
    with pytest.raises(UnknownNameError, match="split of funnybirds 'train'"):
        birds.ids("train")


def test_masks_join_left_and_right_and_leave_body_and_background_out(birds):
    mask = birds.part_masks([1_000_001])[0]
    assert birds.mask_names() == PARTS
    for row in range(len(PARTS)):
        box = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        box[3 * row : 3 * row + 2, 1:5] = box[3 * row : 3 * row + 2, 9:13] = True
        assert torch.equal(mask == row, box)


def test_every_set_of_parts_can_be_taken_away_from_test_images(birds):
    sets = torch.tensor(list(itertools.product((False, True), repeat=5)))
    for number, image in enumerate(birds.ids("test")):
        pictures = birds.images_without([image] * len(sets), sets)
        for removed, picture in zip(sets.tolist(), pictures, strict=True):
            kept = [part for part, gone in zip(PARTS, removed, strict=True) if not gone]
            expected = np.array(drawn("test", number, kept))[..., :3]
            assert torch.equal(picture.permute(1, 2, 0), torch.from_numpy(expected))
    assert not birds.exact_removals


def test_nothing_removed_is_the_image_itself_in_either_split(birds):
    nothing = torch.zeros(2, 5, dtype=torch.bool)
    images = birds.images_without([3, 1_000_001], nothing)
    assert all(map(torch.equal, images, birds.images([3, 1_000_001])))


def test_a_picture_that_the_folder_lacks_is_refused_with_what_there_is(tree, birds):
    marks = torch.tensor([[True, False, False, False, True]])
    with pytest.raises(DatasetError) as caught:
        birds.images_without([4], marks)
    path = tree / "FunnyBirds/train_interventions/2/000004/body_eye_foot_tail.png"
    assert str(caught.value).startswith(
        f"dataset 'funnybirds' has no picture of image 4 without beak, wing: {path} is missing. "
        "The public archive has pictures without parts of test images only, in test_interventions. "
    )
    (tree / "FunnyBirds/test_interventions/0/000000/body_eye_foot_tail.png").unlink()
    with pytest.raises(DatasetError, match="has no picture of image 1000000 without beak, wing"):
        birds.images_without([1_000_000], marks)


@pytest.mark.parametrize(
    ("marks", "form"),
    [
        (torch.zeros(1, 4, dtype=torch.bool), r"bool of shape \(1, 4\)"),
        (torch.zeros(1, 5), r"float32 of shape \(1, 5\)"),
    ],
)
def test_marks_that_do_not_fit_are_refused(birds, marks, form):
    with pytest.raises(ParameterError, match=f"removed is {form}, but must be bool of shape"):
        birds.images_without([1_000_000], marks)


def test_attributes_are_models_and_colours_that_a_class_always_shows(birds):
    attributes = birds.class_attributes()
    assert [(a.part, a.name) for a in attributes] == [
        (0, "model"), (0, "color"), (1, "model"), (2, "model"),
        (3, "model"), (3, "color"), (4, "model"), (4, "color"),
    ]  # fmt: skip
    colour = attributes[5]
    assert colour.values == ("red", "green", "blue")
    assert colour.frequencies.tolist() == [[100, 0, 0], [0, 0, 100], [0, 100, 0]]


@pytest.mark.parametrize("image", [-1, 6, 999_999, 1_000_003, 2_000_000])
def test_an_image_that_there_is_not_is_refused(birds, image):
    with pytest.raises(UnknownNameError, match=f"image id of funnybirds '{image}'"):
        birds.labels([image])


MISTAKES = {
    "classes.json": [
        ("{", "is no JSON"),
        ("{}", "should hold a list of objects"),
        ('[{"class_idx": 1, "parts": {}}]', "entry 0: class_idx should be 0"),
        ('[{"class_idx": 0, "parts": {"beak": 0}}]', "parts should be beak, eye, foot, tail, wing"),
        (
            json.dumps([{"class_idx": 0, "parts": {**OWN[0], "tail": 3}}]),
            "tail should be a whole number from 0 to 2, found 3",
        ),
    ],
    "parts.json": [
        ("[]", "should hold for each part a list of models and colours"),
        (json.dumps({**LOOKS, "beak": []}), "should hold for each part"),
    ],
    "dataset_test.json": [
        ('[{"class_idx": 3}]', "entry 0: class_idx should be a whole number from 0 to 2, found 3"),
        ("[{}]", "found None"),
        ("[7]", "should hold a list of objects"),
    ],
}


@pytest.mark.parametrize(
    ("file", "text", "message"), [(f, *case) for f, cases in MISTAKES.items() for case in cases]
)
def test_a_mistake_in_a_list_is_named_with_its_file(tree, birds, file, text, message):
    (tree / "FunnyBirds" / file).write_text(text)
    with pytest.raises(DatasetError) as caught:
        birds.check()
    assert message in str(caught.value)
    assert file in str(caught.value)
    assert "`-p dataset.root=FOLDER`" in str(caught.value)


def test_a_part_that_no_part_map_shows_is_refused(tree, birds):
    looks = {**LOOKS, "crest": [{"model": "crest01.glb"}]}
    (tree / "FunnyBirds/parts.json").write_text(json.dumps(looks))
    classes = [{"class_idx": k, "parts": {**own, "crest": 0}} for k, own in enumerate(OWN)]
    (tree / "FunnyBirds/classes.json").write_text(json.dumps(classes))
    with pytest.raises(DatasetError, match="names a part 'crest'; part maps show beak, eye, foot"):
        birds.check()


def test_files_that_are_missing_are_named(tree, birds):
    folder = tree / "FunnyBirds"
    (folder / "test_part_map/0/000000.png").unlink()
    with pytest.raises(DatasetError, match=r"image 1000000: part map .*000000.png is missing"):
        birds.part_masks([1_000_000])
    (folder / "train/1/000002.png").unlink()
    with pytest.raises(DatasetError, match=r"lacks an image: train/1/000002\.png\. https://github"):
        birds.check()
    lines = birds.verify()
    assert [Path(line.partition(": ")[2]).name for line in lines] == ["000002.png", "000000.png"]
    assert all(line.startswith("missing: ") for line in lines)
    (folder / "classes.json").unlink()
    with pytest.raises(DatasetError, match=r"classes\.json is missing"):
        birds.class_names()
    assert FunnyBirds(root=str(tree / "none")).verify()[0].startswith("dataset 'funnybirds': ")


def test_damaged_pictures_are_named(tree, birds):
    folder = tree / "FunnyBirds"
    assert birds.verify() == []
    damaged = folder / "test_interventions/2/000002/body_.png"
    damaged.write_bytes(b"no image")
    (folder / "train_part_map/0/000001.png").write_bytes(b"no image")
    assert [str(damaged) in line for line in birds.verify()] == [False, True]
    with pytest.raises(DatasetError, match="does not decode"):
        birds.part_masks([1])


def test_a_part_map_of_another_size_is_refused(tree, birds):
    save(Image.new("RGBA", (8, 4)), tree / "FunnyBirds/test_part_map/0/000000.png")
    with pytest.raises(DatasetError, match="is 8×4 pixels, but its image is 16×16"):
        birds.part_masks([1_000_000])


@pytest.mark.parametrize(
    "file",
    ["test/0/000000.png", "test_part_map/0/000000.png", "test_interventions/0/000000/body_.png"],
)
def test_the_fingerprint_knows_every_picture_and_list(tree, birds, file):
    before = birds.fingerprint()
    path = tree / "FunnyBirds" / file
    path.write_bytes(path.read_bytes() + b"more")
    after = birds.fingerprint()
    classes = tree / "FunnyBirds/classes.json"
    classes.write_text(classes.read_text() + " ")
    assert len({before, after, birds.fingerprint()}) == 3
