"""Folders of studies: keys and pictures that tell nothing, written whole or not at all."""

import json
import re

import pytest
import torch
from PIL import Image

from xbench import ParameterError, UsageError
from xbench_study.designs.description import Condition
from xbench_study.designs.drafts import Draft, DraftOption
from xbench_study.designs.wrong_label import WrongLabel
from xbench_study.material.making import Head, write_study
from xbench_study.material.study import assets_of, read_study


def picture(level):
    return torch.full((4, 6, 3), level, dtype=torch.uint8)


def draft(image, **fields):
    options = [DraftOption(k, f"class {k}", right=k == 2) for k in range(4)]
    values = {"pictures": {"image": picture(image), "maps-1": picture(100)}, "options": options}
    return Draft(image=image, **{**values, "label": "class 9", "facts": {"label": 9}, **fields})


HEAD = Head(
    text=WrongLabel().text(),
    seed=0,
    conditions=[Condition(name="maps", title="maps", shows=["image", "maps-1"])],
    captions={"maps-1": "A map."},
    parameters={"design": "{}"},
)


@pytest.fixture
def study(tmp_path):
    write_study(tmp_path / "s", HEAD, [draft(image) for image in range(9)])
    return read_study(tmp_path / "s")


def test_what_was_drafted_is_read_again(study):
    assert study.description.captions == {"maps-1": "A map."}
    for key, item in study.items.items():
        secret = study.secrets[key]
        (right,) = secret.right
        assert secret.classes[right] == 2
        assert {option.key: option.text for option in item.options} == {
            option: f"class {label}" for option, label in secret.classes.items()
        }
        assert item.label == "class 9"
        assert secret.facts == {"label": 9}
        with Image.open(study.asset(item.stimuli[0].asset)) as image:
            assert image.getpixel((0, 0)) == (secret.image,) * 3
            assert not image.info
    assert sorted(secret.image for secret in study.secrets.values()) == list(range(9))


def test_neither_keys_nor_their_order_tell_what_they_stand_for(study):
    images = [study.secrets[key].image for key in study.items]
    assert images != sorted(images)
    places = {
        [study.secrets[key].right[0] == option.key for option in item.options].index(True)
        for key, item in study.items.items()
    }
    assert len(places) > 1
    shown = (study.folder / "items.json").read_text()
    assert "right" not in shown
    assert "predicted" not in shown
    keys = {key for item in study.items.values() for key in [item.key, *assets_of(item)]}
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in keys)


def test_equal_pictures_of_two_items_have_names_of_their_own(study):
    names = [item.stimuli[1].asset for item in study.items.values()]
    assert len(set(names)) == 9


def test_two_studies_of_the_same_items_share_no_key(tmp_path):
    for name in ("a", "b"):
        write_study(tmp_path / name, HEAD, [draft(0)])
    first, second = (read_study(tmp_path / name) for name in ("a", "b"))
    assert first.identity != second.identity
    assert not set(first.items) & set(second.items)


def test_a_folder_that_is_there_is_left_alone(tmp_path, study):
    before = (study.folder / "items.json").read_bytes()
    with pytest.raises(UsageError, match=r"s is there already; choose another folder with --out"):
        write_study(study.folder, HEAD, [draft(0)])
    assert (study.folder / "items.json").read_bytes() == before


def test_what_fails_while_it_is_written_leaves_nothing(tmp_path):
    def broken():
        yield draft(0)
        raise UsageError("no more")

    with pytest.raises(UsageError, match="no more"):
        write_study(tmp_path / "s", HEAD, broken())
    assert list(tmp_path.iterdir()) == []


def test_only_the_researcher_can_read_the_folder(study):
    assert study.folder.stat().st_mode & 0o077 == 0


def drop_item(folder):
    path = folder / "items.json"
    path.write_text(json.dumps(json.loads(path.read_text())[1:]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "key.json").unlink(), "key.json cannot be read: No such file"),
        (lambda folder: (folder / "items.json").write_text("["), "items.json: : Invalid JSON"),
        (drop_item, "are not of the same items"),
        (lambda folder: next((folder / "assets").iterdir()).unlink(), "lacks 1 of 18 pictures"),
    ],
)
def test_damaged_folders_are_refused_by_name(study, damage, message):
    damage(study.folder)
    with pytest.raises(ParameterError, match=message):
        read_study(study.folder)


def test_captions_and_titles_may_have_any_letters(tmp_path):
    odd = 'a "quote", a \\ and\nä new line\t€'
    conditions = [Condition(name="maps", title=odd)]
    head = Head(HEAD.text, 0, conditions, {"maps-1": odd}, {})
    write_study(tmp_path / "s", head, [draft(0)])
    description = read_study(tmp_path / "s").description
    assert description.conditions[0].title == odd
    assert description.captions["maps-1"] == odd
