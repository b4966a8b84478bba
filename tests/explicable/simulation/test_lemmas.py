"""Lemmas 1 and 2 of the paper, on the loss itself, with the conditions that it leaves out."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st

from xbench import Batch, Similarity, generator
from xbench.testing import CLASSES, tiny_images
from xbench_explicable.losses.weighted import WeightedLoss

CORRECT, A, B = 0, 1, 2
"""The correct class; a class that should be the more explicable one; and one that should not."""

positive = st.floats(0.01, 1.0)
weights = st.lists(positive, min_size=CLASSES, max_size=CLASSES)
masses = st.lists(positive, min_size=CLASSES, max_size=CLASSES)
presets = st.sampled_from(["normalised", "softmax"])


@dataclass(frozen=True)
class Row(Similarity):
    """The same row for every class."""

    name: ClassVar[str] = "row"

    weights: tuple[float, ...]

    def matrix(self, dataset):
        return torch.tensor(self.weights, dtype=torch.float64).repeat(CLASSES, 1)


def weighted(row, preset="normalised"):
    return WeightedLoss(Row(tuple(row)), preset)


def loss_at(loss, probabilities):
    """The loss of one prediction of an image of the correct class."""
    logits = torch.tensor([probabilities], dtype=torch.float64).log()
    images = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    batch = Batch(images, (0,), torch.tensor([CORRECT]), tiny_images())
    targets = loss.targets(batch, classes=CLASSES, epoch=0, generator=generator(0))
    return float(loss.score(logits, targets))


def target_of(loss):
    return loss.rows(tiny_images().dataset)[CORRECT].tolist()


def shares(values):
    return [value / sum(values) for value in values]


def larger_first(values):
    """The values, the larger one of those of a and b at a."""
    made = list(values)
    made[B], made[A] = sorted((made[A], made[B]))
    return made


def moved(probabilities, to, amount):
    """The amount, which the others lack, given to one class."""
    return [p + amount * (place == to) for place, p in enumerate(probabilities)]


@given(row=weights, mass=masses, preset=presets)
def test_lemma_1_swapping_towards_the_inexplicable_class_costs_more(row, mass, preset):
    row, mass = larger_first(row), larger_first(mass)
    assume(row[A] > row[B] + 1e-6)
    assume(mass[A] > mass[B] + 1e-6)  # left out by the paper: a swap of equals changes nothing
    loss, explicable = weighted(row, preset), shares(mass)
    inexplicable = list(explicable)
    inexplicable[A], inexplicable[B] = explicable[B], explicable[A]
    assert loss_at(loss, explicable) < loss_at(loss, inexplicable)


@given(row=weights, mass=masses, preset=presets)
def test_lemma_1_says_by_how_much(row, mass, preset):
    loss, before = weighted(row, preset), shares(mass)
    after = list(before)
    after[A], after[B] = before[B], before[A]
    w, high, low = target_of(loss), before[A], before[B]
    expected = (math.log(low) - math.log(high)) * (w[A] - w[B])
    assert loss_at(loss, before) - loss_at(loss, after) == pytest.approx(expected, abs=1e-9)


def test_lemma_1_needs_weights_and_probabilities_that_differ():
    swapped = shares([4.0, 1.0, 3.0, 1.0, 1.0])
    back = shares([4.0, 3.0, 1.0, 1.0, 1.0])
    alike = weighted([1.0, 0.3, 0.3, 0.1, 0.1])
    assert loss_at(alike, swapped) == pytest.approx(loss_at(alike, back))
    unlike = weighted([1.0, 0.5, 0.1, 0.1, 0.1])
    assert loss_at(unlike, swapped) > loss_at(unlike, back)


def true_tau(p_a, p_b, step):
    """What the lemma's own inequality gives."""
    return math.log((p_b + step) / p_b) / math.log((p_a + step) / p_a)


def printed_tau(p_a, p_b, step):
    return math.log((p_a + step) / p_a) / math.log((p_b + step) / p_b)


def penalised(loss, kept, step):
    """How much higher the loss is where the step's probability is given to b and not to a."""
    return loss_at(loss, moved(kept, B, step)) - loss_at(loss, moved(kept, A, step))


@given(row=weights, mass=masses, step=positive, preset=presets)
def test_lemma_2_more_confidence_in_b_costs_more_exactly_above_tau(row, mass, step, preset):
    whole = sum(mass) + step
    kept, step = [one / whole for one in mass], step / whole
    loss = weighted(row, preset)
    w = target_of(loss)
    surplus = w[A] - true_tau(kept[A], kept[B], step) * w[B]
    assume(abs(surplus) > 1e-9)
    assert (penalised(loss, kept, step) > 0) == (surplus > 0)


@given(row=weights, mass=masses, step=positive)
def test_lemma_2_says_by_how_much(row, mass, step):
    whole = sum(mass) + step
    kept, step = [one / whole for one in mass], step / whole
    loss = weighted(row)
    w = target_of(loss)
    expected = -w[B] * math.log((kept[B] + step) / kept[B])
    expected += w[A] * math.log((kept[A] + step) / kept[A])
    assert penalised(loss, kept, step) == pytest.approx(expected, abs=1e-9)


@given(row=weights, mass=masses, step=positive)
def test_lemma_2_where_b_is_ahead_of_a_equal_weights_are_enough(row, mass, step):
    """The proof's p_a < p_b makes the true τ smaller than 1, the printed one larger."""
    row, mass = larger_first(row), larger_first(mass)
    mass[A], mass[B] = mass[B], mass[A]
    assume(mass[B] > mass[A] * (1 + 1e-6))
    whole = sum(mass) + step
    kept, step = [one / whole for one in mass], step / whole
    assert true_tau(kept[A], kept[B], step) < 1 < printed_tau(kept[A], kept[B], step)
    assert penalised(weighted(row), kept, step) > 0


@given(row=weights, mass=masses, step=positive, share=st.floats(0.05, 0.95))
@example(row=[1.0] * CLASSES, mass=[1.0] * CLASSES, step=0.5, share=0.5)
def test_lemma_2_holds_where_the_probability_is_shared_among_several_classes(
    row, mass, step, share
):
    """It is enough that one of them is τ times as explicable, for its own part of the step."""
    others = (A, 3)
    whole = sum(mass) + step
    kept, step = [one / whole for one in mass], step / whole
    parts = (share * step, (1 - share) * step)
    loss = weighted(row)
    w = target_of(loss)
    apart = list(kept)
    for place, part in zip(others, parts, strict=True):
        apart = moved(apart, place, part)
    cost = w[B] * math.log((kept[B] + step) / kept[B])
    gains = [
        w[place] * math.log((kept[place] + part) / kept[place])
        for place, part in zip(others, parts, strict=True)
    ]
    rise = loss_at(loss, moved(kept, B, step)) - loss_at(loss, apart)
    assert rise == pytest.approx(sum(gains) - cost, abs=1e-9)
    if max(gains) > cost + 1e-9:
        assert rise > 0


def test_lemma_2_is_printed_with_tau_upside_down():
    kept, step = [0.3, 0.4, 0.1, 0.05, 0.05], 0.1
    p_a, p_b = kept[A], kept[B]
    assert printed_tau(p_a, p_b, step) == pytest.approx(0.32, abs=0.005)
    assert true_tau(p_a, p_b, step) == pytest.approx(3.11, abs=0.005)
    twice = weighted([1.0, 0.4, 0.2, 0.1, 0.1])
    assert penalised(twice, kept, step) < 0  # above the printed τ, and not penalised
    four_times = weighted([1.0, 0.8, 0.2, 0.1, 0.1])
    assert penalised(four_times, kept, step) > 0
    kept[A], kept[B] = p_b, p_a
    assert printed_tau(p_b, p_a, step) == pytest.approx(3.11, abs=0.005)
    assert penalised(twice, kept, step) > 0  # below the printed τ, and penalised
    half = weighted([1.0, 0.1, 0.2, 0.1, 0.1])
    assert penalised(half, kept, step) > 0  # even though b is the more explicable one


def test_lemma_2_needs_a_step():
    kept = [0.4, 0.2, 0.2, 0.1, 0.1]
    assert penalised(weighted([1.0, 0.4, 0.1, 0.1, 0.1]), kept, 0.0) == 0
