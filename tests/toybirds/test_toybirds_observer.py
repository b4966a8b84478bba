"""The ideal observer is exact."""

import itertools

import numpy as np
import pytest
import torch

from xbench_toybirds.hashing import integers, uniforms
from xbench_toybirds.observing import observer
from xbench_toybirds.world import ATTRIBUTES, CLASSES, PARTS, World

WORLD = World(0, 5, 0.7, 0.8, 0.5)
TEST = range(2_000_000, 2_000_100)
COLUMNS = {part: [c for c, a in enumerate(ATTRIBUTES) if a.part == part] for part in range(12)}


def visibility(*names):
    """Visibility of one image in which exactly these parts are visible."""
    return np.array([[name in names for name in PARTS]])


def posterior(values, visible):
    table = WORLD.distributions()
    return observer.class_posterior(observer.part_likelihoods(table, values, visible))


@pytest.mark.parametrize("names", [("beak",), ("eye", "crown"), ("throat", "nape", "leg")])
def test_posterior_equals_enumeration_of_the_joint(names):
    columns = [c for name in names for c in COLUMNS[PARTS.index(name)]]
    ranges = [range(len(ATTRIBUTES[c].values)) for c in columns]
    total = np.zeros(len(CLASSES))
    for combination in itertools.product(*ranges):
        joint = np.array(
            [
                np.prod(
                    [
                        WORLD.distributions()[k, c, v]
                        for c, v in zip(columns, combination, strict=True)
                    ]
                )
                / len(CLASSES)
                for k in range(len(CLASSES))
            ]
        )
        values = np.zeros((1, len(ATTRIBUTES)), dtype=np.int64)
        values[0, columns] = combination
        assert np.allclose(
            posterior(values, visibility(*names))[0], joint / joint.sum(), atol=1e-12
        )
        total += joint
    assert np.allclose(total, 1 / len(CLASSES), atol=1e-12)


def test_posterior_equals_the_frequencies_of_a_large_sample():
    count, column = 400_000, COLUMNS[PARTS.index("belly")]
    labels = integers(9, range(count), "sample", [len(CLASSES)])[:, 0]
    values = WORLD.draw(labels, uniforms(9, range(count), "values", len(ATTRIBUTES)))
    code = values[:, column[0]] * 6 + values[:, column[1]]
    table = np.zeros((72, len(CLASSES)))
    np.add.at(table, (code, labels), 1)
    for combination in np.flatnonzero(table.sum(1) > 2000):
        cell = np.zeros((1, len(ATTRIBUTES)), dtype=np.int64)
        cell[0, column] = divmod(int(combination), 6)
        expected = posterior(cell, visibility("belly"))[0]
        size = table[combination].sum()
        error = 5 * np.sqrt(expected * (1 - expected) / size) + 1e-3
        assert (np.abs(table[combination] / size - expected) < error).all()


def test_a_hidden_part_says_nothing():
    values = np.zeros((1, len(ATTRIBUTES)), dtype=np.int64)
    likelihoods = observer.part_likelihoods(WORLD.distributions(), values, visibility("eye"))
    assert (np.delete(likelihoods, PARTS.index("eye"), axis=1) == 1).all()
    assert (posterior(values, visibility()) == 1 / len(CLASSES)).all()


def test_a_part_that_two_classes_share_is_equally_likely_under_both(birds):
    likelihoods = birds.part_likelihoods(TEST).numpy()
    forms = WORLD.forms()
    for part, (a, b) in itertools.product(range(12), itertools.combinations(range(5), 2)):
        if forms[a, part] == forms[b, part]:
            assert (likelihoods[:, part, a] == likelihoods[:, part, b]).all()


def test_likelihoods_of_images_follow_the_definition(birds):
    likelihoods = birds.part_likelihoods(TEST).numpy()
    values = birds.attribute_values(TEST).numpy()
    visible = birds.part_points(TEST)[:, :, 2].numpy()
    attributes = birds.class_attributes()
    for image, part, label in itertools.product(range(0, 100, 9), range(12), range(20)):
        expected = 1.0
        for column in COLUMNS[part] if visible[image, part] else []:
            expected *= attributes[column].frequencies[label, values[image, column]].item() / 100
        assert likelihoods[image, part, label] == pytest.approx(expected, rel=1e-12)


def test_posterior_of_images_sums_to_one_and_knows_most_classes(birds):
    ids = birds.ids("test")
    posteriors = birds.class_posterior(ids)
    assert torch.allclose(posteriors.sum(1), torch.ones(len(ids), dtype=torch.float64), atol=1e-12)
    correct = posteriors.argmax(1) == birds.labels(ids)
    assert 0.95 < correct.double().mean() < 1
    # Calibration: it is right as often as it says.
    assert posteriors.max(1).values.mean().item() == pytest.approx(
        correct.double().mean().item(), abs=0.012
    )
    assert (
        posteriors.argmax(1)[~correct] // 5 == birds.labels(ids)[~correct] // 5
    ).double().mean() > 0.9
