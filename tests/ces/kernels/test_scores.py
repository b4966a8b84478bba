"""Score kernels against plain loops over images and concepts, and what the formula implies."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from xbench import generator
from xbench_ces.kernels.scores import (
    SATURATED,
    descending_ranks,
    differences,
    log_probabilities,
    moved_log_probabilities,
    saturated_share,
    scaled_to_one,
)

SHAPE, CLASSES = (3, 2, 2), 4
SEEDS = st.integers(0, 10_000)
VALUES = st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 2))  # so that there are ties
SCORES = st.lists(VALUES, min_size=0, max_size=12)


def normal(*what, shape):
    return torch.randn(*shape, generator=generator(*what), dtype=torch.float64)


def random_top(seed):
    """Linear, ReLU, linear, in double precision."""
    first, second = nn.Linear(12, 7).double(), nn.Linear(7, CLASSES).double()
    for place, layer in enumerate((first, second)):
        layer.requires_grad_(requires_grad=False)
        layer.weight.copy_(normal(seed, place, shape=layer.weight.shape))
        layer.bias.copy_(normal(seed, "bias", place, shape=layer.bias.shape))
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second)


class Case:
    """A random top with images, concepts and labels."""

    def __init__(self, seed, images=3, concepts=5):
        self.top = random_top(seed)
        self.points = normal(seed, "points", shape=(images, *SHAPE))
        self.vectors = normal(seed, "vectors", shape=(concepts, *SHAPE))
        self.labels = torch.randint(CLASSES, (images,), generator=generator(seed, "labels"))

    def scores(self, delta=1.0, rows=2):
        before = log_probabilities(self.top(self.points), self.labels)
        return differences(before, self.after(delta * self.vectors, rows))

    def after(self, displacements, rows=2):
        return moved_log_probabilities(self.top, self.points, displacements, self.labels, rows)


def probability(top, point: Tensor, label: int) -> float:
    """t(b)_y: the softmax over all logits, written out."""
    logits = top(point[None])[0].tolist()
    largest = max(logits)
    return math.exp(logits[label] - largest) / sum(math.exp(z - largest) for z in logits)


def scores_by_loops(case, delta):
    """t(b + δ v)_y − t(b)_y, one image and one concept after the other."""
    scores = torch.zeros(len(case.points), len(case.vectors), dtype=torch.float64)
    for i, (point, label) in enumerate(zip(case.points, case.labels.tolist(), strict=True)):
        for c, vector in enumerate(case.vectors):
            moved = probability(case.top, point + delta * vector, label)
            scores[i, c] = moved - probability(case.top, point, label)
    return scores


@pytest.mark.parametrize("rows", [1, 2, 5, 64])
@given(seed=SEEDS, delta=st.sampled_from([0.01, 1.0, 20.0]))
def test_scores_are_those_of_the_papers_formula(rows, seed, delta):
    case = Case(seed)
    torch.testing.assert_close(case.scores(delta, rows).raw, scores_by_loops(case, delta))


@given(seed=SEEDS, delta=st.sampled_from([0.01, 1.0]))
def test_logarithmic_scores_are_logarithms_of_the_same_probabilities(seed, delta):
    case = Case(seed)
    scores = case.scores(delta)
    for i, (point, label) in enumerate(zip(case.points, case.labels.tolist(), strict=True)):
        for c, vector in enumerate(case.vectors):
            after = probability(case.top, point + delta * vector, label)
            expected = math.log(after / probability(case.top, point, label))
            assert float(scores.logarithmic[i, c]) == pytest.approx(expected, abs=1e-9)


@given(seed=SEEDS)
def test_no_step_changes_nothing(seed):
    scores = Case(seed).scores(0.0)
    assert scores.raw.abs().max() < 1e-12
    assert scores.logarithmic.abs().max() < 1e-12


@given(seed=SEEDS, factor=st.floats(0.1, 10))
def test_a_longer_normal_with_a_shorter_step_is_the_same(seed, factor):
    case = Case(seed)
    expected = case.scores(1.0).raw
    case.vectors = case.vectors * factor
    torch.testing.assert_close(case.scores(1 / factor).raw, expected)


@given(seed=SEEDS, order=st.permutations(range(5)), rows=st.integers(1, 6))
def test_permuted_concepts_have_permuted_scores(seed, order, rows):
    case = Case(seed)
    expected = case.scores(rows=rows).raw[:, order]
    case.vectors = case.vectors[order]
    torch.testing.assert_close(case.scores(rows=rows).raw, expected)


@given(seed=SEEDS)
def test_an_image_does_not_depend_on_its_batch(seed):
    case, alone = Case(seed, images=4), Case(seed, images=4)
    alone.points, alone.labels = alone.points[2:3], alone.labels[2:3]
    torch.testing.assert_close(alone.scores().raw[0], case.scores().raw[2])


@given(seed=SEEDS, delta=st.floats(-1e4, 1e4))
def test_the_score_of_one_image_lies_between_minus_one_and_one(seed, delta):
    scores = Case(seed).scores(delta)
    assert scores.raw.abs().max() <= 1
    assert torch.isfinite(scores.logarithmic).all()


def test_steps_that_saturate_leave_both_scores_finite():
    case = Case(7)
    scores = case.scores(10_000.0)
    assert torch.isfinite(scores.raw).all()
    assert torch.isfinite(scores.logarithmic).all()
    assert scores.logarithmic.min() < -1000, "probabilities far below what doubles can hold"
    assert saturated_share(case.after(10_000.0 * case.vectors)).min() > 0.5


def test_a_rest_that_overwrites_its_input_spoils_nothing():
    case = Case(3)
    points, vectors, expected = case.points.clone(), case.vectors.clone(), case.scores().raw
    top = case.top

    def rest(given_points):
        logits = top(given_points)
        given_points.fill_(math.nan)
        return logits

    after = moved_log_probabilities(rest, points, vectors, case.labels, 2)
    before = log_probabilities(top(case.points), case.labels)
    assert torch.equal(differences(before, after).raw, expected)
    assert torch.equal(points, case.points)
    assert torch.equal(vectors, case.vectors)


def test_no_more_rows_go_through_the_rest_together_than_are_allowed():
    case, counts = Case(1, concepts=7), []

    def rest(points):
        counts.append(len(points))
        return case.top(points)

    moved_log_probabilities(rest, case.points[:1], case.vectors, case.labels[:1], 3)
    assert counts == [3, 3, 1]


def test_no_images_and_no_concepts_have_no_scores():
    case = Case(0)
    assert case.after(case.vectors[:0]).shape == (3, 0)
    case.points, case.labels = case.points[:0], case.labels[:0]
    assert case.after(case.vectors).shape == (0, 5)


@given(SCORES)
def test_scaled_scores_have_a_largest_absolute_value_of_one(values):
    raw = torch.tensor(values, dtype=torch.float64)
    scaled = scaled_to_one(raw)
    largest = max(map(abs, values), default=0.0)
    assert scaled.tolist() == [value / largest if largest else 0.0 for value in values]
    if largest:
        assert scaled.abs().max() == 1


@given(SCORES)
def test_ranks_are_means_over_the_places_of_equals(values):
    ordered = sorted(values, reverse=True)
    places = [[p + 1 for p, other in enumerate(ordered) if other == v] for v in values]
    expected = [sum(of_value) / len(of_value) for of_value in places]
    assert descending_ranks(torch.tensor(values, dtype=torch.float64)).tolist() == expected


@given(st.lists(VALUES, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_ranks_do_not_depend_on_the_order_of_the_list(values, source):
    order = list(range(len(values)))
    source.shuffle(order)
    raw = torch.tensor(values, dtype=torch.float64)
    assert torch.equal(descending_ranks(raw[order]), descending_ranks(raw)[order])


@given(st.lists(st.sampled_from([0.0, 1e-7, 1e-5, 0.5, 1 - 1e-5, 1 - 1e-7, 1.0]), min_size=1))
def test_saturated_concepts_are_those_at_zero_and_one(values):
    after = torch.tensor([values], dtype=torch.float64).log()
    expected = sum(p < SATURATED or p > 1 - SATURATED for p in values) / len(values)
    assert float(saturated_share(after)[0]) == pytest.approx(expected)
