import math
from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from xbench_study.kernels.alpha import Judgement, nominal_alpha, ordinal_alpha, ordinal_distance
from xbench_study.kernels.kappa import cohen_kappa, fleiss_kappa
from xbench_study.kernels.pair_agreement import (
    agreements,
    chance,
    majorities,
    pair_numbers,
)

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: parts A, B and C.
BINARY = ["0100000010", "1110010000"]
LETTERS = ["aabbdcccedda", "babbbccceddd"]
MISSING = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]


def judgements(rows, number=False):
    return [
        Judgement(str(person), str(unit), int(value) if number else value)
        for person, row in enumerate(rows)
        for unit, value in enumerate(row)
        if value != "."
    ]


def test_the_published_examples():
    assert nominal_alpha(judgements(BINARY)) == pytest.approx(0.095, abs=5e-4)
    assert nominal_alpha(judgements(LETTERS)) == pytest.approx(0.692, abs=5e-4)
    assert nominal_alpha(judgements(MISSING)) == pytest.approx(0.743, abs=5e-4)
    assert ordinal_alpha(judgements(MISSING, number=True)) == pytest.approx(0.815, abs=5e-4)


def test_alpha_by_hand():
    # 4 of the 10 units of BINARY differ: 8 of its 20 ordered pairs; 14 values are 0 and 6 are 1.
    assert nominal_alpha(judgements(BINARY)) == pytest.approx(1 - 19 * 8 / (2 * 14 * 6), abs=1e-9)


def slow_alpha(of, distance):
    """Observed disagreement over the expected one, by all ordered pairs of judgements."""
    units = {}
    for judgement in of:
        units.setdefault(judgement.unit, []).append(judgement.value)
    units = [values for values in units.values() if len(values) > 1]
    values = [value for unit in units for value in unit]
    n = len(values)
    if len(set(values)) < 2:
        return float("nan")
    observed = sum(
        sum(distance(a, b, values) for a, b in permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    )
    expected = sum(distance(a, b, values) for a, b in permutations(values, 2))
    return 1 - (observed / n) / (expected / n / (n - 1))


def nominal(a, b, values):
    return float(a != b)


def ordinal(a, b, values):
    low, high = min(a, b), max(a, b)
    between = sum(low <= value <= high for value in values)
    return (between - (values.count(low) + values.count(high)) / 2) ** 2 if a != b else 0.0


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 4)),
        unique_by=lambda row: row[:2],
        max_size=6,
    )
)
def test_alpha_is_that_of_a_loop(rows):
    of = [Judgement(*row) for row in rows]
    for ours, distance in ((nominal_alpha, nominal), (ordinal_alpha, ordinal)):
        assert ours(of) == pytest.approx(slow_alpha(of, distance), abs=1e-9, nan_ok=True)


def test_the_ordinal_metric_counts_what_lies_between():
    distance = ordinal_distance(Counter({1: 9, 2: 13, 3: 10, 4: 5, 5: 3}))
    # Krippendorff's example: (9/2 + 13/2)², and (9/2 + 13 + 10/2)²
    assert distance(1, 2) == 121
    assert distance(3, 1) == distance(1, 3) == 506.25
    assert distance(4, 4) == 0


def test_agreement_is_1_chance_about_0_and_opposition_below():
    same = [Judgement(person, str(unit), unit % 3) for person in "ab" for unit in range(9)]
    assert nominal_alpha(same) == ordinal_alpha(same) == pytest.approx(1)
    opposed = [Judgement(p, str(u), 4 * ((u + (p == "a")) % 2)) for p in "ab" for u in range(8)]
    assert ordinal_alpha(opposed) < -0.8
    assert math.isnan(nominal_alpha([]))
    assert math.isnan(nominal_alpha([Judgement("a", "x", 1), Judgement("b", "y", 2)]))


COUNTS = st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), min_size=1, max_size=8)


@given(COUNTS)
def test_fleiss_kappa_is_that_of_statsmodels_and_of_a_loop(units):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    counts = np.array([[unit.count(value) for value in range(3)] for unit in units])
    ours = fleiss_kappa(counts)
    if (counts.sum(0) > 0).sum() < 2:
        assert math.isnan(ours)
        return
    assert ours == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)
    agree = [a == b for unit in units for a, b in combinations(unit, 2)]
    shares = [sum(unit.count(value) for unit in units) / 5 / len(units) for value in range(3)]
    expected = sum(share**2 for share in shares)
    assert ours == pytest.approx((sum(agree) / len(agree) - expected) / (1 - expected), abs=1e-9)


def test_fleiss_kappa_is_refused_where_counts_differ():
    with pytest.raises(ValueError, match="2 to 3 judgements; Fleiss' kappa needs the same number"):
        fleiss_kappa(np.array([[1, 1], [2, 1]]))
    with pytest.raises(ValueError, match="at least 2"):
        fleiss_kappa(np.array([[1, 0], [0, 1]]))
    assert math.isnan(fleiss_kappa(np.zeros((0, 3), dtype=int)))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_cohens_kappa_is_that_of_scikit_learn(pairs):
    a, b = np.array(pairs).T
    ours = cohen_kappa(a, b, 4)
    if len(set(a)) == len(set(b)) == 1 and a[0] == b[0]:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(cohen_kappa_score(a, b), abs=1e-9)
    left_out = cohen_kappa(np.append(a, -1), np.append(b, 2), 4)
    assert left_out == pytest.approx(ours, nan_ok=True)


def test_pairs_have_no_order_and_chance_is_a_tenth_of_five_options():
    numbers = pair_numbers(np.array([0, 3, 2, -1]), np.array([3, 0, 4, -1]), 5)
    assert numbers[0] == numbers[1] != numbers[2]
    assert numbers[3] == -1
    assert chance(5) == pytest.approx(0.1)


NAMED = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-1, 1, 7])), max_size=14)


@given(NAMED, st.booleans())
def test_agreement_on_pairs_is_that_of_a_loop(rows, with_unsure):
    items, pairs = np.array(rows, dtype=int).reshape(-1, 2).T
    kept = [row for row in rows if with_unsure or row[1] != -1]
    found = agreements(items, pairs, with_unsure=with_unsure)
    slow = [(a[0], a[1] == b[1] and a[1] != -1) for a, b in combinations(kept, 2) if a[0] == b[0]]
    assert sorted(zip(found.items.tolist(), found.agree.tolist(), strict=True)) == sorted(slow)
    most = majorities(items, pairs, with_unsure=with_unsure)
    for item, pair in zip(most.items.tolist(), most.pairs.tolist(), strict=True):
        own = [named for of, named in kept if of == item]
        more = [named for named in (1, 7) if own.count(named) > len(own) / 2]
        assert pair == (more[0] if more else -1)


def test_two_who_do_not_know_disagree_and_may_be_left_out():
    items, pairs = np.zeros(4, dtype=int), np.array([7, 7, -1, -1])
    assert agreements(items, pairs).agree.tolist() == [True] + [False] * 5
    assert majorities(items, pairs).pairs.tolist() == [-1]
    assert agreements(items, pairs, with_unsure=False).agree.tolist() == [True]
    assert majorities(items, pairs, with_unsure=False).pairs.tolist() == [7]


def test_people_who_guess_agree_as_often_as_chance_says():
    rng = np.random.default_rng(0)
    drawn = np.array([rng.choice(5, 2, replace=False) for _ in range(3000)])
    agree = agreements(np.repeat(np.arange(300), 10), pair_numbers(*drawn.T, 5)).agree
    assert agree.mean() == pytest.approx(0.1, abs=0.01)
