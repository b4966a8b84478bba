"""Single judgements and mixed pairs."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xbench_softlabels.kernels.draws import Mixing, drawn_classes, drawn_mixing, mixed


@given(st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any), st.integers(0, 2**62))
def test_a_draw_is_one_of_the_judgements_that_were_made(row, draw):
    judgements = [place for place, count in enumerate(row) for _ in range(count)]
    label = drawn_classes(torch.tensor([row]), torch.tensor([draw]))
    assert label.tolist() == [judgements[draw % len(judgements)]]


def test_each_judgement_is_drawn_once_in_a_round_of_draws():
    counts, draws = torch.tensor([[3, 0, 2]] * 5), torch.arange(5)
    assert drawn_classes(counts, draws).tolist() == [0, 0, 0, 2, 2]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=9, unique=True), st.randoms())
def test_partners_permute_the_batch_whatever_its_order(ids, random):
    mixing = drawn_mixing(ids, 0.4, seed=3)
    assert sorted(mixing.partners.tolist()) == list(range(len(ids)))
    assert 0 <= mixing.share <= 1
    turned = random.sample(ids, len(ids))
    again = drawn_mixing(turned, 0.4, seed=3)
    pairs = {image: ids[place] for image, place in zip(ids, mixing.partners, strict=True)}
    assert pairs == {
        image: turned[place] for image, place in zip(turned, again.partners, strict=True)
    }
    assert again.share == mixing.share


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_are_of_the_beta_distribution(alpha):
    drawn = [drawn_mixing([0], alpha, seed).share for seed in range(2000)]
    assert stats.kstest(drawn, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_all_partners_are_as_likely():
    pairs = np.zeros((4, 4))
    for seed in range(2000):
        pairs[range(4), drawn_mixing(range(4), 1.0, seed).partners] += 1
    assert stats.chisquare(pairs.ravel()).pvalue > 0.01


def test_no_alpha_mixes_nothing_and_a_small_one_next_to_nothing():
    assert drawn_mixing(range(5), 0.0, seed=1).share == 1.0
    shares = [drawn_mixing(range(5), 1e-6, seed).share for seed in range(200)]
    assert all(min(share, 1 - share) < 1e-9 for share in shares)


def test_mixing_is_the_sum_of_both_entry_by_entry():
    values = torch.rand(3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mixing = Mixing(torch.tensor([2, 0, 1]), 0.3)
    result = mixed(values, mixing)
    for place, row, column in itertools.product(range(3), range(2), range(2)):
        own, other = values[place, row, column], values[mixing.partners[place], row, column]
        assert float(result[place, row, column]) == pytest.approx(float(0.3 * own + 0.7 * other))


@given(st.floats(0, 1))
def test_mixing_stays_within_the_range_of_pixels(share):
    values = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    result = mixed(values, Mixing(torch.tensor([1, 0]), share))
    assert torch.equal(result[:, :2], values[:, :2])
    assert result.min() >= 0
    assert result.max() <= 1
