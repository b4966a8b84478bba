"""Folds: balanced, seeded, disjoint, and stored."""

from collections import Counter
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from small_datasets import Judged, Made, Stripes
from xbench.errors import ParameterError
from xbench.interfaces.data.annotation import HumanLabels
from xbench.interfaces.data.dataset import ImageSet, annotated
from xbench.interfaces.data.transform import Transform
from xbench.training.folds import Folds, StoredFolds, balanced_folds


@dataclass(frozen=True)
class Listed(Made):
    """Images with these ids and labels, in this order."""

    name = "listed"
    known: tuple[tuple[int, int], ...] = ()

    def splits(self):
        return ("train",)

    def ids(self, split):
        return [image for image, _ in self.known]

    def labels(self, ids):
        return torch.tensor([dict(self.known)[image] for image in ids], dtype=torch.int64)


def folds_of(known, count, seed=0):
    return Folds(ImageSet(Listed(known=tuple(known)), "train"), count, seed)


IDS = st.lists(st.integers(-(10**9), 10**9), unique=True, min_size=8, max_size=60)


@st.composite
def known(draw):
    """Ids in any order, and a label for each."""
    ids = draw(IDS)
    return [(image, draw(st.integers(0, 4))) for image in ids]


EXPECTED = [1, 0, 0, 1, 0, 0, 2, 2, 1, 2]
"""Of ten images of two classes in turn, in three folds."""
COUNTS, SEEDS = st.integers(2, 8), st.integers(0, 100)


@given(known(), COUNTS, SEEDS)
def test_every_image_is_held_out_exactly_once_and_trained_on_in_all_other_folds(known, count, seed):
    folds = folds_of(known, count, seed)
    ids = folds.images.ids()
    held_out = [folds.held_out(fold).ids() for fold in range(count)]
    assert Counter(image for part in held_out for image in part) == Counter(ids)
    for fold, part in enumerate(held_out):
        assert folds.training(fold).ids() == tuple(i for i in ids if i not in part)
        assert part == tuple(i for i in ids if i in part)


@given(known(), COUNTS, SEEDS)
def test_numbers_of_images_differ_by_at_most_one_in_each_class_and_altogether(known, count, seed):
    assignment = balanced_folds(dict(known), count, seed)
    for label in {label for _, label in known} | {None}:
        images = [image for image, of in known if label in (None, of)]
        sizes = Counter(assignment[image] for image in images)
        counts = [sizes[fold] for fold in range(count)]
        assert max(counts) - min(counts) <= 1
    assert set(assignment.values()) == set(range(count))


@given(known(), COUNTS, SEEDS, st.randoms())
def test_folds_do_not_depend_on_the_order_of_ids(known, count, seed, random):
    shuffled = list(known)
    random.shuffle(shuffled)
    assert balanced_folds(dict(known), count, seed) == balanced_folds(dict(shuffled), count, seed)


def test_folds_are_the_same_everywhere_and_for_ever():
    labels = {image: image % 2 for image in range(10)}
    assert list(balanced_folds(labels, 3, 0).values()) == EXPECTED
    assert list(balanced_folds(labels, 3, 1).values()) != EXPECTED


def test_a_class_with_fewer_images_than_folds_is_held_out_in_some_of_them():
    folds = folds_of([(0, 0), (1, 0), *((image, 1) for image in range(2, 20))], 5)
    sets = [set(folds.held_out(fold).ids()) for fold in range(5)]
    assert sorted(len(ids & {0, 1}) for ids in sets) == [0, 0, 0, 1, 1]
    assert all({0, 1} & set(folds.training(fold).ids()) for fold in range(5))


def test_images_of_one_class_are_parted_evenly():
    folds = folds_of([(image, 3) for image in range(11)], 4)
    assert sorted(len(folds.held_out(fold).ids()) for fold in range(4)) == [2, 3, 3, 3]


def test_what_cannot_be_parted_is_refused():
    with pytest.raises(ParameterError, match="has 3 images, which is too few for 4 folds"):
        folds_of([(1, 0), (2, 0), (3, 1)], 4).assignment()
    with pytest.raises(ParameterError, match="1 is too few; at least 2 are needed"):
        folds_of([], 1)
    for fold in (-1, 3):
        with pytest.raises(ParameterError, match=f"fold {fold} is none of 3"):
            folds_of([(1, 0)], 3).training(fold)


def test_a_fold_keeps_dataset_annotations_and_transform():
    people = Judged(("a", "b"), counts=((1, 2),) * 6, truth=(0, 1) * 3)
    fold = Folds(ImageSet(people, "test", Transform(resize=8)), 3).held_out(1)
    assert fold.transform == Transform(resize=8)
    assert fold.dataset is people
    assert annotated(fold.dataset, HumanLabels).label_counts(fold.ids()).shape == (2, 2)


def test_a_fold_is_known_by_its_parameters():
    images = ImageSet(Stripes(), "train")
    folds = Folds(images, 5)
    parts = [folds.training(0), folds.training(1), folds.held_out(0), Folds(images, 4).training(0)]
    parts += [Folds(images, 5, 1).training(0), images]
    trees = [str(part.tree()) for part in parts]
    assert len(set(trees)) == len(set(parts)) == len(parts)
    assert "part" not in images.tree()
    assert folds.training(0) == Folds(images, 5).training(0)
    assert folds.training(0).batch(folds.training(0).ids()[:2]).images.shape == (2, 3, 12, 12)


def test_folds_of_a_fold_part_it_again():
    outer = Folds(ImageSet(Stripes(), "train"), 5).training(2)
    inner = Folds(outer, 4).held_out(0)
    assert set(inner.ids()) < set(outer.ids())
    assert inner.tree()["part"]["of"] == outer.tree()["part"]


def test_the_assignment_is_stored_and_found_again(provider):
    folds = Folds(ImageSet(Stripes(), "train"), 5, seed=3)
    made = provider.one(StoredFolds(folds))
    stored = provider.store.artefact("folds", StoredFolds(folds).key)
    pairs = zip(stored.tensors["ids"].tolist(), stored.tensors["folds"].tolist(), strict=True)
    assert dict(pairs) == folds.assignment()
    assert made.facts["sizes"] == [5] * 5
    assert StoredFolds(folds).key != StoredFolds(replace(folds, seed=4)).key
