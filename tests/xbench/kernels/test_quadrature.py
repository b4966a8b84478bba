"""Quadratures: weights sum to one, and polynomials are integrated as exactly as they should be."""

import pytest
import torch

from xbench.kernels.quadrature import gauss_legendre, right_riemann


@pytest.mark.parametrize("rule", [gauss_legendre, right_riemann])
@pytest.mark.parametrize("steps", [1, 2, 7, 50])
def test_weights_sum_to_one_over_points_between_nought_and_one(rule, steps):
    points, weights = rule(steps)
    assert float(weights.sum()) == pytest.approx(1)
    assert points.shape == weights.shape == (steps,)
    assert ((points > 0) & (points <= 1)).all()


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_gauss_legendre_is_exact_up_to_its_degree(steps):
    points, weights = gauss_legendre(steps)
    for power in range(2 * steps):
        assert float((weights * points**power).sum()) == pytest.approx(1 / (power + 1))


def test_the_right_sum_is_a_mean_over_equal_steps():
    assert torch.equal(right_riemann(4).points, torch.tensor([0.25, 0.5, 0.75, 1.0]).double())
