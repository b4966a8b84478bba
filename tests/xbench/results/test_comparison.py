"""Comparisons: what intervals say, and which floors are marked."""

import pytest

from hand_made_records import benchmark, compared, difference, record, scored
from xbench.results.comparison import comparisons, headlines, verdict, winning_floors
from xbench.results.tables import LEGEND, headline_table, tables


@pytest.mark.parametrize(
    ("low", "high", "direction", "word"),
    [
        (1, 2, "higher", "better"),
        (1, 2, "lower", "worse"),
        (-2, -1, "higher", "worse"),
        (-2, -1, "lower", "better"),
        (1, 2, "none", "higher"),
        (-2, -1, "none", "lower"),
        (0, 1, "higher", "tie"),
        (0, 1, "none", "tie"),
        (-1, 0, "lower", "tie"),
        (None, 1, "higher", "not computable"),
        (1, None, "lower", "not computable"),
    ],
)
def test_an_interval_says_better_worse_or_tie(low, high, direction, word):
    assert verdict(low, high, 0, direction) == word


def test_headlines_begin_with_the_one_that_ranks():
    scores = [scored("a", 0.5), scored("b", 0.5, headline=False), scored("c", 0.5, ranking=True)]
    assert headlines([record("x", *scores), record("y", scored("d", 0.5))]) == ["c", "a", "d"]
    pairs = [scored(name, 0.5, ranking=name == "near@y") for name in ("hit@y", "near@y", "near@z")]
    assert headlines([record("x", *pairs)]) == ["near@y", "near@z", "hit@y"]


def test_where_no_score_decides_there_is_no_table_of_differences():
    shown = scored("alike", 0.5, direction="none", headline=False)
    (table,) = tables(benchmark(), [record("x", shown), record("y", shown)])
    assert table.title.startswith("alike")


def test_floors_that_are_better_than_an_entry_are_marked_in_every_table_with_a_legend():
    records = compared(("a", "entry", 0.5), ("low", "floor", 0.1), ("high", "floor", 0.9))
    assert winning_floors(comparisons(benchmark(), records), records) == {("high", "hits")}
    for table in (headline_table(benchmark(), records), tables(benchmark(), records)[0]):
        cells = {row.label: row.cells[0].split("\n")[0] for row in table.rows}
        assert cells == {"a": "50.0", "low": "10.0", "high": "! 90.0"}
        assert table.legend == LEGEND == "! a floor that is better than an entry in this score"
    assert headline_table(benchmark(), records[:2]).legend == ""


def test_a_ceiling_that_is_better_is_not_marked():
    records = compared(("a", "entry", 0.5), ("truth", "ceiling", 0.9))
    assert headline_table(benchmark(), records).legend == ""


def test_headline_scores_stand_side_by_side_and_chance_below():
    scores = [scored("hits", 0.5, chance=0.25), scored("more", 0.5), scored("x", 1, headline=False)]
    table = headline_table(
        benchmark(), [record("a", *scores), record("b", scores[0], role="floor")]
    )
    assert table.title == "Headline scores in per cent, with 95 % intervals"
    assert table.columns == ("", "hits", "more")
    cell = "50.0\n49.0–51.0"
    assert [(row.name, row.cells) for row in table.rows] == [
        ("a", (cell, cell)),
        ("b\n(floor)", (cell, "–")),
        ("chance\n(floor)", ("25.0", "–")),
    ]


def test_differences_are_better_or_worse_by_the_direction_of_their_score():
    records = compared(
        ("a", "entry", 3), ("b", "floor", 2), ("c", "floor", 9), direction="lower", unit="number"
    )
    (table,) = (of for of in tables(benchmark(), records) if of.title.startswith("Differences"))
    assert [(row.label, row.cells[-1]) for row in table.rows] == [
        ("a − b", "worse"),
        ("a − c", "better"),
    ]


def test_a_difference_of_a_score_that_the_record_lacks_counts_upwards():
    one = record("a", scored("hits", 0.5), differences=[difference("gone", "b", 0.1)])
    assert [of.verdict for of in comparisons(benchmark(), [one])] == ["better"]
