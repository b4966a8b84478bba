"""Classes, genera and the distributions of their attributes."""

import itertools

import numpy as np
import pytest

from xbench_toybirds.hashing import uniforms
from xbench_toybirds.world import (
    ATTRIBUTES,
    CLASSES,
    GENERA,
    NDIFF,
    PARTS,
    SPECIES,
    World,
    genus_of,
)

WORLD = World(0, 5, 0.7, 0.8, 0.5)


def same_part(world, part, a, b):
    """Whether two classes have the same distribution of all attributes of a part."""
    table = world.distributions()
    columns = [column for column, attribute in enumerate(ATTRIBUTES) if attribute.part == part]
    return all((table[a, column] == table[b, column]).all() for column in columns)


def strengths(world):
    """exp(−symmetric divergence), averaged over attributes, for (part, a < b), by loops."""
    table = world.distributions()
    averages = np.zeros((len(PARTS), len(CLASSES), len(CLASSES)))
    for part, a, b in itertools.product(range(len(PARTS)), range(20), range(20)):
        each = []
        for column, attribute in enumerate(ATTRIBUTES):
            if attribute.part == part:
                p, q = (table[c, column, : len(attribute.values)] for c in (a, b))
                each.append(
                    np.exp(-sum((x - y) * np.log(x / y) for x, y in zip(p, q, strict=True)))
                )
        averages[part, a, b] = np.mean(each)
    a, b = np.triu_indices(len(CLASSES), 1)
    return averages[:, a, b]


def test_there_are_twenty_classes_in_four_genera():
    assert len(CLASSES) == len(GENERA) * len(SPECIES) == 20
    assert [genus_of(label) for label in (0, 4, 5, 19)] == [0, 0, 1, 3]
    assert CLASSES[7] == "cerula-tertia"


def test_every_part_has_a_colour_and_at_most_one_more_attribute():
    for part in range(len(PARTS)):
        names = [a.name for a in ATTRIBUTES if a.part == part]
        assert names[0] == "colour"
        assert names[1:] in ([], ["pattern"], ["shape"])
    assert [a.part for a in ATTRIBUTES] == sorted(a.part for a in ATTRIBUTES)


@pytest.mark.parametrize("ndiff", NDIFF)
@pytest.mark.parametrize("seed", [0, 1, 7])
def test_any_two_species_of_a_genus_differ_in_exactly_ndiff_parts(seed, ndiff):
    world = World(seed, ndiff, 0.7, 0.8, 0.5)
    for genus in range(len(GENERA)):
        for a, b in itertools.combinations(range(genus * 5, genus * 5 + 5), 2):
            parts = [part for part in range(len(PARTS)) if not same_part(world, part, a, b)]
            assert len(parts) == ndiff


@pytest.mark.parametrize("seed", [0, 1])
def test_parts_are_shared_wholly_or_differ_in_every_attribute_within_a_genus(seed):
    world = World(seed, 5, 0.7, 0.8, 0.5)
    modes = world.modes()
    for a, b in itertools.combinations(range(len(CLASSES)), 2):
        if genus_of(a) == genus_of(b):
            for column, attribute in enumerate(ATTRIBUTES):
                same = same_part(world, attribute.part, a, b)
                assert same == (modes[a, column] == modes[b, column])


def test_distributions_sum_to_one_and_have_their_mode_where_it_is_said():
    table = WORLD.distributions()
    assert np.allclose(table.sum(2), 1, atol=1e-12)
    assert (table.argmax(2) == WORLD.modes()).all()
    for column, attribute in enumerate(ATTRIBUTES):
        assert (table[:, column, : len(attribute.values)] > 0).all()
        assert (table[:, column, len(attribute.values) :] == 0).all()


def test_the_strongest_fifth_of_all_triplets_is_exactly_the_shared_parts():
    averages = strengths(WORLD)
    shared = averages == 1
    assert shared.sum() == 480
    assert shared.sum() >= round(0.2 * averages.size)
    assert averages[~shared].max() < 0.55
    a, b = np.triu_indices(len(CLASSES), 1)
    within = a // 5 == b // 5
    assert averages[:, within][~shared[:, within]].max() < 0.15


@pytest.mark.parametrize("label", [0, 6, 13, 19])
def test_draws_have_the_frequencies_of_the_distributions(label):
    count = 40_000
    values = WORLD.draw(np.full(count, label), uniforms(5, range(count), "draws", len(ATTRIBUTES)))
    for column, attribute in enumerate(ATTRIBUTES):
        frequencies = np.bincount(values[:, column], minlength=len(attribute.values)) / count
        expected = WORLD.distributions()[label, column, : len(attribute.values)]
        # Five standard errors: a fair draw fails once in a thousand runs of all of these.
        assert (
            np.abs(frequencies - expected) < 5 * np.sqrt(expected * (1 - expected) / count)
        ).all()


def test_extreme_uniforms_draw_values_that_exist():
    for value in (0.0, 1 - 2**-53):
        values = WORLD.draw(np.arange(20), np.full((20, len(ATTRIBUTES)), value))
        assert (values < np.array([len(a.values) for a in ATTRIBUTES])).all()


def test_another_seed_is_another_world():
    assert (World(1, 5, 0.7, 0.8, 0.5).modes() != WORLD.modes()).any()
