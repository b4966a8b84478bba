"""The dataset as others see it."""

import dataclasses

import numpy as np
import pytest
import torch

from xbench import (
    DatasetError,
    ImageSet,
    ParameterError,
    Transform,
    UnknownNameError,
    annotation_kinds,
)
from xbench.testing import check_component
from xbench_toybirds.dataset import Toybirds
from xbench_toybirds.recent import Recent
from xbench_toybirds.splits import SPAN

CONFOUNDED = Toybirds(
    confounded_class="verda-prima", confounded_context="snow", confound_strength=0.8
)


def test_it_keeps_the_rules_of_datasets():
    check_component(Toybirds(train=40, validation=20, test=20, shifted=20))


def test_it_has_every_kind_of_annotation(birds):
    from xbench import Annotation

    kinds = {
        kind for kind in Annotation.__subclasses__() if kind.__module__ == Annotation.__module__
    }
    assert set(annotation_kinds(type(birds))) == kinds


def test_splits_share_no_id_and_hold_every_class_alike(birds):
    ids = [i for split in birds.splits() for i in birds.ids(split)]
    assert len(ids) == len(set(ids)) == 6000 + 500 + 1000 + 1000
    counts = torch.bincount(birds.labels(birds.ids("train")), minlength=20)
    assert (counts == 300).all()


def test_images_are_rgb_of_96_pixels(birds):
    images = birds.images([0, 1])
    assert images.shape == (2, 3, 96, 96)
    assert images.dtype == torch.uint8
    assert birds.sizes([0, 1]) == [(96, 96)] * 2


def test_class_attributes_are_true_percentages(birds):
    attributes = birds.class_attributes()
    assert [a.part for a in attributes] == sorted(a.part for a in attributes)
    assert {a.part for a in attributes} == set(range(12))
    ids = birds.ids("train")
    labels, values = birds.labels(ids), birds.attribute_values(ids)
    for column, attribute in enumerate(attributes):
        assert torch.allclose(attribute.frequencies.sum(1), torch.tensor(100.0).double())
        indicators = torch.nn.functional.one_hot(values[:, column], len(attribute.values))
        frequencies = torch.stack(
            [indicators[labels == c].double().mean(0) * 100 for c in range(20)]
        )
        assert (frequencies - attribute.frequencies).abs().max() < 20
        assert (frequencies - attribute.frequencies).abs().mean() < 3


def test_a_genus_is_the_parent_of_its_five_species(birds):
    ancestors = birds.class_ancestors()
    assert len(ancestors) == 20
    for name, (genus, root) in zip(birds.class_names(), ancestors, strict=True):
        assert name.startswith(f"{genus}-")
        assert root == "bird"


def test_contexts_are_independent_of_classes_unless_confounded(birds):
    for split in birds.splits():
        ids = birds.ids(split)
        contexts = birds.contexts(ids)
        assert (contexts.sum(dim=1) == 1).all()
        share = contexts.double().mean(dim=0)
        assert ((share - 0.1).abs() < 0.05).all()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_confounding_sets_the_context_as_often_as_its_strength(split):
    dataset = dataclasses.replace(CONFOUNDED, train=20_000, validation=20_000)
    ids = dataset.ids(split)
    snow = dataset.contexts(ids)[:, dataset.context_names().index("snow")]
    is_confounded = dataset.labels(ids) == dataset.class_names().index("verda-prima")
    assert snow[is_confounded].double().mean().item() == pytest.approx(0.8 + 0.2 * 0.1, abs=0.05)
    assert snow[~is_confounded].double().mean().item() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("split", ["test", "shifted"])
def test_test_and_shifted_are_never_confounded(birds, split):
    ids = birds.ids(split)
    assert torch.equal(CONFOUNDED.contexts(ids), birds.contexts(ids))
    assert torch.equal(CONFOUNDED.images(ids[:40]), birds.images(ids[:40]))


def test_confounding_changes_nothing_but_the_context(birds):
    ids = birds.ids("train")[:200]
    assert torch.equal(CONFOUNDED.part_masks(ids), birds.part_masks(ids))
    assert torch.equal(CONFOUNDED.attribute_values(ids), birds.attribute_values(ids))
    same = (CONFOUNDED.contexts(ids) == birds.contexts(ids)).all(dim=1)
    assert not same.all()
    a, b = CONFOUNDED.images(ids), birds.images(ids)
    assert torch.equal(a[same], b[same])


def test_the_shifted_split_is_darker_and_its_birds_smaller(birds):
    test, shifted = (birds.ids(split)[:100] for split in ("test", "shifted"))
    assert birds.images(shifted).double().mean() < 0.85 * birds.images(test).double().mean()
    shares = [(birds.part_masks(ids) >= 0).double().mean() for ids in (test, shifted)]
    assert shares[1] < 0.8 * shares[0]


def test_the_fingerprint_depends_on_every_field(birds):
    others = {
        "seed": 1, "train": 1, "validation": 1, "test": 1, "shifted": 1, "ndiff": 4,
        "colour_concentration": 0.5, "shape_concentration": 0.5, "kinship": 0.4,
        "annotators": 1, "attention": 0.5, "lapses": 0.5,
    }  # fmt: skip
    datasets = [dataclasses.replace(birds, **{k: v}) for k, v in others.items()] + [CONFOUNDED]
    datasets.append(dataclasses.replace(CONFOUNDED, confound_strength=0.7))
    datasets.append(dataclasses.replace(CONFOUNDED, confounded_class="verda-quarta"))
    datasets.append(dataclasses.replace(CONFOUNDED, confounded_context="sand"))
    assert len({dataset.fingerprint() for dataset in [birds, *datasets]}) == len(datasets) + 1
    assert Toybirds().fingerprint() == birds.fingerprint()


def test_points_and_masks_agree_through_a_transform(birds):
    images = ImageSet(birds, "test", Transform(resize=128, crop=112))
    ids = images.ids()[:20]
    points, masks = images.part_points(ids), images.part_masks(ids)
    hits = [
        masks[image, int(points[image, part, 1]), int(points[image, part, 0])] == part
        for image, part in torch.nonzero(points[:, :, 2]).tolist()
    ]
    assert sum(map(bool, hits)) / len(hits) > 0.98


@pytest.mark.parametrize("image", [-1, 6000, SPAN - 1, 4 * SPAN, 1 << 62])
def test_an_image_of_no_split_is_refused(birds, image):
    with pytest.raises(DatasetError) as caught:
        birds.images([0, image])
    assert str(caught.value) == (
        f"dataset 'toybirds' has no image {image}; "
        "`ids(split)` lists those of train, validation, test, shifted."
    )


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("ndiff", 1, "one of 2, 3, 4, 5, 6, 7"),
        ("train", -1, "a number of images up to 1000000"),
        ("kinship", 0.0, "between 0 and 1, both excluded"),
        ("colour_concentration", 1.0, "between 0 and 1, both excluded"),
        ("confound_strength", 1.5, "between 0 and 1"),
        ("lapses", -0.1, "between 0 and 1"),
        ("annotators", 0, "at least 1"),
    ],
)
def test_impossible_parameters_are_refused(field, value, allowed):
    with pytest.raises(ParameterError) as caught:
        Toybirds(**{field: value})
    assert str(caught.value) == f"dataset 'toybirds': {field} is {value}, but must be {allowed}."


def test_confounding_with_unknown_or_missing_names_is_refused(birds):
    with pytest.raises(UnknownNameError, match="unknown class of toybirds 'verda-sexta'; did you"):
        Toybirds(confounded_class="verda-sexta", confounded_context="snow")
    with pytest.raises(UnknownNameError, match="unknown context of toybirds 'lava'"):
        Toybirds(confounded_class="verda-prima", confounded_context="lava")
    with pytest.raises(ParameterError, match="go together; give both or neither"):
        Toybirds(confounded_class="verda-prima")
    with pytest.raises(UnknownNameError, match="unknown split of toybirds 'tset'; did you mean"):
        birds.ids("tset")


def test_keys_of_the_public_images_are_what_they_always_were(birds):
    assert birds.fingerprint() == "a950f862b233b2d6fa19273dfb87f90e"
    assert birds.training_fingerprint() == "b988a18533aa569353fab5b4a0886abb"
    assert "fresh_seed" not in birds.tree()["parameters"]


def test_fresh_images_are_as_many_others_that_a_seed_decides(birds):
    for split in ("test", "shifted"):
        fresh = birds.fresh(1).ids(split)
        assert len(set(fresh)) == len(birds.ids(split))
        assert {i // SPAN for i in fresh} == {i // SPAN for i in birds.ids(split)}
        assert not set(fresh) & set(birds.ids(split))
        assert fresh == birds.fresh(1).ids(split) != birds.fresh(2).ids(split)
        assert (torch.bincount(birds.fresh(1).labels(fresh), minlength=20) == 50).all()


def test_fresh_images_leave_what_is_trained_on_as_it_is(birds):
    fresh = birds.fresh(3)
    assert fresh.training_fingerprint() == birds.training_fingerprint()
    assert fresh.fingerprint() != birds.fingerprint()
    assert fresh.ids("train") == birds.ids("train")
    assert torch.equal(fresh.images([7]), birds.images([7]))


def test_a_fresh_image_is_that_of_its_id(birds):
    fresh = birds.fresh(1)
    some = list(fresh.ids("test")[:3])
    whole = Toybirds(test=SPAN)
    assert torch.equal(fresh.images(some), whole.images(some))
    assert torch.equal(fresh.part_points(some), whole.part_points(some))


def test_public_images_are_no_fresh_ones_and_the_other_way_round(birds):
    fresh = birds.fresh(1)
    with pytest.raises(DatasetError, match="has no image 2000000"):
        fresh.images([2_000_000])
    with pytest.raises(DatasetError, match="has no image"):
        birds.images(fresh.ids("test")[:1])


def test_classes_stay_balanced_where_the_split_is_no_multiple_of_them():
    fresh = Toybirds(test=30).fresh(5)
    counts = torch.bincount(fresh.labels(fresh.ids("test")), minlength=20)
    assert (len(fresh.ids("test")), counts.max().item(), counts.min().item()) == (30, 2, 1)
    assert fresh.ids("test")[0] >= 2 * SPAN + 40


def test_a_fresh_seed_is_at_least_1_and_half_of_a_span_is_the_most(birds):
    with pytest.raises(ParameterError, match="fresh_seed is 0"):
        birds.fresh(0)
    with pytest.raises(ParameterError, match="test is 600000"):
        Toybirds(test=600_000).fresh(1)


def test_what_is_kept_of_images_changes_nothing():
    birds = Toybirds(train=60, test=5000)
    ids = [2000007, 2000003, 2000007, 2004000]
    alone = torch.cat([Toybirds(train=60, test=5000).images([one]) for one in ids])
    points = torch.cat([birds.part_points([one]) for one in ids])
    _ = birds.images(ids)[:] * 0
    birds.images(ids).zero_()
    birds.part_points(ids).zero_()
    assert torch.equal(birds.images(ids), alone)
    assert torch.equal(birds.part_points(ids), points)
    assert birds.images([]).shape == (0, 3, 96, 96)


def test_only_so_many_images_are_kept(monkeypatch):
    monkeypatch.setattr("xbench_toybirds.recent.MOST", 3)
    recent, made = Recent(), []

    def make(ids):
        made.append(list(ids))
        return np.array(ids)[:, None]

    for ids, missing in (([1, 2, 3], [1, 2, 3]), ([3, 1], None), ([4], [4]), ([2, 1, 4], [2])):
        assert recent.of(ids, make).ravel().tolist() == ids
        if missing is not None:
            assert made[-1] == missing
    assert len(made) == 3
