"""What the design of ambiguous pairs makes of images, and what it does not tell."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
import torch

from tiny_regions import SquareDoubt
from xbench import MismatchError, UsageError
from xbench.testing import CLASSES
from xbench_study.answers.steps import Step
from xbench_study.designs.ambiguous_pair import AmbiguousPair
from xbench_study.designs.description import Condition
from xbench_study.material.left_out import without_classes
from xbench_study.material.making import Head, write_study
from xbench_study.material.study import read_study
from xbench_study.pages.participant import Kept
from xbench_study.pages.rendering import page
from xbench_study.pages.showing import trial
from xbench_study.shown.shown_region import ShownRegion

FOUR = AmbiguousPair(images=4, options=4)


def display(condition, of=SquareDoubt()):  # noqa: B008 a value
    return ShownRegion(of, condition, "random" if condition == "crop" else "explained", smallest=16)


@pytest.fixture
def scene(scene_of):
    """A scene of both conditions whose explainer is as a test says."""

    def make(**fields):
        return scene_of(partial(display, of=SquareDoubt(**fields)), region=(), crop=())

    return make


def test_each_item_has_the_pair_among_different_classes_in_both_conditions(scene):
    made = scene()
    drafts = FOUR.drafts(made)
    assert len({draft.image for draft in drafts}) == 4
    for draft in drafts:
        labels = [option.label for option in draft.options]
        assert len(set(labels)) == 4
        right = {option.label for option in draft.options if option.right}
        assert right == {draft.image % CLASSES, (draft.image + 2) % CLASSES}
        assert right == {draft.facts["a"], draft.facts["b"]}
        assert draft.conditions == ()
        assert list(draft.pictures) == ["region-1", "crop-1"]  # the image itself would tell more
        sizes = {tuple(picture.shape) for picture in draft.pictures.values()}
        assert len(sizes) == 1
        assert not torch.equal(draft.pictures["region-1"], draft.pictures["crop-1"])


def test_options_are_images_of_their_class_and_never_the_one_asked_about(scene):
    made = scene()
    ids = made.images.ids()
    photos = made.photos(ids)
    for draft in FOUR.drafts(made):
        for option in draft.options:
            assert option.text == ""
            (image,) = [
                other
                for other, photo in zip(ids, photos, strict=True)
                if torch.equal(photo, option.pictures[0])
            ]
            assert image != draft.image
            assert made.labels[image] == option.label


def test_the_images_are_those_that_the_network_is_least_sure_of(scene):
    made = scene()
    chosen = {draft.image for draft in AmbiguousPair(images=5, options=3).drafts(made)}
    surest = sorted(made.images.ids(), key=lambda image: image % 7)[:5]
    assert {image % 7 for image in chosen} == {image % 7 for image in surest}


def test_top_5_takes_the_classes_that_the_network_finds_most_likely(scene):
    made = scene()
    logits = made.logits(made.entries["region"])
    places = {image: place for place, image in enumerate(made.images.ids())}
    for draft in AmbiguousPair(images=4, options=3, distractors="top-5").drafts(made):
        others = {option.label for option in draft.options if not option.right}
        order = logits[places[draft.image]].argsort(descending=True).tolist()
        pair = {draft.facts["a"], draft.facts["b"]}
        assert others == {next(label for label in order if label not in pair)}


def test_images_without_a_region_are_left_out_and_counted(scene):
    without = tuple(scene().images.ids()[::2])
    made = scene(without=without)
    drafts = AmbiguousPair(images=len(without), options=3).drafts(made)
    assert not {draft.image for draft in drafts} & set(without)
    (remark,) = made.remarks
    assert remark.startswith("images left out: ")
    assert remark.endswith(" have no region of two classes")


def test_classes_without_images_are_neither_asked_about_nor_offered(scene):
    made = scene()
    images = without_classes(made.images, [made.names[1]])
    less = replace(made, images=images)
    drafts = AmbiguousPair(images=len(images.ids()) // 2 - 2, options=3).drafts(less)
    assert all(option.label != 1 for draft in drafts for option in draft.options)
    assert "a class of which there is no other image" in less.remarks[0]


@pytest.mark.parametrize(
    ("fields", "design", "message"),
    [
        ({"side": 3}, FOUR, r"4 images .* there are 0 \(of the others 20 have a region of fewer"),
        ({}, AmbiguousPair(images=21, options=3), r"there are 20 \(of the others there are none\)"),
        ({}, AmbiguousPair(images=2, options=6), "6 options are asked for, and there are 5 classe"),
    ],
)
def test_too_much_is_refused_with_why(scene, fields, design, message):
    with pytest.raises(UsageError, match=message):
        design.drafts(scene(**fields))


def test_conditions_that_show_different_regions_are_no_control(scene_of):
    def other(condition):
        return display(condition, SquareDoubt(side=4 + (condition == "crop")))

    for displays in (other, None):
        made = scene_of(displays, a=(), crop=()) if displays else scene_of(a=())
        with pytest.raises(MismatchError, match="show regions of one explainer, of one coverage"):
            FOUR.drafts(made)


def test_fewer_than_three_options_are_refused():
    with pytest.raises(ValueError, match="options at least 3, not 4 and 2"):
        AmbiguousPair(images=4, options=2)


def study_of(scene, folder, design=FOUR):
    conditions = [
        Condition(name=name, title=name, shows=["image", f"{name}-1"])
        for name in ("region", "crop")
    ]
    head = Head(design.text(), 0, conditions, {}, {})
    write_study(folder, head, design.drafts(scene))
    return read_study(folder)


def test_nothing_in_a_study_tells_the_pair(scene, tmp_path):
    """Two of five options are right: their places, words and files' sizes say nothing of it."""
    made = scene()
    places = Counter()
    for number in range(3):
        study = study_of(made, tmp_path / str(number), AmbiguousPair(images=16, options=4))
        for item in study.items.values():
            assert item.label == ""
            assert {option.text for option in item.options} == {""}
            assert all(len(option.assets) == 1 for option in item.options)
            keys = [option.key for option in item.options]
            assert keys == sorted(keys)
            right = study.secrets[item.key].right
            assert len(right) == 2
            places.update(keys.index(key) for key in right)
    assert min(places.values()) > 10  # 24 are expected at each of four places
    assert study.description.question.pick == 2
    assert study.description.assignment.answers >= 5


def page_of(study, item, condition):
    """An item's page before it is answered, for a fixed order of options."""
    options = tuple(option.key for option in item.options)
    step = Step("trial", condition, item.key, 0, 4, options, nonce="n")
    values = {"trial": trial(study, step, "asset/"), "kind": item.kind, "step": step}
    return page("trial", study.description, kept=Kept(), degrees=[], root="", **values).body


def test_a_page_tells_neither_the_pair_nor_the_condition(scene, tmp_path):
    study = study_of(scene(), tmp_path / "study")
    other = {
        key: secret.model_copy(
            update={"right": [of.key for of in study.items[key].options][:2], "facts": {}}
        )
        for key, secret in study.secrets.items()
    }
    changed = replace(study, secrets=other)
    assert any(study.secrets[key].right != other[key].right for key in other)
    for item in study.items.values():
        shown = page_of(study, item, "region")
        assert shown == page_of(study, item, "crop") == page_of(changed, item, "region")
        assert shown.count(b"<img") == 1 + 4
        assert b"class " not in shown.replace(b"class=", b"")
