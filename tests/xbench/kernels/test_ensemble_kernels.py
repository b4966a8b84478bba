"""What several networks say together, beside its slow twin."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench.kernels.ensembles import pooled_logits

SIZES = st.tuples(st.integers(1, 4), st.integers(0, 5), st.integers(1, 6), st.integers(0, 99))


def drawn(networks, images, classes, seed, scale=3.0):
    draws = torch.Generator().manual_seed(seed)
    return scale * torch.randn(networks, images, classes, generator=draws)


@given(SIZES)
def test_probabilities_are_the_mean_of_those_of_the_networks(sizes):
    logits = drawn(*sizes)
    pooled = pooled_logits(logits)
    assert pooled.dtype == logits.dtype
    networks, images, classes, _ = sizes
    for image in range(images):
        of_networks = [[math.exp(v) for v in row] for row in logits[:, image].tolist()]
        shares = [[v / sum(row) for v in row] for row in of_networks]
        mean = [sum(row[c] for row in shares) / networks for c in range(classes)]
        assert pooled[image].double().softmax(0).tolist() == pytest.approx(mean, abs=1e-6)


@given(SIZES)
def test_the_order_of_networks_does_not_matter_and_equal_ones_change_nothing(sizes):
    logits = drawn(*sizes)
    torch.testing.assert_close(pooled_logits(logits.flip(0)), pooled_logits(logits))
    same = pooled_logits(logits[:1].expand(3, -1, -1)).double().softmax(1)
    torch.testing.assert_close(same, logits[0].double().softmax(1), atol=1e-6, rtol=0)


def test_logits_of_one_network_stay_as_they_are():
    logits = drawn(1, 3, 4, 0)
    assert torch.equal(pooled_logits(logits), logits[0])


def test_very_sure_networks_do_not_overflow():
    logits = torch.tensor([[[1e4, -1e4]], [[-1e4, 1e4]]])
    assert pooled_logits(logits).softmax(1).tolist() == [[0.5, 0.5]]
