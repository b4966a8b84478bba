"""Concepts and their examples."""

from collections import Counter

import numpy as np
import pytest
import torch

from xbench import UnknownNameError
from xbench_toybirds.concepts.catalogue import FAMILIES, catalogue
from xbench_toybirds.drawing.contexts import CONTEXTS
from xbench_toybirds.palette import COLOURS

NAMES = tuple(catalogue())


def examples(birds, name, count=8, seed=0):
    return birds.concept_examples(name, count, torch.Generator().manual_seed(seed))


def test_there_are_at_least_160_concepts_in_four_families(birds):
    counts = Counter(concept.family for concept in birds.concepts())
    assert set(counts) == set(FAMILIES)
    assert min(counts.values()) >= 30
    assert len(birds.concepts()) == len({concept.name for concept in birds.concepts()}) == 240


def test_near_synonyms_and_correlated_concepts_are_among_them():
    assert {"snow", "bird in snow", "white surroundings", "red crown", "red head"} <= set(NAMES)
    assert set(CONTEXTS) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_examples_with_and_without_a_concept_are_images_that_differ(birds, name):
    pair = examples(birds, name, 2)
    for images in pair:
        assert images.shape == (2, 3, 96, 96)
        assert images.dtype == torch.uint8
    assert not torch.equal(pair.positive[0], pair.negative[0])
    assert not torch.equal(pair.positive[0], pair.positive[1])


@pytest.mark.parametrize("name", ["red wing", "bird in snow", "blotchy", "grainy", "leaf", "eye"])
def test_examples_are_a_function_of_the_generator(birds, name):
    first, again, other = (examples(birds, name, 3, seed) for seed in (4, 4, 5))
    assert torch.equal(first.positive, again.positive)
    assert torch.equal(first.negative, again.negative)
    assert not torch.equal(first.positive, other.positive)


def test_fewer_examples_are_the_first_of_more_positive_ones(birds):
    few, more = examples(birds, "snow", 3), examples(birds, "snow", 6)
    assert torch.equal(more.positive[:3], few.positive)


def test_examples_are_in_no_split(birds):
    splits = {
        image.numpy().tobytes()
        for split in birds.splits()
        for image in birds.images(birds.ids(split)[:400])
    }
    for name in ("bird", "snow", "red crown", "dark"):
        for images in examples(birds, name, 40):
            assert not splits & {image.numpy().tobytes() for image in images}


@pytest.mark.parametrize("name", ["green bird", "red bird", "white bird", "violet head"])
def test_a_colour_concept_shows_its_colour_more_often(birds, name):
    base = next(colour.base for colour in COLOURS if colour.name == name.split()[0])
    colour = torch.tensor(base)[:, None, None]
    pair = examples(birds, name, 40)
    shares = [((images.int() - colour).abs().amax(1) < 45).double().mean() for images in pair]
    assert shares[0] > shares[1] + 0.01


def test_dark_is_darker_and_greyscale_has_no_colour(birds):
    dark = examples(birds, "dark")
    assert dark.positive.double().mean() < 0.6 * dark.negative.double().mean()
    grey = examples(birds, "greyscale").positive.int()
    assert (grey.max(1).values - grey.min(1).values).max() <= 1


def test_settings_hold_no_bird_unless_their_name_says_so(birds):
    # Snow is almost white; whatever is dark belongs to a bird or to what covers it.
    with_bird, without = examples(birds, "bird in snow").positive, examples(birds, "snow").positive
    assert (without.amax(1) < 120).double().mean() == 0
    assert (with_bird.amax(1) < 120).double().mean() > 0.02


@pytest.mark.parametrize("name", ["snow", "bricks", "blurry", "dark", "pinkish", "noisy"])
def test_plain_statistics_tell_examples_apart(birds, name):
    pair = examples(birds, name, 40)
    features = [statistics(images) for images in pair]
    centre = [feature[:20].mean(0) for feature in features]
    spread = np.concatenate(features).std(0) + 1e-9
    correct = [
        np.abs((f[20:] - centre[k]) / spread).sum(1)
        < np.abs((f[20:] - centre[1 - k]) / spread).sum(1)
        for k, f in enumerate(features)
    ]
    assert np.mean(correct) >= 0.7


def statistics(images):
    """Means and roughness of the channels of each image."""
    pixels = images.numpy().astype(float)
    return np.concatenate(
        [
            pixels.mean((2, 3)),
            pixels.std((2, 3)),
            np.abs(np.diff(pixels, axis=3)).mean((2, 3)),
            np.abs(np.diff(pixels, axis=2)).mean((2, 3)),
        ],
        axis=1,
    )


def test_an_unknown_concept_is_named_with_the_nearest(birds):
    with pytest.raises(UnknownNameError, match=r"unknown concept of toybirds 'snwo'; did you mean"):
        examples(birds, "snwo")
