"""Published figures: read from a benchmark file, and put beside a run's own."""

import pytest

from xbench.benchmark.published import read_published
from xbench.errors import ParameterError, UnknownNameError
from xbench.results.record import DifferenceRecord, Record, ScoreRecord
from xbench.results.tables import beside_published

TREE = {
    "source": "Somebody 1999, Table 1",
    "scores": ["iou@10%", "average iou"],
    "rows": [
        {"label": "ours", "values": [8.0, 20.0], "deviations": [0.1, 0.2]},
        {"label": "theirs", "values": [9.0, 30.0], "not_comparable": "made by hand"},
    ],
    "orders": [{"higher": "theirs", "lower": "ours"}],
}


def score(name, value, low, high):
    return ScoreRecord(
        name=name,
        direction="higher",
        headline=name.startswith("average"),
        value=value,
        low=low,
        high=high,
        n=10,
        n_unscored=0,
        deviation=None,
    )


def difference(value, low, high, *, paired=True):
    return DifferenceRecord(
        score="average iou",
        minus="ours",
        minus_key="k",
        value=value,
        low=low,
        high=high,
        n=10,
        paired=paired,
    )


def record(label, *, differences=(), limited_to=None, role="entry"):
    scores = [score("iou@10%", 0.1, 0.07, 0.13), score("average iou", 0.25, 0.22, 0.28)]
    return Record.model_construct(
        label=label,
        role=role,
        scores=scores,
        differences=list(differences),
        limited_to=limited_to,
    )


def tables(tree=TREE, change=0.05, low=0.01, high=0.09, **kinds):
    records = [
        record("ours", **kinds),
        record("theirs", differences=[difference(change, low, high)]),
    ]
    return beside_published(read_published(tree), records)


def test_figures_stand_below_ours_with_a_verdict_where_they_can_be_compared():
    beside, _ = tables()
    assert beside.title == "Beside Somebody 1999, Table 1, in per cent"
    assert beside.columns == ("", "10%", "average")
    ours, published, theirs, made_by_hand = beside.rows
    assert ours.cells == ("10.0\n7.0–13.0", "25.0\n22.0–28.0")
    assert published.cells == ("8.00 ±0.10\ninside", "20.00 ±0.20\noutside")
    assert theirs.label == "theirs"
    assert made_by_hand.label == "published\nnot comparable: made by hand"
    assert made_by_hand.cells == ("9.00", "30.00")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.09, "holds"), (-0.09, -0.01, "is reversed"), (-0.01, 0.01, "is undecided")],
)
def test_a_claimed_order_holds_only_where_the_interval_is_above_zero(low, high, verdict):
    _, claims = tables(low=low, high=high)
    (row,) = claims.rows
    assert row.label == "theirs above ours"
    assert row.cells[0] == "+10.00"
    assert row.cells[-1] == verdict


@pytest.mark.parametrize(("high", "verdict"), [(0.11, "inside"), (0.09, "outside")])
def test_the_published_difference_is_judged_by_the_interval_of_ours(high, verdict):
    rows = [{**row, "not_comparable": ""} for row in TREE["rows"]]
    _, claims = tables({**TREE, "rows": rows}, high=high)
    assert claims.rows[0].cells[0] == f"+10.00\n{verdict}"


def test_a_difference_in_another_score_than_ours_is_not_beside_it():
    _, claims = tables({**TREE, "scores": ["average iou", "iou@10%"]})
    assert claims.rows[0].cells[0] == "–"


def test_no_verdict_on_figures_is_given_where_the_run_is_limited_or_scaled_down():
    limited, _ = tables(limited_to=5)
    assert limited.title.endswith("not comparable: this run is limited to 5 images")
    small, _ = tables({**TREE, "not_comparable": "scaled down"})
    assert small.title.endswith("not comparable: scaled down")
    assert not any("side" in cell for row in small.rows for cell in row.cells)


def test_rows_of_entries_that_did_not_run_are_left_out():
    assert beside_published(read_published(TREE), [record("another")]) == []
    assert beside_published(read_published(TREE), [record("ours", role="floor")]) == []


def test_a_row_with_too_few_figures_is_refused():
    rows = [{"label": "ours", "values": [1.0]}]
    with pytest.raises(ParameterError, match="row 'ours' has 1 values for 2 scores"):
        read_published({**TREE, "rows": rows})


def test_unknown_and_missing_keys_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'remark'"):
        read_published({**TREE, "remarks": ""})
    with pytest.raises(ParameterError, match="lacks 'source'"):
        read_published({"scores": []})
    with pytest.raises(UnknownNameError, match=r"published\.rows\[0\]"):
        read_published({**TREE, "rows": [{"name": "ours"}]})
