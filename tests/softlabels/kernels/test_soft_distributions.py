"""Distributions of judgements, classes and networks, beside slow loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench_softlabels.kernels.distributions import class_means, most_uncertain, shares, tempered

CLASSES = 4
counts = st.lists(
    st.lists(st.integers(0, 60), min_size=CLASSES, max_size=CLASSES).filter(any),
    min_size=1,
    max_size=8,
)


def slow_shares(rows):
    return [[count / sum(row) for count in row] for row in rows]


def slow_entropy(row):
    return -sum(p * math.log(p) for p in row if p > 0)


@given(counts)
def test_shares_are_counts_divided_by_their_sum(rows):
    assert shares(torch.tensor(rows)).tolist() == slow_shares(rows)


def test_what_nobody_judged_has_no_shares():
    assert shares(torch.tensor([[0, 0], [1, 0]])).isnan().tolist() == [[True] * 2, [False] * 2]


@given(counts, st.data())
def test_class_means_are_means_over_the_images_of_a_class(rows, data):
    labels = data.draw(
        st.lists(st.integers(0, CLASSES - 1), min_size=len(rows), max_size=len(rows))
    )
    means = class_means(shares(torch.tensor(rows)), torch.tensor(labels))
    for label in range(CLASSES):
        own = [row for row, of in zip(slow_shares(rows), labels, strict=True) if of == label]
        if not own:
            assert means[label].isnan().all()
        for place in range(CLASSES if own else 0):
            expected = sum(row[place] for row in own) / len(own)
            assert float(means[label, place]) == pytest.approx(expected, abs=1e-14)


@given(counts, st.floats(0.05, 50))
def test_a_temperature_is_the_softmax_of_divided_logits(rows, temperature):
    tempered_rows = tempered(shares(torch.tensor(rows)), temperature)
    for row, result in zip(slow_shares(rows), tempered_rows.tolist(), strict=True):
        largest = max(row)
        powers = [(p / largest) ** (1 / temperature) if p else 0.0 for p in row]
        assert result == pytest.approx([power / sum(powers) for power in powers], abs=1e-12)


def test_temperatures_reach_from_the_label_to_all_that_is_possible():
    row = torch.tensor([[0.7, 0.3, 0.0]], dtype=torch.float64)
    assert torch.equal(tempered(row, 1e-3).round(decimals=9), torch.tensor([[1.0, 0, 0]]).double())
    assert tempered(row, 1e9)[0].tolist() == pytest.approx([0.5, 0.5, 0.0])
    assert tempered(row, 1.0)[0].tolist() == pytest.approx([0.7, 0.3, 0.0])


@given(counts, st.floats(0, 1), st.randoms())
def test_the_most_uncertain_are_those_of_largest_entropy_then_smallest_id(rows, share, random):
    ids = random.sample(range(100), len(rows))
    distributions = slow_shares(rows)
    keys = [
        (-round(slow_entropy(row), 10), image)
        for row, image in zip(distributions, ids, strict=True)
    ]
    number = math.floor(share * len(rows) + 0.5)
    expected = {image for _, image in sorted(keys)[:number]}
    chosen = most_uncertain(shares(torch.tensor(rows)), torch.tensor(ids), share)
    assert {image for image, is_chosen in zip(ids, chosen, strict=True) if is_chosen} == expected


def test_distributions_that_permute_each_other_are_equally_uncertain():
    row = [0.1, 0.2, 0.3, 0.4]
    rows = torch.tensor([[row[(k + s) % 4] for k in range(4)] for s in range(4)]).double()
    chosen = most_uncertain(rows / rows.sum(1, keepdim=True), torch.tensor([9, 3, 7, 1]), 0.5)
    assert chosen.tolist() == [False, True, False, True]
