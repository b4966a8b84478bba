"""What designs make of images."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest
import torch

from xbench import MismatchError, ParameterError, Similarity, UsageError
from xbench.testing import CLASSES
from xbench_study.designs.categorisation import Categorisation
from xbench_study.designs.class_confusion import ClassConfusion, tiled
from xbench_study.designs.mistake_rating import MistakeRating
from xbench_study.designs.wrong_label import WrongLabel
from xbench_study.material.left_out import without_classes


@dataclass(frozen=True)
class Near(Similarity):
    """One class is like the next one, and no other is like any."""

    name = "near"
    label: int

    def matrix(self, dataset):
        """1 for each class itself and for this pair."""
        matrix = torch.eye(CLASSES, dtype=torch.float64)
        matrix[self.label, (self.label + 1) % CLASSES] = 1
        return matrix


@pytest.fixture
def ids(scene_of):
    return scene_of(a=()).images.ids()


def test_mistakes_have_the_predicted_label_among_distinct_wrong_ones(scene_of, ids):
    scene = scene_of(maps=ids[:12], image=ids[:12])
    drafts = WrongLabel(images=6, options=4).drafts(scene)
    assert len(drafts) == 6
    for draft in drafts:
        label = scene.labels[draft.image]
        options = [option.label for option in draft.options]
        assert len(set(options)) == 4
        assert label not in options
        (right,) = [option for option in draft.options if option.right]
        assert right.label == (label + 1) % CLASSES == draft.facts["predicted"]
        assert right.text == scene.names[right.label]
        assert draft.label == scene.names[label]
        assert draft.conditions == ()


def test_the_place_of_the_predicted_label_tells_nothing(scene_of, ids):
    drafts = WrongLabel(images=20, options=3).drafts(scene_of(image=ids))
    places = Counter([option.right for option in draft.options].index(True) for draft in drafts)
    assert set(places) == {0, 1, 2}


def test_distractors_are_drawn_once_for_an_image_whatever_is_asked_beside_it(scene_of, ids):
    def options(design, scene):
        return {d.image: [o.label for o in d.options] for d in design.drafts(scene)}

    few = options(WrongLabel(images=3, options=3), scene_of(image=ids[:3]))
    many = options(WrongLabel(images=12, options=3), scene_of(maps=ids[:12], image=ids[:12]))
    assert few == {image: many[image] for image in few}


def test_hard_distractors_are_the_classes_that_the_network_finds_next_likely(scene_of, ids):
    scene = scene_of(image=ids[:4])
    for draft in WrongLabel(images=4, options=3, distractors="hard").drafts(scene):
        label, predicted = scene.labels[draft.image], draft.facts["predicted"]
        likely = [c for c in range(CLASSES) if c not in (label, predicted)]
        others = {option.label for option in draft.options} - {predicted}
        assert others == set(likely[:2])  # logits fall with the number of the class


def test_apart_each_image_is_shown_in_one_condition(scene_of, ids):
    scene = scene_of(maps=ids[:8], image=ids[:8])
    drafts = WrongLabel(images=8, options=3, apart=True).drafts(scene)
    assert Counter(draft.conditions for draft in drafts) == {("maps",): 4, ("image",): 4}


def test_shares_of_the_mistakes_have_no_image_in_common(scene_of, ids):
    taken = [
        {draft.image for draft in WrongLabel(images=5, options=3, share=share).drafts(scene)}
        for scene in [scene_of(image=ids[:11])]
        for share in ((1, 2), (2, 2))
    ]
    assert [len(images) for images in taken] == [5, 5]
    assert not taken[0] & taken[1]
    with pytest.raises(UsageError, match="5 mistakes of the network in share 3 of 3 are asked for"):
        WrongLabel(images=5, options=3, share=(3, 3)).drafts(scene_of(image=ids[:11]))


@pytest.mark.parametrize("share", [(0, 2), (3, 2), (1,)])
def test_a_share_is_one_of_so_many(share):
    with pytest.raises(ValueError, match=r"share is \[1, 2\] for the first of two shares, not"):
        WrongLabel(share=share)


@pytest.mark.parametrize(
    ("design", "error", "message"),
    [
        (WrongLabel(images=5, options=3), UsageError, "5 mistakes of the network are asked for, a"),
        (WrongLabel(images=2), UsageError, "5 options are asked for, and of 5 classes 4 are not"),
    ],
)
def test_too_much_is_refused_with_what_there_is(scene_of, ids, design, error, message):
    with pytest.raises(error, match=message):
        design.drafts(scene_of(image=ids[:3]))


def test_conditions_of_one_study_are_of_one_network(scene_of, ids):
    with pytest.raises(MismatchError, match="of one network, and entries have several"):
        WrongLabel(images=2, options=3).drafts(scene_of(maps=ids[:3], image=ids[:4]))


def test_ratings_are_of_images_that_all_classifiers_miss(scene_of, ids):
    scene = scene_of(plain=ids[:6], kind=ids[2:9])
    drafts = MistakeRating(images=4).drafts(scene)
    assert Counter(draft.image for draft in drafts) == dict.fromkeys(ids[2:6], 2)
    for draft in drafts:
        (option,) = draft.options
        shift = 1 if draft.conditions == ("plain",) else 2
        assert option.label == (scene.labels[draft.image] + shift) % CLASSES
    with pytest.raises(UsageError, match="5 images that all classifiers miss are asked for, and t"):
        MistakeRating(images=5).drafts(scene)


def test_a_threshold_leaves_out_mistakes_that_are_near(scene_of, ids):
    scene = scene_of(plain=ids[:6])
    labels = [scene.labels[image] for image in ids[:6]]
    near = Near(labels[0])  # to the class that it is taken for
    missed = sum(label != labels[0] for label in labels)
    assert 0 < missed < 6
    drafts = MistakeRating(images=missed, similarity=near, below=0.5).drafts(scene)
    assert all(draft.facts["true"] != labels[0] for draft in drafts)
    with pytest.raises(UsageError, match=f"and there are {missed}"):
        MistakeRating(images=6, similarity=near, below=0.5).drafts(scene)
    with pytest.raises(ParameterError, match=r"say which with design.similarity"):
        MistakeRating(images=1, below=0.5).drafts(scene)


def test_every_class_is_rated_against_all_others(scene_of):
    drafts = ClassConfusion(samples=3).drafts(scene_of(image=()))
    assert [draft.facts["true"] for draft in drafts] == list(range(CLASSES))
    for label, draft in enumerate(drafts):
        assert [o.label for o in draft.options] == [k for k in range(CLASSES) if k != label]


def test_classes_that_are_left_out_are_not_rated_and_not_named(scene_of):
    made = scene_of(image=())
    images = without_classes(made.images, [made.names[1]])
    scene = replace(made, images=images)
    for design in (ClassConfusion(samples=3), Categorisation(images=4, checks=1, training=1)):
        drafts = design.drafts(scene)
        assert {draft.facts["true"] for draft in drafts} == {0, 2, 3, 4}
        assert all(option.label != 1 for draft in drafts for option in draft.options)


def test_sheets_are_rows_of_pictures_with_gaps():
    pictures = [torch.full((2, 3, 3), level, dtype=torch.uint8) for level in range(3)]
    sheet = tiled(pictures, columns=2)
    assert sheet.shape == (8, 10, 3)
    assert sheet[:2, :3].eq(0).all()
    assert sheet[:2, 7:].eq(1).all()
    assert sheet[6:, :3].eq(2).all()
    assert sheet[2:6].eq(255).all()
    assert sheet[6:, 7:].eq(255).all()


def test_names_are_learned_from_some_images_and_asked_of_others(scene_of, ids):
    scene = scene_of(image=ids[:2])
    drafts = Categorisation(images=10, checks=3, training=1).drafts(scene)
    kinds = Counter(draft.kind for draft in drafts)
    assert kinds == {"training": CLASSES, "check": 3, "trial": 10}
    assert len({draft.image for draft in drafts}) == len(drafts)
    trials = [draft for draft in drafts if draft.kind == "trial"]
    assert set(Counter(scene.labels[draft.image] for draft in trials).values()) == {2}
    for draft in drafts:
        (right,) = [option.label for option in draft.options if option.right]
        assert right == scene.labels[draft.image]
        assert bool(draft.label) == (draft.kind == "training")


def test_obvious_images_are_those_that_the_network_is_right_and_surest_about(scene_of, ids):
    scene = scene_of(image=ids[:2])
    drafts = Categorisation(images=5, checks=2, training=0).drafts(scene)
    taken = {draft.image for draft in drafts if draft.kind == "trial"}
    checks = [draft.image for draft in drafts if draft.kind == "check"]
    left = [image for image in ids if image not in taken and image not in ids[:2]]
    surest = sorted(left, key=lambda image: -(image % 7))[:2]
    assert {image % 7 for image in checks} == {image % 7 for image in surest}
    with pytest.raises(UsageError, match=r"50 obvious images are asked for, .* right about"):
        Categorisation(images=5, checks=50, training=0).drafts(scene)
