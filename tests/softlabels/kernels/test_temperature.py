"""The temperature is the one that a search over many finds, and ends where it must."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench_softlabels.kernels.temperature import (
    HOTTEST,
    best_temperature,
    tempered_cross_entropy,
)


def slow_cross_entropy(logits, targets, temperature):
    total = 0.0
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        exponentials = [math.exp(value / temperature) for value in row]
        for value, share in zip(exponentials, target, strict=True):
            total -= share * math.log(value / sum(exponentials))
    return total / len(logits)


def drawn(seed, count=40, classes=4):
    draws = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(count, classes, generator=draws, dtype=torch.float64)
    noise = torch.randn(count, classes, generator=draws, dtype=torch.float64)
    return logits, (logits / 2 + noise).softmax(1)


def test_cross_entropy_equals_the_slow_formula():
    logits, targets = drawn(0)
    for temperature in (0.3, 1.0, 7.0):
        expected = slow_cross_entropy(logits, targets, temperature)
        assert tempered_cross_entropy(logits, targets, temperature) == pytest.approx(expected)


@given(st.integers(0, 10_000))
def test_no_temperature_of_a_grid_is_better(seed):
    logits, targets = drawn(seed)
    best = tempered_cross_entropy(logits, targets, best_temperature(logits, targets))
    grid = torch.logspace(-2, 2, 81).tolist()
    assert best <= min(tempered_cross_entropy(logits, targets, t) for t in grid) + 1e-9


@given(st.floats(0.2, 5.0))
def test_a_known_temperature_is_found(temperature):
    logits, _ = drawn(1)
    targets = (logits / temperature).softmax(1)
    assert best_temperature(logits, targets) == pytest.approx(temperature, rel=1e-4)


def test_logits_times_a_factor_have_that_times_the_temperature():
    logits, targets = drawn(2)
    once, twice = (best_temperature(factor * logits, targets) for factor in (1, 2))
    assert twice == pytest.approx(2 * once, rel=1e-4)


def test_where_all_is_right_it_is_the_least_one_and_where_nothing_is_known_the_largest():
    logits = torch.eye(4).repeat(3, 1)
    assert best_temperature(logits, logits) == 1 / HOTTEST
    assert best_temperature(logits, (1 - logits) / 3) == HOTTEST
