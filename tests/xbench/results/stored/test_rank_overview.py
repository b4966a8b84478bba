"""Ranks of a suite's entries side by side: a known order, ties, and who has none."""

import numpy as np
import pytest

from xbench.interfaces.protocol import CaseScores
from xbench.results.record import IntervalRecord, Record, ScoreRecord
from xbench.results.scores_file import scores_table
from xbench.results.stored.pairing import Judged
from xbench.results.stored.ranks import Rank, rank_table, ranked

CASES = 60
NOISE = np.random.default_rng(0).normal(scale=0.1, size=CASES)


def judged(label, values, role="entry", *, benchmark="first", direction="higher", clusters=()):
    """An entry whose score ranks, where it has a direction."""
    names = np.array([f"test/{n}" for n in range(len(values))], object)
    ranks = direction != "none"
    scores = CaseScores(
        "s",
        direction,
        names,
        values,
        headline=ranks,
        unit="number",
        ranking=ranks,
        clusters=clusters,
    )
    mean = None if np.isnan(values).all() else float(np.nanmean(values))
    score = ScoreRecord(
        name="s",
        direction=direction,
        headline=ranks,
        ranking=ranks,
        value=mean,
        low=mean,
        high=mean,
        n=len(values),
        n_unscored=0,
        deviation=None,
        unit="number",
    )
    record = Record.model_construct(
        label=label,
        role=role,
        benchmark=benchmark,
        scores=[score],
        rows=[[]],
        intervals=IntervalRecord(level=0.95, resamples=200, seed=0),
    )
    return Judged(record, scores_table([[scores]]))


def spread(*means, **fields):
    """Entries a, b, …, each with noise of its own around a mean."""
    source = np.random.default_rng(1)
    return [
        judged(label, mean + source.normal(scale=0.1, size=CASES), **fields)
        for label, mean in zip("abcdefgh", means, strict=False)
    ]


def test_entries_that_are_far_apart_have_their_ranks_and_nothing_else():
    assert ranked(spread(1, 3, 2)).ranks == {
        "a": Rank(3, 3, 3),
        "b": Rank(1, 1, 1),
        "c": Rank(2, 2, 2),
    }


def test_where_less_is_better_the_order_turns():
    found = ranked(spread(1, 3, 2, direction="lower")).ranks
    assert [found[label].rank for label in "abc"] == [1, 3, 2]


def test_equal_entries_share_a_rank_and_each_may_have_those_of_both():
    same = 0.5 + NOISE
    run = [judged("a", same), judged("b", same.copy()), judged("c", 2 + NOISE)]
    assert ranked(run).ranks == {"a": Rank(2, 2, 3), "b": Rank(2, 2, 3), "c": Rank(1, 1, 1)}


def test_floors_and_ceilings_are_not_ranked():
    run = [*spread(1, 2), judged("noise", 3 + NOISE, "floor"), judged("all", 4 + NOISE, "ceiling")]
    assert ranked(run).ranks == {"a": Rank(2, 2, 2), "b": Rank(1, 1, 1)}


def test_a_case_that_one_leaves_out_counts_as_the_worst_and_the_legend_says_so():
    values = 2 + NOISE
    values[: CASES // 2] = np.nan
    run = [judged("a", values), judged("b", 1.9 + NOISE)]
    assert ranked(run).left_out
    assert ranked(run).ranks["b"].rank == 1
    assert "no value of counts as the worst" in rank_table("t", [run]).legend
    assert "no value of counts as the worst" not in rank_table("t", [spread(1, 2)]).legend


@pytest.mark.parametrize(
    "run",
    [
        [],
        spread(1),
        spread(1, 2, direction="none"),
        [*spread(1), judged("b", np.full(CASES, np.nan))],
        [*spread(1), judged("b", np.full(CASES, 1e150))],
    ],
    ids=["nobody", "one alone", "no direction", "nothing scored", "too large"],
)
def test_who_cannot_be_ranked_has_no_column(run):
    assert ranked(run) is None
    assert rank_table("t", [run]) is None


def test_a_suite_has_a_column_for_each_benchmark_that_ranks_and_no_average():
    table = rank_table(
        "Both",
        [
            spread(1, 3, 2),
            spread(1, 2, direction="none", benchmark="aside"),
            spread(2, 1, benchmark="second"),
        ],
    )
    assert table.title == "Both: ranks, with 95 % intervals"
    assert table.columns == ("", "first: s, 3 entries", "second: s, 2 entries")
    assert [(row.label, row.cells) for row in table.rows] == [
        ("a", ("3\n3–3", "1\n1–1")),
        ("b", ("1\n1–1", "2\n2–2")),
        ("c", ("2\n2–2", "–")),
    ]
    assert "floors and ceilings have none" in table.legend
    assert "no average over columns" in table.legend
