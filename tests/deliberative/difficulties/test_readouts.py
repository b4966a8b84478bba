"""Difficulty scores follow equations (3) and (4)."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xbench import Batch, Network
from xbench_deliberative.difficulties.self_referential import Entropy, Hesitancy
from xbench_deliberative.readouts import hesitancy, normalised_entropy

LOGITS = arrays("float64", (3, 5), elements=st.floats(-50, 50))


def slow_hesitancy(logits: list[float]) -> float:
    total = math.fsum(math.exp(z) for z in logits)
    return 1 - max(math.exp(z) / total for z in logits)


def slow_entropy(logits: list[float]) -> float:
    total = math.fsum(math.exp(z) for z in logits)
    shares = [math.exp(z) / total for z in logits]
    return -sum(f * math.log(f) for f in shares if f > 0) / math.log(len(logits))


@given(LOGITS)
def test_difficulty_scores_equal_their_slow_twins(values: object) -> None:
    logits = torch.as_tensor(values)
    for row, h, e in zip(
        logits.tolist(), hesitancy(logits)[:, 0], normalised_entropy(logits)[:, 0], strict=True
    ):
        assert math.isclose(float(h), slow_hesitancy(row), abs_tol=1e-12)
        assert math.isclose(float(e), slow_entropy(row), abs_tol=1e-12)


@given(LOGITS, st.floats(-20, 20))
def test_difficulty_scores_lie_in_0_1_and_ignore_a_common_shift(values: object, by: float) -> None:
    logits = torch.as_tensor(values)
    for link in (hesitancy, normalised_entropy):
        scores = link(logits)
        assert ((scores >= 0) & (scores <= 1 + 1e-12)).all()
        assert torch.allclose(scores, link(logits + by), atol=1e-12)
        assert torch.allclose(scores, link(logits.flip(1)), atol=1e-12)


def test_equal_probabilities_are_hardest() -> None:
    logits = torch.zeros(2, 8)
    assert torch.allclose(normalised_entropy(logits), torch.ones(2, 1).double())
    assert torch.allclose(hesitancy(logits), torch.full((2, 1), 7 / 8).double())


def test_certainty_is_easiest() -> None:
    logits = torch.tensor([[1000.0, 0.0, 0.0]])
    assert float(hesitancy(logits)) == 0
    assert float(normalised_entropy(logits)) == 0


def test_one_class_has_no_entropy() -> None:
    assert float(normalised_entropy(torch.zeros(1, 1))) == 0


def test_difficulties_read_the_networks_own_logits(network: Network, batch: Batch) -> None:
    logits = network.logits(batch.images)
    predicted = Hesitancy().readout(network, {}).predictions(batch.images)
    assert torch.equal(predicted, hesitancy(logits))
    scores = Entropy().readout(network, {}).predictions(batch.images)
    assert torch.equal(scores, normalised_entropy(logits))
