"""Standings: ranks, letters, floors and costs of entries that pair."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_made_boards import FRESH, entry, hits, weights
from small_submissions import FIELDS, made_up, record_of, table_of
from xbench.errors import MismatchError, SubmissionError, UnknownNameError
from xbench.kernels.ranks import RankRule
from xbench.results.board.folder import write_submission
from xbench.results.board.history import add
from xbench.results.board.standings.standing import standing
from xbench.results.board.standings.submitted import submitted
from xbench.results.record import TimesRecord

QUICK = RankRule(resamples=199)


def ladder(*means, count=60, networks=2, noise=0.05, seed=0):
    """Values of entries about these means, on the same cases."""
    source = np.random.default_rng(seed)
    hard = source.normal(0, 0.1, count)
    return [
        np.clip(mean + hard + source.normal(0, noise, (networks, count)), 0, 1) for mean in means
    ]


def board(*values, **fields):
    return [entry(name, hits(of, **fields)) for name, of in zip("abcdefgh", values, strict=False)]


def main(entries, *args, rule=QUICK):
    return standing(entries, *args, rule=rule).main


def ranks(ranking):
    return {line.name: (line.rank_low, line.rank, line.rank_high) for line in ranking.ranked}


def test_clear_differences_are_certain_ranks_and_letters_of_their_own():
    ranking = main(board(*ladder(0.3, 0.7, 0.5)))
    assert [line.name for line in ranking.lines] == ["b", "c", "a"]
    assert ranks(ranking) == {"b": (1, 1, 1), "c": (2, 2, 2), "a": (3, 3, 3)}
    assert [line.letters for line in ranking.lines] == [("a",), ("b",), ("c",)]
    assert [line.by_network for line in ranking.lines] == [(1, 1), (2, 2), (3, 3)]
    assert all(line.not_distinguished == () for line in ranking.lines)
    assert (ranking.cases, ranking.scored, ranking.clusters, ranking.networks) == (60, 120, 60, 2)


def test_lower_is_better_where_the_score_says_so():
    ranking = main(board(*ladder(0.3, 0.7, 0.5), direction="lower"))
    assert [line.name for line in ranking.lines] == ["a", "c", "b"]
    assert [line.rank for line in ranking.lines] == [1, 2, 3]


def test_ties_have_overlapping_intervals_and_a_common_letter():
    ranking = main(board(*ladder(0.5, 0.5, 0.2)))
    first, second, third = ranking.lines
    assert (first.rank_low, first.rank_high) == (second.rank_low, second.rank_high) == (1, 2)
    assert set(first.letters) & set(second.letters)
    assert not set(first.letters) & set(third.letters)
    assert first.not_distinguished == (second.name,)
    assert second.not_distinguished == (first.name,)
    assert third.not_distinguished == ()


def test_equal_entries_share_everything():
    ranking = main(board(*[ladder(0.5)[0]] * 4))
    assert set(ranks(ranking).values()) == {(1, 1, 4)}
    assert {line.letters for line in ranking.lines} == {("a",)}
    assert {line.by_network for line in ranking.lines} == {(1, 1)}
    assert ranking.detectable == 0


def test_one_entry_has_rank_one_and_no_letters():
    ranking = main(board(*ladder(0.5)))
    (line,) = ranking.lines
    assert (line.rank_low, line.rank, line.rank_high) == (1, 1, 1)
    assert (line.letters, line.not_distinguished, ranking.detectable) == ((), (), None)


def test_no_entries_are_a_clear_error():
    with pytest.raises(SubmissionError, match="the board has no entry of this benchmark"):
        standing([])


def test_two_of_a_name_and_two_benchmarks_are_refused():
    entries = board(*ladder(0.5, 0.6))
    with pytest.raises(MismatchError, match="two entries are called 'a'; rank the one"):
        standing([*entries, entries[0]])
    elsewhere = entries[1]._replace(entry=replace(entries[1].entry, benchmark="other"))
    with pytest.raises(MismatchError, match="entries of made and other have no ranks in common"):
        standing([entries[0], elsewhere])


def test_values_and_intervals_are_those_of_the_record_where_nothing_is_left_out():
    entries = board(*ladder(0.5, 0.6))
    for line, one in zip(
        main(entries, rule=RankRule(resamples=30)).lines, entries[::-1], strict=True
    ):
        score = one.record.ranking
        assert [line.value, line.low, line.high] == pytest.approx(
            [score.value, score.low, score.high]
        )


def test_simultaneous_intervals_hold_marginal_ones():
    entries = board(*ladder(0.5, 0.52, 0.53, 0.55, noise=0.2))
    marginal, at_once = main(entries), main(entries, rule=QUICK._replace(simultaneous=True))
    assert (marginal.simultaneous, at_once.simultaneous) == (False, True)
    for name, (low, _, high) in ranks(at_once).items():
        assert low <= ranks(marginal)[name][0] <= ranks(marginal)[name][2] <= high


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 20), st.sampled_from(["higher", "lower"]))
def test_leaving_out_the_worst_cases_never_improves_a_rank(seed, count, direction):
    values = ladder(0.5, 0.52, 0.48, noise=0.3, count=20, seed=seed)
    whole = main(board(*values, direction=direction))
    sign = 1 if direction == "higher" else -1
    worst = np.argsort(sign * values[0], axis=1)[:, :count]
    np.put_along_axis(values[0], worst, np.nan, axis=1)
    less = main(board(*values, direction=direction))
    before, after = ({line.name: line for line in of.lines}["a"] for of in (whole, less))
    assert after.rank >= before.rank
    assert after.left_out == 2 * count


def test_an_entry_that_leaves_hard_cases_out_loses_ranks():
    values = ladder(0.5, 0.52, 0.48)
    hard = np.argsort(values[1].mean(axis=0))[:30]
    honest = main(board(*values))
    values[1][:, hard] = np.nan
    ranking = main(board(*values))
    assert np.nanmean(values[1]) > 0.55  # by its own cases it would win
    assert ranks(honest)["b"][1] == 1
    assert ranks(ranking)["b"] == (3, 3, 3)
    assert {line.name: line.left_out for line in ranking.lines} == {"a": 0, "b": 60, "c": 0}


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_submissions_changes_nothing(seed):
    values = ladder(0.5, 0.5, 0.52, 0.4)
    entries = board(*values)
    entries += [
        entry("floor", hits(values[0]), role="floor"),
        entry("old", hits(values[1]), benchmark_version="0"),
    ]
    order = np.random.default_rng(seed).permutation(len(entries))
    assert standing([entries[i] for i in order], rule=QUICK) == standing(entries, rule=QUICK)


def test_floors_and_ceilings_have_no_rank_and_change_none():
    values = ladder(0.3, 0.7, 0.5, 0.4, 0.9, 0.8)
    entries = board(*values[:3])
    knows = {"uses_annotations": True}
    more = [
        entry("floor", hits(values[3]), role="floor"),
        entry("top", hits(values[4]), role="ceiling"),
        entry("told", hits(values[5]), declared=knows),
    ]
    ranking = main([*more, *entries])
    assert [line.name for line in ranking.lines] == ["b", "c", "a", "floor", "top", "told"]
    assert [line.role for line in ranking.lines[3:]] == ["floor", "ceiling", "ceiling"]
    assert ranks(ranking) == ranks(main(entries))
    assert {line.name: line.beaten_by for line in ranking.ranked} == {
        "b": (),
        "c": (),
        "a": ("floor",),
    }


def test_a_floor_that_is_not_told_apart_beats_nobody():
    values = ladder(0.5, 0.5)
    ranking = main([*board(values[0]), entry("floor", hits(values[1]), role="floor")])
    assert ranking.ranked[0].beaten_by == ()


def test_floors_alone_have_values_and_no_ranks():
    ranking = main([entry("floor", hits(ladder(0.5)[0]), role="floor")])
    assert (ranking.ranked, ranking.lines[0].value is None) == ((), False)


def test_entries_on_other_weights_are_ranked_by_themselves():
    values = ladder(0.3, 0.7, 0.5, 0.9)
    other = entry("z", hits(values[3]), weights=weights("x", "y"))
    found = standing([other, *board(*values[:3])], rule=QUICK)
    assert found.main == main(board(*values[:3]))
    (apart,) = found.rankings[1:]
    assert (apart.apart, ranks(apart)) == ("other weights", {"z": (1, 1, 1)})


def test_ranks_of_each_network_are_those_of_its_means():
    one, other = np.full((2, 9), 0.5), np.stack([np.full(9, 0.4), np.full(9, 0.7)])
    ranking = main(board(one, other))
    assert {line.name: line.by_network for line in ranking.lines} == {"a": (1, 2), "b": (2, 1)}


def test_a_network_without_cases_has_no_ranks():
    values = ladder(0.3, 0.6)
    for of in values:
        of[1] = np.nan
    assert [line.by_network for line in main(board(*values)).lines] == [(1, None), (2, None)]


def test_nobody_is_ranked_by_a_score_without_values():
    ranking = main(board(np.full((2, 5), np.nan), np.full((2, 5), np.nan)))
    assert [(line.rank, line.value) for line in ranking.lines] == [(None, None)] * 2
    assert ranking.cases == 0


def test_another_score_ranks_by_name():
    scores = [made_up(seed) for seed in range(2)]
    entries = [entry(name, of) for name, of in zip("ab", scores, strict=True)]
    ranking = main(entries, "size")
    assert (ranking.score, ranking.direction, ranking.unit) == ("size", "lower", "number")
    with pytest.raises(UnknownNameError, match="unknown score 'sizes'; did you mean 'size'"):
        standing(entries, "sizes")


def test_who_lacks_the_score_has_left_out_all_of_its_cases():
    values = ladder(0.5, 0.6)
    entries = [entry("a", hits(values[0])), entry("b", hits(values[1], name="misses"))]
    ranking = main(entries, "hits")
    assert [(line.name, line.value, line.left_out) for line in ranking.lines][1:] == [("b", 0, 120)]


def test_a_score_without_a_direction_ranks_nothing():
    repeats = hits(ladder(0.5)[0])
    shown = replace(repeats[0][0], name="alike", direction="none", headline=False)
    with pytest.raises(MismatchError, match="the score 'alike' has no direction, and ranks"):
        main([entry("a", [[*repeats[0], shown]])], "alike")


def test_who_disagrees_about_the_score_that_ranks_is_named():
    values = ladder(0.5, 0.6)
    entries = [entry("a", hits(values[0])), entry("b", hits(values[1], direction="lower"))]
    with pytest.raises(MismatchError) as caught:
        standing(entries)
    assert str(caught.value) == (
        "entries disagree about the score that ranks: a by 'hits' (higher is better, a share); b "
        "by 'hits' (lower is better, a share); withdraw those that are wrong, or name another score"
    )
    other = entry("b", hits(values[1], name="misses"))
    with pytest.raises(MismatchError, match=r"a by 'hits' .*; b by 'misses'"):
        standing([entries[0], other])


def test_costs_history_and_declarations_are_in_the_lines():
    fields = {"times": TimesRecord(finished="", seconds={"explain": 60.0, "score": 5.0})}
    declared = {"tuned_on": ["validation", "test"], "configurations_tried": 9}
    other = FRESH.model_copy(update={"score": "size", "drop": 2.0})
    one = entry(
        "a",
        hits(ladder(0.5)[0]),
        superseded=("f" * 32,),
        fresh=(FRESH, other),
        declared=declared,
        **fields,
    )
    (line,) = main([one]).lines
    assert (line.passes, line.seconds, line.superseded) == (24, 65.0, 1)
    assert (line.tuned_on, line.configurations_tried) == (("validation", "test"), 9)
    assert line.fresh == (0.1, -0.05, 0.25, "hits")
    assert main([one], "hits").lines[0].fresh.score == "hits"


def test_everything_is_plain_values_for_json():
    entries = board(*ladder(0.3, 0.7))
    entries[0] = entries[0]._replace(
        entry=entries[0].entry.__class__("made", "a", "k", None, "2026-05-01", (), (FRESH,))
    )
    tree = standing(entries, rule=QUICK).tree()
    assert json.loads(json.dumps(tree, allow_nan=False))["rankings"][0]["lines"][0]["name"] == "b"
    assert tree["rankings"][0]["lines"][1]["fresh"]["drop"] == 0.1


def test_a_hundred_entries_are_ranked():
    source = np.random.default_rng(0)
    values = source.random((100, 1, 600)) * np.linspace(0.8, 1, 100)[:, None, None]
    entries = [entry(f"e{place}", hits(of)) for place, of in enumerate(values)]
    ranking = main(entries, rule=RankRule(resamples=500))
    assert len(ranking.ranked) == 100
    assert all(line.rank_low <= line.rank <= line.rank_high for line in ranking.ranked)


def test_the_entries_of_a_board_are_read_from_its_folder(tmp_path):
    for place, name in enumerate(["mine", "yours"]):
        scores = made_up(place)
        record = record_of(scores, rows=[[f"{place:031x}{repeat}"] for repeat in range(2)])
        folder = tmp_path / f"submission-{place}"
        submission = write_submission(folder, {**FIELDS, "name": name}, record, table_of(scores))
        add(tmp_path / "board", submission, date(2026, 5, 1))
    found = submitted(tmp_path / "board", "made")
    assert [one.name for one in found] == ["mine", "yours"]
    assert {line.name for line in standing(found, rule=QUICK).main.ranked} == {"mine", "yours"}
    with pytest.raises(UnknownNameError, match="unknown benchmark of the board 'maid'"):
        submitted(tmp_path / "board", "maid")
