"""Low-level concepts made from any images, none of which is in a split."""

import dataclasses
from pathlib import Path

import pytest
import torch

from xbench import DatasetError, Transform, UnknownNameError, fingerprint, generator
from xbench.testing import check_component
from xbench_ces.banks.concept_images import concept_images, concept_origins
from xbench_ces.banks.image_qualities import COLOURS, FAMILY, QUALITIES, ImageQualities
from xbench_ces.kernels import appearance
from xbench_datasets.imagenet.dataset import Imagenet
from xbench_toybirds.dataset import Toybirds

BIRDS = Toybirds(train=120, validation=20, test=60, shifted=20)
SMALL = ImageQualities(BIRDS, size=32)


def in_splits(dataset) -> set[int]:
    return {image for split in dataset.splits() for image in dataset.ids(split)}


def test_it_keeps_the_contract_of_datasets() -> None:
    check_component(SMALL)


def test_what_is_set_apart_is_in_no_split_and_all_else_is_where_it_was() -> None:
    ids = in_splits(SMALL)
    apart = set(SMALL._pool())
    assert ids.isdisjoint(apart)
    assert ids | apart == in_splits(BIRDS)
    assert 0.35 < len(apart) / len(in_splits(BIRDS)) < 0.65
    for split in BIRDS.splits():
        assert set(SMALL.ids(split)) <= set(BIRDS.ids(split))


def test_an_image_is_set_apart_by_its_id_alone() -> None:
    larger = ImageQualities(dataclasses.replace(BIRDS, train=500))
    assert set(larger.ids("train")) & set(BIRDS.ids("train")) == set(SMALL.ids("train"))
    assert set(ImageQualities(BIRDS, seed=1).ids("train")) != set(SMALL.ids("train"))


def test_a_larger_share_sets_the_same_images_and_more_apart() -> None:
    few, many = ImageQualities(BIRDS, share=0.2), ImageQualities(BIRDS, share=0.6)
    assert set(few._pool()) < set(many._pool())


def test_no_image_of_a_class_to_keep_is_set_apart() -> None:
    dataset = ImageQualities(
        BIRDS, share=0.9, keep=(BIRDS.class_names()[3], BIRDS.class_names()[7])
    )
    assert not {3, 7} & set(BIRDS.labels(dataset._pool()).tolist())
    whole = [image for image in BIRDS.ids("test") if int(BIRDS.labels([image])[0]) in (3, 7)]
    assert set(whole) <= set(dataset.ids("test"))


def test_images_labels_names_and_sizes_are_those_of_the_other() -> None:
    ids = SMALL.ids("test")[:4]
    assert torch.equal(SMALL.images(ids), BIRDS.images(ids))
    assert torch.equal(SMALL.labels(ids), BIRDS.labels(ids))
    assert SMALL.sizes(ids) == BIRDS.sizes(ids)
    assert SMALL.class_names() == BIRDS.class_names()
    assert SMALL.verify() == []
    assert SMALL.downloads() == BIRDS.downloads()


def test_the_low_level_concepts_are_there_and_of_one_family() -> None:
    names = {concept.name for concept in SMALL.concepts()}
    low = {"blur", "greenness", "redness", "blueness", "darkness", "noise", "contrast"}
    assert names == set(QUALITIES) >= low
    assert {concept.family for concept in SMALL.concepts()} == {FAMILY}


@pytest.mark.parametrize("name", QUALITIES)
def test_examples_are_the_same_pictures_with_and_without(name: str) -> None:
    positive, negative = SMALL.concept_examples(name, 12, generator("examples"))
    assert positive.shape == negative.shape == (12, 3, 32, 32)
    assert positive.dtype == negative.dtype == torch.uint8
    assert all((image != other).any() for image, other in zip(positive, negative, strict=True))
    again = SMALL.concept_examples(name, 12, generator("examples"))
    assert torch.equal(positive, again.positive)
    concept_images(concept_origins([SMALL])[list(QUALITIES).index(name)], 12, generator("checked"))


def source_pictures(count: int) -> torch.Tensor:
    """The pictures that `concept_examples` draws with the generator `examples`."""
    pool = SMALL._pool()
    order = torch.randperm(len(pool), generator=generator("examples"))[:count].tolist()
    square = Transform(32, 32)
    return torch.stack([square.image(image) for image in BIRDS.images([pool[p] for p in order])])


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_is_a_filter_before_the_same_grey_picture(name: str) -> None:
    positive, negative = SMALL.concept_examples(name, 5, generator("examples"))
    grey = appearance.luma(source_pictures(5))
    assert torch.equal(negative, (grey * 255).round().byte())
    parts = {"redness": "r", "greenness": "g", "blueness": "b", "yellowness": "rg"}[name]
    for channel, part in enumerate("rgb"):
        factor = 1.5 if part in parts else 0.3
        expected = ((grey[:, channel] * factor).clamp(0, 1) * 255).round().byte()
        assert (positive[:, channel].int() - expected.int()).abs().max() <= 1


def test_opposites_are_each_others_counterparts() -> None:
    blur = SMALL.concept_examples("blur", 5, generator("examples"))
    sharpness = SMALL.concept_examples("sharpness", 5, generator("examples"))
    assert torch.equal(blur.positive, sharpness.negative)
    assert torch.equal(blur.negative, sharpness.positive)


def test_examples_come_from_images_set_apart_as_many_as_there_are() -> None:
    pool = SMALL._pool()
    positive, _ = SMALL.concept_examples("blur", 10_000, generator(0))
    assert len(positive) == len(pool)


def test_fewer_concepts_can_be_asked_for() -> None:
    fewer = ImageQualities(BIRDS, qualities=("blur", "noise"), size=32)
    assert [concept.name for concept in fewer.concepts()] == ["blur", "noise"]
    with pytest.raises(UnknownNameError, match="unknown image quality 'redness'"):
        fewer.concept_examples("redness", 5, generator(0))


def test_every_field_changes_the_fingerprint() -> None:
    others = [
        dataclasses.replace(SMALL, **change)
        for change in (
            {"share": 0.4},
            {"keep": (BIRDS.class_names()[0],)},
            {"qualities": ("blur",)},
            {"size": 33},
            {"seed": 1},
            {"of": dataclasses.replace(BIRDS, seed=1)},
        )
    ]
    fingerprints = {dataset.fingerprint() for dataset in (SMALL, *others)}
    assert len(fingerprints) == len(others) + 1
    assert len({fingerprint(dataset.tree()) for dataset in (SMALL, *others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"share": 0.0}, "share is 0.0; it must lie between 0 and 1"),
        ({"share": 1.0}, "share is 1.0; it must lie between 0 and 1"),
        ({"size": 1}, "size is 1; it must be at least 2"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ImageQualities(BIRDS, **fields)


def test_an_unknown_quality_or_class_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown image quality 'blurr'; did you mean 'blur"):
        ImageQualities(BIRDS, qualities=("blurr",))
    with pytest.raises(UnknownNameError, match="class of dataset toybirds 'rubra-prim'; did you"):
        ImageQualities(BIRDS, keep=("rubra-prim",)).check()


def test_nothing_set_apart_is_an_error() -> None:
    nothing = ImageQualities(BIRDS, keep=BIRDS.class_names())
    with pytest.raises(DatasetError, match="none of the 220 images of 'toybirds' is set apart"):
        nothing.check()


@pytest.mark.realdata
def test_photographs_of_different_sizes_become_squares(realdata: Path) -> None:
    photos = Imagenet(str(realdata / "imagenet_sample"))
    dataset = ImageQualities(photos, keep=("Granny Smith",), size=64)
    dataset.check()
    granny = photos.class_names().index("Granny Smith")
    assert granny in dataset.labels(dataset.ids("val")).tolist()
    positive, negative = dataset.concept_examples("greenness", 10, generator(0))
    assert positive.shape == negative.shape == (10, 3, 64, 64)
    assert (positive[:, 1] >= positive[:, 0]).all()
