"""Intervals of ranks: a slow twin, properties, and simulated boards."""

import importlib.util
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.kernels import ranks
from xbench.kernels.bootstrap import resample_counts
from xbench.kernels.ranks import RankRule, rank_intervals

QUICK = RankRule(resamples=99)
ROOT = Path(__file__).parents[3]


def slow_error(sums, counts, weights, i, j):
    """Difference of the means of a (re)sample, and its standard error, cluster by cluster."""
    clusters, cases = len(sums), sum(w * n for w, n in zip(weights, counts, strict=True))
    d = sum(w * (s[i] - s[j]) for w, s in zip(weights, sums, strict=True)) / cases
    squares = 0.0
    for w, s, n in zip(weights, sums, counts, strict=True):
        squares += w * (s[i] - s[j] - n * d) ** 2
    return d, math.sqrt(squares * clusters / (clusters - 1)) / cases


def slow_draw(sums, counts, weights, i, j):
    d, error = slow_error(sums, counts, [1] * len(sums), i, j)
    drawn, its_error = slow_error(sums, counts, weights, i, j)
    return (drawn - d) / max(its_error, ranks.LEAST * error)


def slow_rejected(t, draws, rule):
    """The one-sided hypotheses (i, j), that i is not above j, that are rejected step by step."""
    left, place = set(t), math.ceil(round(rule.level * (rule.resamples + 1), 6))
    while True:
        largest = sorted(max(draws[pair][r] for pair in left) for r in range(rule.resamples))
        out = {pair for pair in left if t[pair] > largest[place - 1] * (1 + ranks.MARGIN)}
        left -= out
        if not out or not left or not rule.stepdown:
            return set(t) - left


def slow_intervals(sums, counts, rule):
    """By the definition, in double precision; higher is better."""
    k, drawn = sums.shape[1], resample_counts(len(sums), rule.resamples, rule.seed)
    t, draws = {}, {}
    for i, j in itertools.permutations(range(k), 2):
        d, error = slow_error(sums, counts, [1] * len(sums), i, j)
        t[i, j] = d / error
        draws[i, j] = [slow_draw(sums, counts, weights, i, j) for weights in drawn]
    low, high = [], []
    for own in range(k):
        family = {pair: t[pair] for pair in t if rule.simultaneous or own in pair}
        rejected = slow_rejected(family, draws, rule)
        low.append(1 + sum(j == own for _, j in rejected))
        high.append(k - sum(i == own for i, _ in rejected))
    return low, high


def board(seed, clusters=15, entries=4, spread=1.5):
    """Sums and counts of clusters of one to three cases, a little skewed."""
    source = np.random.default_rng(seed)
    counts = source.integers(1, 4, clusters)
    noise = source.normal(size=(clusters, entries)) + source.exponential(size=(clusters, entries))
    return noise + counts[:, None] * np.linspace(0, spread, entries), counts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("stepdown", [True, False])
@pytest.mark.parametrize("simultaneous", [True, False])
def test_intervals_are_those_of_the_slow_loops(seed, stepdown, simultaneous, monkeypatch):
    monkeypatch.setattr(ranks, "ROWS", 17)
    monkeypatch.setattr(ranks, "COLUMNS", 2)
    rule = RankRule(0.8, simultaneous, stepdown, 39, seed)
    sums, counts = board(seed)
    fast = rank_intervals(sums, counts, "higher", rule)
    assert (fast.low.tolist(), fast.high.tolist()) == slow_intervals(sums, counts, rule)


def as_lists(intervals):
    return [column.tolist() for column in intervals]


boards = st.builds(
    board, st.integers(0, 10**6), st.integers(2, 25), st.integers(1, 7), st.floats(0, 3)
)


@given(boards, st.booleans(), st.randoms())
def test_entries_in_another_order_have_the_same_intervals(of, simultaneous, source):
    sums, counts = of
    order = list(range(sums.shape[1]))
    source.shuffle(order)
    rule = QUICK._replace(simultaneous=simultaneous)
    here = rank_intervals(sums, counts, "higher", rule)
    there = rank_intervals(sums[:, order], counts, "higher", rule)
    assert as_lists(there) == [column[order].tolist() for column in here]


@given(boards)
def test_negated_values_of_which_lower_are_better_have_the_same_intervals(of):
    sums, counts = of
    assert as_lists(rank_intervals(-sums, counts, "lower", QUICK)) == as_lists(
        rank_intervals(sums, counts, "higher", QUICK)
    )


@given(boards, st.floats(-5, 5), st.floats(0.1, 10))
def test_a_constant_for_all_and_another_unit_change_nothing(of, constant, unit):
    sums, counts = of
    other = unit * (sums + constant * counts[:, None])
    assert as_lists(rank_intervals(other, counts, "higher", QUICK)) == as_lists(
        rank_intervals(sums, counts, "higher", QUICK)
    )


@given(boards, st.floats(0.5, 0.99))
def test_ranks_lie_inside_and_intervals_are_nested(of, level):
    sums, counts = of
    marginal = QUICK._replace(level=level)
    narrow = rank_intervals(sums, counts, "higher", marginal)
    assert (narrow.low >= 1).all()
    assert (narrow.low <= narrow.ranks).all()
    assert (narrow.ranks <= narrow.high).all()
    assert (narrow.high <= sums.shape[1]).all()
    for wider in (marginal._replace(stepdown=False), marginal._replace(simultaneous=True)):
        wide = rank_intervals(sums, counts, "higher", wider)
        assert (wide.low <= narrow.low).all()
        assert (wide.high >= narrow.high).all()


def test_a_stepdown_decides_more():
    values = np.random.default_rng(1).normal(size=(200, 20)) + np.linspace(0, 1, 20)
    counts = np.ones(200, np.int64)
    widths = []
    for stepdown in (True, False):
        of_all = rank_intervals(values, counts, "higher", QUICK._replace(stepdown=stepdown))
        widths.append((of_all.high - of_all.low).mean())
    assert widths[0] < widths[1]


def test_one_entry_has_the_first_rank():
    assert as_lists(rank_intervals(np.ones((5, 1)), np.ones(5, np.int64), "lower")) == [[1]] * 3


def test_equal_entries_are_never_told_apart_and_constant_differences_always():
    sums, counts = board(0, entries=1)
    sums = np.hstack([sums, sums, sums + 1e-3 * counts[:, None]])
    intervals = rank_intervals(sums, counts, "higher", QUICK)
    assert as_lists(intervals) == [[2, 2, 1], [2, 2, 1], [3, 3, 1]]


def test_a_pair_that_differs_in_one_case_leaves_the_others_as_they_are():
    """Resamples without that case have no error; they must not keep all from being told apart."""
    values = np.random.default_rng(0).normal(size=(300, 3)) * 0.1 + np.array([0.0, 1.0, 2.0])
    values = np.hstack([values, values[:, :1]])
    values[7, 3] += 0.5
    intervals = rank_intervals(values, np.ones(300, np.int64), "higher")
    assert intervals.low.tolist() == [3, 2, 1, 3]
    assert intervals.high.tolist() == [4, 2, 1, 4]


def test_one_cluster_and_few_resamples_tell_nothing_apart():
    one = rank_intervals(np.array([[1.0, 2.0, 9.0]]), np.array([2]), "higher")
    assert as_lists(one) == [[3, 2, 1], [1, 1, 1], [3, 3, 3]]
    few = rank_intervals(*board(0), "higher", RankRule(resamples=18))
    assert few.high.tolist() == [4, 4, 4, 4]


@pytest.mark.parametrize("rule", [RankRule(level=1), RankRule(level=0), RankRule(resamples=0)])
def test_a_rule_that_cannot_be_followed_is_refused(rule):
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_intervals(*board(0), "higher", rule)


def test_missing_values_are_refused():
    with pytest.raises(ValueError, match="fill in what an entry leaves out"):
        rank_intervals(np.array([[1.0, np.nan]]), np.array([1]), "higher")


def simulated_boards():
    path = ROOT / "benchmarks/analysis/rank_boards.py"
    spec = importlib.util.spec_from_file_location("rank_boards", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("true", "cases"), [("all tied", "bounded"), ("near-ties", "normal")])
def test_intervals_hold_the_true_ranks_of_simulated_boards(true, cases):
    boards = simulated_boards()
    found = [boards.simulated(boards.BOARDS[true], cases, 60, (5, number)) for number in range(40)]
    assert np.mean([of_one.holds for of_one in found]) > 0.9
    assert np.mean([of_one.split for of_one in found]) < 0.2
