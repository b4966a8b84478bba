"""The losses of hardness predictors follow their formulas, and gradients stay where they belong."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional

from xbench import Batch, Targets
from xbench.testing import check_component
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_deliberative.difficulties.hardness_loss import PredictorLoss
from xbench_deliberative.kernels.hardness import (
    balancing_weights,
    bce_losses,
    linear_losses,
    sigmoid_scores,
    target_probabilities,
)
from xbench_zoo.losses import CrossEntropy

N, CLASSES = 6, 4
LOGITS = arrays("float64", (N, CLASSES), elements=st.floats(-8, 8))
SCORES = arrays("float64", N, elements=st.floats(-15, 15))
SHARES = arrays("float64", N, elements=st.floats(0, 1))
FLAGS = arrays("bool", N)
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def one_hot():
    return functional.one_hot(LABELS, CLASSES).double()


def sigma(z):
    return 1 / (1 + math.exp(-z))


def slow_bce(p, z):
    return -(p * math.log(1 - sigma(z)) + (1 - p) * math.log(sigma(z)))


def slow_linear(p, z, right):
    if right and p < 0.5:
        p = 0.55
    return (1 - p) * (1 - sigma(z)) + p * sigma(z)


def slow_probability(logits, label):
    return math.exp(logits[label]) / math.fsum(math.exp(z) for z in logits)


def slow_weight(right, place):
    alike = sum(other == right[place] for other in right)
    return 1.0 if alike == len(right) else len(right) / (2 * alike)


@given(SHARES, SCORES)
def test_bce_equals_its_slow_twin(shares, scores):
    found = bce_losses(torch.as_tensor(shares), torch.as_tensor(scores))
    for p, z, loss in zip(shares, scores, found.tolist(), strict=True):
        assert math.isclose(loss, slow_bce(p, z), abs_tol=1e-9)


@given(SHARES, SCORES, FLAGS)
def test_linear_equals_its_slow_twin(shares, scores, right):
    found = linear_losses(*map(torch.as_tensor, (shares, scores, right)))
    for p, z, r, loss in zip(shares, scores, right, found.tolist(), strict=True):
        assert math.isclose(loss, slow_linear(p, z, r), abs_tol=1e-12)
        assert 0 <= loss <= 1


def test_both_losses_are_finite_where_the_score_saturates():
    p, z = torch.tensor([0.0, 1.0, 0.5, 1.0]), torch.tensor([1e4, -1e4, -1e4, 1e4])
    right = torch.tensor([False, True, False, True])
    assert torch.equal(bce_losses(p, z), torch.tensor([0.0, 0.0, 5e3, 1e4]))
    assert torch.equal(linear_losses(p, z, right), torch.tensor([0.0, 0.0, 0.5, 1.0]))


@given(st.floats(0.01, 0.99))
def test_bce_is_smallest_where_the_score_is_the_probability_of_being_wrong(p):
    best = math.log((1 - p) / p)
    values = bce_losses(
        torch.full((3,), p).double(), torch.tensor([best - 0.1, best, best + 0.1]).double()
    )
    assert values[1] < min(values[0], values[2])


@pytest.mark.parametrize(
    ("p", "right", "sign"), [(0.1, False, -1), (0.9, True, 1), (0.4, True, 1), (0.4, False, -1)]
)
def test_linear_wants_hard_images_to_score_high_and_easy_ones_low(p, right, sign):
    z = torch.linspace(-3, 3, 9)
    losses = linear_losses(torch.full((9,), p), z, torch.full((9,), right))
    assert (losses.diff() * sign > 0).all()


@given(FLAGS)
def test_right_and_wrong_images_weigh_the_same(flags):
    right = torch.as_tensor(flags)
    weights = balancing_weights(right).double()
    expected = [slow_weight(flags.tolist(), place) for place in range(N)]
    assert weights.tolist() == pytest.approx(expected)
    assert float(weights.mean()) == pytest.approx(1)
    if 0 < right.sum() < N:
        assert float(weights[right].sum()) == pytest.approx(float(weights[~right].sum()))


@given(LOGITS)
def test_p_is_the_probability_of_the_label(values):
    found = target_probabilities(torch.as_tensor(values), one_hot())
    expected = [slow_probability(row, y) for row, y in zip(values, LABELS.tolist(), strict=True)]
    assert found.tolist() == pytest.approx(expected)


def test_p_of_a_mixed_target_is_the_mean_over_it():
    logits, target = torch.tensor([[0.0, math.log(3.0)]]), torch.tensor([[0.5, 0.5]])
    assert float(target_probabilities(logits, target)) == pytest.approx(0.5)
    assert float(target_probabilities(logits, torch.tensor([[0.0, 1.0]]))) == pytest.approx(0.75)


def test_scores_are_in_double_precision():
    scores = sigmoid_scores(torch.tensor([[0.0], [30.0], [-1000.0]]))
    assert scores.dtype == torch.float64
    assert scores[:, 0].tolist() == [0.5, sigma(30.0), 0.0]
    assert float(scores[1]) < 1  # which it would not be in single precision


def certain():
    return Targets(torch.zeros(N, 3, 4, 4), one_hot())


def training_loss(loss="bce", setting="joint"):
    return PredictorLoss(CrossEntropy(), loss, setting == "frozen")


def gradients(loss, values, scores):
    logits = torch.cat([torch.as_tensor(values), torch.as_tensor(scores)[:, None]], 1)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(loss.score(logits, certain()), logits)
    return gradient[:, :-1], gradient[:, -1]


def softmax(row):
    total = math.fsum(math.exp(z) for z in row)
    return [math.exp(z) / total for z in row]


@given(LOGITS, SCORES)
def test_the_classifier_learns_from_its_own_loss_weighted_by_a_constant_score(values, scores):
    of_logits, _ = gradients(training_loss(), values, scores)
    for row, z, y, found in zip(values, scores, LABELS.tolist(), of_logits.tolist(), strict=True):
        expected = [sigma(z) * (f - (c == y)) / N for c, f in enumerate(softmax(row))]
        assert found == pytest.approx(expected, abs=1e-12)


@given(LOGITS, SCORES)
def test_the_predictor_learns_from_a_constant_probability_alone(values, scores):
    _, of_z = gradients(training_loss(), values, scores)
    for row, z, y, found in zip(values, scores, LABELS.tolist(), of_z.tolist(), strict=True):
        assert found == pytest.approx((sigma(z) - (1 - slow_probability(row, y))) / N, abs=1e-12)


@given(LOGITS, SCORES, st.sampled_from(["bce", "linear"]))
def test_a_frozen_classifier_gets_no_gradient_and_the_predictor_the_same(values, scores, loss):
    of_logits, of_z = gradients(training_loss(loss=loss, setting="frozen"), values, scores)
    assert not of_logits.any()
    assert torch.equal(of_z, gradients(training_loss(loss=loss), values, scores)[1])


@given(LOGITS, SCORES)
def test_the_linear_loss_is_balanced(values, scores):
    loss = training_loss(loss="linear", setting="frozen")
    logits = torch.cat([torch.as_tensor(values), torch.as_tensor(scores)[:, None]], 1)
    right = [
        max(range(CLASSES), key=row.__getitem__) == y
        for row, y in zip(values.tolist(), LABELS.tolist(), strict=True)
    ]
    expected = sum(
        slow_weight(right, i)
        * slow_linear(slow_probability(values[i], LABELS[i]), scores[i], right[i])
        for i in range(N)
    )
    assert float(loss.score(logits, certain())) == pytest.approx(expected / N)


def test_targets_are_those_of_the_classifiers_loss():
    smoothed = PredictorLoss(CrossEntropy(smoothing=0.2), "bce", frozen=False)
    options = {"classes": CLASSES, "epoch": 0, "generator": torch.Generator()}
    images = torch.zeros(N, 3, 4, 4)
    made = smoothed.targets(Batch(images, tuple(range(N)), LABELS), **options)
    assert torch.allclose(made.distribution, one_hot().float() * 0.8 + 0.05)
    assert made.images is images


def test_the_loss_keeps_the_form_of_a_component():
    loss = training_loss()
    assert loss.tree()["parameters"]["predictor"] == "bce"
    assert loss.tree() != training_loss(loss="linear").tree()
    check_component(Hardness())
