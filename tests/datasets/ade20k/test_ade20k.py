"""ADE20K in its official layouts: images, labels, masks, attributes."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ade_tree
from xbench import (
    ClassAttributes,
    ImageSet,
    PartMasks,
    Transform,
    UnknownNameError,
    annotation_kinds,
)
from xbench_datasets.ade20k.dataset import Ade20k
from xbench_datasets.ade20k.index import read_index
from xbench_datasets.ade20k.lists import Objects, read_objects

LAYOUTS = ("scene-parsing", "full-2021", "full-2016")
IMAGES_PER_SCENE = 6


@pytest.fixture(scope="session")
def made():
    """The pictures of all trees."""
    return ade_tree.pictures(IMAGES_PER_SCENE)


@pytest.fixture(params=LAYOUTS)
def layout(request) -> str:
    return request.param


@pytest.fixture
def dataset(layout: str, tmp_path: Path, made) -> Ade20k:
    """A tree in each layout, recognised by itself."""
    ade_tree.WRITERS[layout](tmp_path / "tree", made)
    return Ade20k(root=str(tmp_path / "tree"))


def image_id(stem: str) -> int:
    return int(stem[-8:]) + (1_000_000 if "val" in stem else 0)


def test_it_has_masks_and_class_attributes() -> None:
    assert annotation_kinds(Ade20k) == (PartMasks, ClassAttributes)


def test_every_layout_has_the_same_images_labels_and_names(dataset: Ade20k, layout, made) -> None:
    dataset.check()
    assert dataset._layout().name == layout
    assert dataset.class_names() == ("attic", "basement", "street", "valley")
    training = sorted(image_id(one.stem) for one in made if "train" in one.stem)
    assert list(dataset.ids("train")) == training == list(range(1, 17))
    assert list(dataset.ids("test")) == [1_000_000 + number for number in range(1, 9)]
    for one in made:
        (label,) = dataset.labels([image_id(one.stem)]).tolist()
        assert dataset.class_names()[label] == one.scene


def test_every_layout_has_the_same_masks_as_were_drawn(dataset: Ade20k, made) -> None:
    assert dataset.mask_names() == ade_tree.OBJECTS
    masks = dataset.part_masks([image_id(one.stem) for one in made])
    for mask, one in zip(masks, made, strict=True):
        assert mask.dtype == torch.int16
        assert np.array_equal(mask.numpy(), one.labels.astype(int) - 1)


def test_images_and_sizes_are_those_of_the_files(dataset: Ade20k, made) -> None:
    ids = [image_id(one.stem) for one in made[:4]]
    shapes = [tuple(image.shape[1:]) for image in dataset.images(ids)]
    assert shapes == list(dataset.sizes(ids)) == [one.labels.shape for one in made[:4]]
    difference = dataset.images(ids)[0].numpy().transpose(1, 2, 0) - made[0].pixels.astype(float)
    assert np.abs(difference).mean() < 12


def test_every_layout_counts_the_same_objects_in_training_images(dataset: Ade20k, made) -> None:
    attributes = dataset.class_attributes()
    assert [a.part for a in attributes] == list(range(6))
    assert {(a.name, a.values) for a in attributes} == {("presence", ("present",))}
    for part, attribute in enumerate(attributes):
        assert attribute.frequencies.shape == (4, 1)
        for label, scene in enumerate(dataset.class_names()):
            own = [one for one in made if one.scene == scene and "train" in one.stem]
            shown = sum(bool((one.labels == part + 1).any()) for one in own)
            assert float(attribute.frequencies[label, 0]) == pytest.approx(100 * shown / len(own))


def test_masks_go_through_the_transform_of_the_images(dataset: Ade20k) -> None:
    view = ImageSet(dataset, "train", Transform(resize=24, crop=24))
    (mask,) = view.part_masks([1])
    assert mask.shape == view.batch([1]).images.shape[-2:]
    whole = dataset.part_masks([1])[0]
    scaled = Image.fromarray((whole + 1).numpy().astype(np.uint8)).resize(
        (whole.shape[1] * 24 // whole.shape[0], 24), Image.Resampling.NEAREST
    )
    left = round((scaled.width - 24) / 2)
    expected = np.array(scaled)[:, left : left + 24].astype(int) - 1
    assert np.array_equal(mask.numpy(), expected)


@pytest.mark.parametrize("layout", ["scene-parsing", "full-2021"], indirect=True)
def test_what_was_counted_is_kept_until_a_file_changes(
    dataset: Ade20k, layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dataset.class_attributes()
    folder = dataset.folder()

    def refuse(*_: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(type(dataset._layout()), "shown_by", refuse)
        again = dataset.class_attributes()
    assert all(
        torch.equal(x.frequencies, y.frequencies) for x, y in zip(before, again, strict=True)
    )
    listing = dataset._listing()
    if layout == "scene-parsing":
        with Image.open(folder / listing.masks[0]) as mask:
            blank = Image.new("L", mask.size, 4)
        blank.save(folder / listing.masks[0])
    else:
        described = folder / listing.images[0].replace(".jpg", ".json")
        content = json.loads(described.read_bytes())
        content["annotation"]["object"] = [{"name": "tree", "name_ndx": 2855}]
        described.write_text(json.dumps(content))
    after = dataset.class_attributes()
    assert not torch.equal(before[3].frequencies, after[3].frequencies)


@pytest.mark.parametrize("layout", ["scene-parsing"], indirect=True)
def test_damaged_keepings_are_made_anew(dataset: Ade20k) -> None:
    from xbench import home

    before = dataset.class_attributes()
    (kept,) = (home() / "cache" / "ade20k").iterdir()
    kept.write_bytes(b"nothing")
    after = dataset.class_attributes()
    assert all(
        torch.equal(x.frequencies, y.frequencies) for x, y in zip(before, after, strict=True)
    )


def test_the_index_can_stand_in_for_the_label_maps(tmp_path, made) -> None:
    ade_tree.write_lists(tmp_path / "lists", made)
    ade_tree.write_index(tmp_path / "some.mat", made)
    ade_tree.write_scene_parsing(tmp_path / "tree", made)
    known = Ade20k(root=str(tmp_path / "tree")).class_attributes()
    lists = Ade20k(root=str(tmp_path / "lists"), index=str(tmp_path / "some.mat"))
    for one, other in zip(known, lists.class_attributes(), strict=True):
        assert torch.equal(one.frequencies, other.frequencies)


def test_scenes_with_few_training_images_are_left_out(tmp_path, made) -> None:
    fewer = [one for one in made if one.scene != "attic" or "val" in one.stem]
    ade_tree.write_scene_parsing(tmp_path / "tree", fewer)
    dataset = Ade20k(root=str(tmp_path / "tree"))
    dataset.check()
    assert dataset.class_names() == ("basement", "street", "valley")
    assert len(dataset.ids("test")) == 6
    assert all(len(a.frequencies) == 3 for a in dataset.class_attributes())
    unknown = next(image_id(one.stem) for one in fewer if one.scene == "attic")
    with pytest.raises(UnknownNameError, match=f"unknown image id of ade20k '{unknown}'"):
        dataset.labels([unknown])
    assert Ade20k(root=str(tmp_path / "tree"), fewest=4).class_names() == dataset.class_names()


def test_folders_of_several_levels_name_scenes_in_the_dataset_of_2016(tmp_path, made) -> None:
    ade_tree.write_full_2016(tmp_path / "tree", made)
    for split in ("training", "validation"):
        inner = tmp_path / "tree/images" / split
        (inner / "b/basement/indoor").mkdir()
        for file in list((inner / "b/basement").glob("ADE*1*")):
            file.rename(inner / "b/basement/indoor" / file.name)
        (inner / "v/valley").rename(inner / "misc")
        (inner / "outliers").mkdir()
        (inner / "s/street").rename(inner / "outliers/street")
    names = Ade20k(root=str(tmp_path / "tree")).class_names()
    assert names == ("attic", "basement", "basement/indoor", "misc", "street")


@pytest.mark.parametrize(
    ("layout", "folder"),
    [("scene-parsing", "ADEChallengeData2016"), ("full-2021", "ADE20K_2021_17_01")],
)
def test_root_may_be_the_folder_above_and_is_the_data_folder_by_default(
    tmp_path: Path, made, monkeypatch, layout, folder
) -> None:
    ade_tree.WRITERS[layout](tmp_path / "above" / folder, made[:8])
    assert Ade20k(root=str(tmp_path / "above")).folder() == tmp_path / "above" / folder
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path / "home"))
    default = tmp_path / "home/data/ADEChallengeData2016"
    assert Ade20k().folder() == default
    shutil.copytree(tmp_path / "above" / folder, default / folder)
    assert Ade20k().folder() == default / folder


def test_the_fingerprint_depends_on_lists_files_layout_and_scenes(tmp_path, made) -> None:
    tree = tmp_path / "tree"
    ade_tree.write_scene_parsing(tree, made)
    seen = [Ade20k(root=str(tree)).fingerprint()]
    assert re.fullmatch("[0-9a-f]{32}", seen[0])
    assert Ade20k(root=str(tree), lists=str(tree)).fingerprint() == seen[0]
    ade_tree.write_index(tree / "index_ade20k.mat", made)
    seen.append(Ade20k(root=str(tree)).fingerprint())
    for name in (
        "annotations/training/ADE_train_00000001.png",
        "images/validation/ADE_val_00000001.jpg",
    ):
        with (tree / name).open("ab") as file:
            file.write(b"x")
        seen.append(Ade20k(root=str(tree)).fingerprint())
    path = tree / "sceneCategories.txt"
    path.write_text(
        path.read_text().replace("ADE_train_00000001 attic", "ADE_train_00000001 valley")
    )
    seen.append(Ade20k(root=str(tree)).fingerprint())
    path = tree / "objectInfo150.txt"
    path.write_text(path.read_text().replace("wall", "brick wall"))
    seen.append(Ade20k(root=str(tree), index="").fingerprint())
    assert len(set(seen)) == len(seen)


def test_download_is_the_official_archive_and_goes_to_the_root(tmp_path: Path) -> None:
    (archive,) = Ade20k(root=str(tmp_path / "scenes")).downloads()
    assert archive.filename == "ADEChallengeData2016.zip"
    assert archive.target == str(tmp_path / "scenes")
    assert Ade20k().downloads()[0].target == "ADEChallengeData2016"


def test_names_of_objects_are_found_whatever_the_order_of_their_synonyms() -> None:
    objects = Objects(("tv, telly", "door, double door", "booth, stall", "screen door, screen"))
    assert [objects.place(name) for name in ("telly, tv", "tv", "door", "double door")] == [
        0,
        -1,
        1,
        1,
    ]
    assert objects.place("screen, screen door") == 3
    assert objects.place("screen") == -1


@pytest.fixture
def real(realdata: Path) -> Path:
    return realdata / "ade20k"


@pytest.mark.realdata
def test_the_real_scene_list(real: Path) -> None:
    dataset = Ade20k(root=str(real / "sceneparsing150_sample"))
    assert len(dataset.class_names()) == 1040
    assert len(dataset.ids("train")) == 20210
    assert len(dataset.ids("test")) == 1985
    assert len(dataset._listing().ids) == 22210
    assert dataset.class_names()[0] == "abbey"
    assert len(dataset.mask_names()) == 150


@pytest.mark.realdata
def test_names_of_real_objects_map_as_the_official_table_does(real: Path) -> None:
    objects = read_objects(real / "sceneparsing150_sample/objectInfo150.txt")
    index = read_index(real / "index_2016/meta_file/ade20k/index_ade20k.mat")
    table = np.loadtxt(real / "sceneparsing150_sample/convertFromADE/mapFromADE.txt", dtype=int)
    found = {(objects.place(name) + 1, n) for n, name in enumerate(index.names, 1)}
    assert {pair for pair in found if pair[0]} == {tuple(row) for row in table.tolist()}


@pytest.mark.realdata
def test_real_scene_names_of_2016_follow_their_folders(real: Path, tmp_path: Path) -> None:
    from scipy.io import loadmat

    from xbench_datasets.ade20k.listing import _scene

    index = loadmat(real / "index_2016/meta_file/ade20k/index_ade20k.mat", squeeze_me=True)["index"]
    split = Path("ADE20K_2016_07_26/images")
    for folder, scene in zip(index["folder"].item(), index["scene"].item(), strict=True):
        kind = Path(str(folder)).relative_to(split).parts[0]
        name = _scene(split / kind, Path(str(folder)) / "x.jpg")
        assert scene in (name, "~not labeled")


@pytest.mark.realdata
def test_real_scenes_of_2021_show_exactly_what_their_json_files_list(real: Path) -> None:
    lists = real / "sceneparsing150_sample"
    root = real / "full_2021_sample/dataset/ADE20K_2021_17_01"
    dataset = Ade20k(root=str(root), lists=str(lists))
    assert list(dataset.ids("train")) == [16869, 16900, 16964]
    assert dataset.class_names() == ("street",)
    table = np.loadtxt(lists / "convertFromADE/mapFromADE.txt", dtype=int)
    official = {int(number): int(place) - 1 for place, number in table}
    for image, mask in zip(
        dataset.ids("train"), dataset.part_masks(dataset.ids("train")), strict=True
    ):
        folder = root / "images/ADE/training/urban/street"
        path = folder / f"ADE_train_{image:08d}.json"
        objects = json.loads(path.read_bytes())["annotation"]["object"]
        whole = [one for one in objects if one["parts"]["part_level"] == 0]
        listed = {official[one["name_ndx"]] for one in whole if one["name_ndx"] in official}
        assert set(mask.unique().tolist()) - {-1} == listed
        with Image.open(str(path).replace(".json", "_seg.png")) as opened:
            channels = np.array(opened).astype(int)
        numbers = channels[:, :, 0] // 10 * 256 + channels[:, :, 1]
        expected = np.vectorize(lambda number: official.get(number, -1))(numbers)
        assert np.array_equal(mask.numpy(), expected)
        instances = {place: np.zeros(mask.shape, bool) for place in listed}
        for one in whole:
            if one["name_ndx"] in official:
                with Image.open(folder / one["instance_mask"]) as opened:
                    instances[official[one["name_ndx"]]] |= np.array(opened) == 255
        for place, shown in instances.items():
            # instances were cut along polygons: a few hundred of millions of pixels differ
            assert ((mask.numpy() == place) != shown).mean() < 1e-4


@pytest.mark.realdata
def test_real_pairs_of_scene_parsing_load(real: Path, tmp_path: Path) -> None:
    sample = real / "sceneparsing150_sample"
    shutil.copy(sample / "objectInfo150.txt", tmp_path)
    known = dict(line.split() for line in (sample / "sceneCategories.txt").read_text().splitlines())
    lines = []
    for number in (1, 2, 3):
        name = f"ADE_val_{number:08d}"
        for split, stem in (("training", name.replace("val", "train")), ("validation", name)):
            for kind, suffix in (("images", "jpg"), ("annotations", "png")):
                target = tmp_path / kind / split / f"{stem}.{suffix}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(sample / "sampleData" / kind / f"{name}.{suffix}", target)
            lines.append(f"{stem} {known[name]}")
    (tmp_path / "sceneCategories.txt").write_text("\n".join(lines))
    dataset = Ade20k(root=str(tmp_path))
    dataset.check()
    assert dataset.verify() == []
    names = dataset.mask_names()
    shown = {
        names[place] for place in dataset.part_masks([1_000_003])[0].unique().tolist() if place >= 0
    }
    assert {"wall", "sky", "car, auto, automobile, machine, motorcar", "van"} <= shown
    assert len(shown) == 12
    by_name = dict(zip(names, dataset.class_attributes(), strict=True))
    assert (by_name["wall"].frequencies == 100).all()


@pytest.mark.realdata
def test_a_real_full_label_map_becomes_the_official_one(real: Path) -> None:
    from xbench_datasets.ade20k.masks import listed_objects, named_objects

    folder = real / "sceneparsing150_sample/convertFromADE"
    objects = read_objects(folder.parent / "objectInfo150.txt")
    index = read_index(real / "index_2016/meta_file/ade20k/index_ade20k.mat")
    names = dict(enumerate(index.names, start=1))
    raw = named_objects(folder / "ADE_train_00000970_raw.png", names, index.path, objects, "x")
    official = listed_objects(folder / "ADE_train_00000970_challenge.png", objects, "x")
    (tall, wide), (rows, columns) = raw.shape, official.shape
    y, x = np.arange(rows) * tall // rows, np.arange(columns) * wide // columns
    assert set(np.unique(raw)) == set(np.unique(official))
    assert (raw[np.ix_(y, x)] == official).mean() > 0.98
