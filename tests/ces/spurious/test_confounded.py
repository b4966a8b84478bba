"""Confounded data sets: one class keeps to one context."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from small_datasets import Made
from xbench import Contexts, DatasetError, UnknownNameError
from xbench.testing import check_component
from xbench_ces.spurious.confounded import Confounded
from xbench_datasets.folders.folder import Folder
from xbench_toybirds.dataset import Toybirds

KINDS, PLACES = ("ant", "bee", "cow", "dog"), ("ice", "mud", "oak", "sea")


@dataclass(frozen=True)
class Animals(Made, Contexts):
    """Images of no content: class and contexts follow from the id; some show two, some none.

    Image i shows context i // 4 % 5 (none for 4), and every seventh shows "sea" besides; ants
    are never at the sea, and test images begin at 10 000.
    """

    name: ClassVar[str] = "animals"
    classes: ClassVar[tuple[str, ...]] = KINDS
    starts: ClassVar[Mapping[str, int]] = {"train": 0, "test": 10_000}

    count: int = 800

    def images(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor(ids)[:, None, None, None].expand(-1, 3, 4, 4).to(torch.uint8)

    def context_names(self) -> tuple[str, ...]:
        return PLACES

    def contexts(self, ids: Sequence[int]) -> Tensor:
        contexts = torch.zeros(len(ids), len(PLACES), dtype=torch.bool)
        for row, image in enumerate(ids):
            for place in self._places(image):
                contexts[row, place] = True
        return contexts

    def _places(self, image: int) -> set[int]:
        places = {image // 4 % 5} | ({3} if image % 7 == 0 else set())
        return places - {4} - ({3} if image % 4 == 0 else set())


def confounded(**fields) -> Confounded:
    values = {
        "classes": ("dog", "ant", "bee"),
        "confounded_class": "bee",
        "context": "ice",
        "training_images": 20,
        "validation_images": 8,
        "test_images": 12,
    }
    return Confounded(Animals(), **{**values, **fields})


CONTROL = {"confounded_class": "", "context": ""}


def of_class(data: Confounded, split: str, name: str) -> list[int]:
    ids = data.ids(split)
    labels = data.labels(ids).tolist()
    return [i for i, label in zip(ids, labels, strict=True) if data.class_names()[label] == name]


def with_context(data: Confounded, ids: Sequence[int], name: str = "ice") -> int:
    return int(data.contexts(ids)[:, data.context_names().index(name)].sum())


@pytest.mark.parametrize("fields", [{}, CONTROL, {"strength": 0.6}], ids=str)
def test_every_class_has_as_many_images_as_asked(fields) -> None:
    data = confounded(**fields)
    for split, count in (("train", 20), ("validation", 8)):
        assert Counter(data.labels(data.ids(split)).tolist()) == dict.fromkeys(range(3), count)


def test_the_splits_share_no_image() -> None:
    for data in (confounded(), confounded(strength=0.5), confounded(**CONTROL)):
        ids = [image for split in data.splits() for image in data.ids(split)]
        assert len(set(ids)) == len(ids)


def test_test_images_are_never_trained_on() -> None:
    for data in (confounded(), confounded(**CONTROL)):
        assert set(data.ids("train")) | set(data.ids("validation")) <= set(Animals().ids("train"))
    assert set(confounded().ids("in")) | set(confounded().ids("out")) <= set(Animals().ids("test"))


def test_a_full_confound_leaves_no_training_image_without_the_context() -> None:
    data = confounded()
    for split in ("train", "validation"):
        images = of_class(data, split, "bee")
        assert with_context(data, images) == len(images)


def test_only_the_confounded_class_is_tested_with_the_context_and_without() -> None:
    data = confounded()
    assert of_class(data, "in", "bee") == list(data.ids("in"))
    assert of_class(data, "out", "bee") == list(data.ids("out"))
    assert with_context(data, data.ids("in")) == len(data.ids("in")) == 12
    assert with_context(data, data.ids("out")) == 0
    assert len(data.ids("out")) == 12


@given(strength=st.floats(0, 1), training=st.integers(1, 25), validation=st.integers(1, 10))
def test_the_share_with_the_context_is_the_strength(strength, training, validation) -> None:
    sizes = {"training_images": training, "validation_images": validation}
    data = confounded(strength=strength, **sizes)
    count = with_context(data, of_class(data, "train", "bee"))
    assert abs(count - strength * training) <= 0.5 + 1e-9
    both = [*of_class(data, "train", "bee"), *of_class(data, "validation", "bee")]
    assert abs(with_context(data, both) - strength * len(both)) <= 0.5 + 1e-9


@given(seed=st.integers(0, 50), fewer=st.integers(1, 19))
def test_fewer_images_are_the_first_of_more(seed: int, fewer: int) -> None:
    for fields in ({}, {"strength": 0.7}, CONTROL):
        many, few = (
            confounded(seed=seed, training_images=n, test_images=n, **fields) for n in (20, fewer)
        )
        for name in many.class_names():
            assert of_class(many, "train", name)[:fewer] == of_class(few, "train", name)
        if not fields:
            for split in ("in", "out"):
                assert list(many.ids(split))[:fewer] == list(few.ids(split))


def test_other_classes_do_not_depend_on_what_is_confounded() -> None:
    first, other, control = (
        confounded(),
        confounded(confounded_class="dog", context="mud"),
        confounded(**CONTROL),
    )
    assert of_class(first, "train", "ant") == of_class(other, "train", "ant")
    for name in ("ant", "dog"):
        assert of_class(first, "train", name) == of_class(control, "train", name)


def test_what_is_tested_does_not_depend_on_the_strength() -> None:
    assert confounded().ids("out") == confounded(strength=0.6).ids("out")
    assert confounded().ids("in") == confounded(strength=0.6).ids("in")


def test_equal_seeds_give_equal_images_and_others_others() -> None:
    assert confounded(seed=3).ids("train") == confounded(seed=3).ids("train")
    assert confounded(seed=3).ids("train") != confounded(seed=4).ids("train")
    assert confounded(seed=3).ids("out") != confounded(seed=4).ids("out")


def slow_balance(data: Confounded, name: str, images: Sequence[int]) -> bool:
    """Contexts take turns: each turn gives an image of a context, while that has images left.

    Which image shows for which turn is not known, so contexts may only differ by what images
    of several contexts bring along: with single contexts, by one.
    """
    counts = Counter()
    for image in images:
        counts[tuple(data.contexts([image])[0].tolist())] += 1
    alone = [n for shown, n in counts.items() if sum(shown) <= 1]
    return max(alone) - min(alone) <= 1 + sum(n for s, n in counts.items() if sum(s) > 1)


def test_classes_without_a_confound_are_balanced_over_contexts() -> None:
    data = confounded(**CONTROL, training_images=50)
    for name in data.class_names():
        assert slow_balance(data, name, of_class(data, "train", name))
    ants = of_class(data, "train", "ant")  # each shows one context, or none
    contexts = data.contexts(ants)
    counts = [*contexts.sum(0).tolist(), int((~contexts.any(1)).sum())]
    assert sorted(counts) == [0, 12, 12, 13, 13]  # never at the sea


def test_birds_are_balanced_where_images_have_one_context_each() -> None:
    birds = Toybirds(train=4000, test=400)
    names = birds.class_names()[:2]
    data = Confounded(birds, classes=names, training_images=60, validation_images=20, **CONTROL)
    counts = data.contexts(of_class(data, "train", names[0])).sum(0)
    assert counts.tolist() == [6] * 10


def test_a_context_that_runs_out_leaves_its_turns_to_the_others() -> None:
    data = confounded(**CONTROL, classes=("ant",), training_images=150, validation_images=50)
    assert len(data.ids("train")) == 150  # all 200 ants are used
    assert set(data.ids("train")) | set(data.ids("validation")) == set(range(0, 800, 4))


def test_images_without_the_context_are_balanced_too() -> None:
    data = confounded(strength=0.0, training_images=40)
    images = of_class(data, "train", "bee")
    assert with_context(data, images) == 0
    assert slow_balance(data, "bee", images)


def test_labels_and_names_are_those_of_the_chosen_classes() -> None:
    data, all_of_them = confounded(), confounded(classes=(), **CONTROL)
    assert data.class_names() == ("dog", "ant", "bee")
    assert data.labels([3, 0, 1, 7]).tolist() == [0, 1, 2, 0]
    assert all_of_them.class_names() == KINDS
    assert all_of_them.labels([3, 0, 1, 2]).tolist() == [3, 0, 1, 2]
    with pytest.raises(DatasetError, match="image 2 is of none of its classes"):
        data.labels([3, 2])


def test_images_and_contexts_are_those_of_the_data_set() -> None:
    data = confounded()
    ids = data.ids("train")[:5]
    assert torch.equal(data.images(ids), Animals().images(ids))
    assert torch.equal(data.contexts(ids), Animals().contexts(ids))
    assert data.context_names() == PLACES
    assert list(data.sizes(ids)) == [(4, 4)] * 5
    assert data.verify() == []
    assert data.downloads() == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"classes": ("dog", "bee", "ant")},
        {"context": "mud"},
        {"confounded_class": "dog"},
        {"strength": 0.9},
        {"training_images": 19},
        {"validation_images": 7},
        {"test_images": 11},
        {"seed": 1},
        {"of": Animals(801)},
    ],
    ids=str,
)
def test_the_fingerprint_covers_every_field(fields) -> None:
    assert replace(confounded(), **fields).fingerprint() != confounded().fingerprint()
    assert confounded().fingerprint() == confounded().fingerprint()


def test_the_control_has_no_test_images() -> None:
    control = confounded(**CONTROL)
    assert control.splits() == ("train", "validation")
    with pytest.raises(UnknownNameError, match="unknown split of confounded 'out'"):
        control.ids("out")


def test_an_unknown_class_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown class of dataset 'animals' 'dogg'; did"):
        confounded(classes=("dogg", "bee")).check()
    with pytest.raises(UnknownNameError, match=r"unknown confounded class 'cow'\. Known: ant, bee"):
        confounded(confounded_class="cow").check()


def test_a_context_that_a_class_does_not_have_is_refused() -> None:
    message = (
        r"unknown context of class 'ant' in split 'train' of dataset 'animals' 'sea'"
        r".* Known: ice, mud, oak\."
    )
    with pytest.raises(UnknownNameError, match=message):
        confounded(confounded_class="ant", context="sea").check()
    with pytest.raises(UnknownNameError, match="'icy'; did you mean 'ice'"):
        confounded(context="icy").check()


def test_too_few_images_are_counted() -> None:
    message = (
        "dataset 'confounded': class 'bee' of 'animals' has 40 images with context 'ice' in split "
        r"'train', but 58 are needed \(50 for training and 8 for validation at strength 1\)"
    )
    with pytest.raises(DatasetError, match=message):
        confounded(training_images=50).check()
    with pytest.raises(DatasetError, match=r"160 images without context 'ice'.*but 200 are needed"):
        confounded(strength=0.0, training_images=192).check()
    with pytest.raises(DatasetError, match="class 'dog' of 'animals' has 200 images in split"):
        confounded(
            confounded_class="bee", strength=0.0, training_images=193, validation_images=8
        ).check()


def test_test_images_may_be_fewer_but_not_none() -> None:
    assert len(confounded(test_images=1000).ids("in")) == 40
    assert len(confounded(test_images=1000).ids("out")) == 160
    few = Confounded(
        Toybirds(train=4000, test=20),
        confounded_class=Toybirds().class_names()[0],
        context="snow",
        training_images=2,
        validation_images=1,
    )
    with pytest.raises(
        DatasetError, match=r"has no image with(out)? context 'snow' in split 'test'"
    ):
        few.check()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"strength": 1.2}, "strength is 1.2; it must be from 0 to 1"),
        ({"strength": math.nan}, "strength is nan"),
        ({"context": ""}, "confounded_class and context go together"),
        ({"training_images": 0}, "training_images is 0; it must be at least 1"),
        ({"validation_images": 0}, "validation_images is 0"),
        ({"test_images": -1}, "test_images is -1"),
    ],
)
def test_impossible_values_are_refused(fields, message) -> None:
    with pytest.raises(ValueError, match=message):
        confounded(**fields)


def test_a_data_set_without_contexts_is_refused() -> None:
    with pytest.raises(DatasetError, match="'folder' does not know the contexts of its images"):
        Confounded(Folder()).check()


def test_it_keeps_the_contract_of_data_sets() -> None:
    for data in (confounded(), confounded(**CONTROL), confounded(strength=0.5)):
        check_component(data)


def test_contexts_of_all_training_images_are_looked_up_once(monkeypatch) -> None:
    counts = []
    original = Animals.contexts

    def counted(self, ids):
        counts.append(len(ids))
        return original(self, ids)

    monkeypatch.setattr(Animals, "contexts", counted)
    for seed in range(3):
        Confounded(Animals(600), seed=seed, confounded_class="dog", context="ice").ids("out")
    assert counts == [600]
