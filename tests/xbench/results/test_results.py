"""Tables of results: which differences are told, and what artefacts say."""

from types import SimpleNamespace

from xbench.results.record import DifferenceRecord, IntervalRecord, Record, ScoreRecord
from xbench.results.tables import artefact_lines, overview, tables, unscored


def scored(name, **changes):
    """A score with its interval."""
    usual = {"direction": "higher", "headline": True, "value": 0.5, "low": 0.4, "high": 0.6}
    return ScoreRecord(name=name, n=10, n_unscored=0, **{"deviation": None, **usual, **changes})


def record(label, others, role="entry", facts=()):
    score = scored("average precision")
    differences = [
        DifferenceRecord(
            score=score.name,
            minus=other,
            minus_key="k",
            value=0.1,
            low=-0.1,
            high=0.2,
            n=10,
            paired=other != "b",
        )
        for other in others
    ]
    intervals = IntervalRecord(level=0.95, resamples=10, seed=0)
    return Record.model_construct(
        label=label,
        role=role,
        scores=[score],
        differences=differences,
        intervals=intervals,
        limited_to=None,
        artefact_facts=list(facts),
    )


LABELS = ("a", "b", "floor: a", "floor: b", "random")


def run():
    roles = ("entry", "entry", "floor", "floor", "floor")
    return [
        record(label, [other for other in LABELS if other != label], role)
        for label, role in zip(LABELS, roles, strict=True)
    ]


def benchmark(case="image"):
    protocol = SimpleNamespace(case=case)
    return SimpleNamespace(contrasts=(), published=None, protocol=protocol, lines=())


def differences():
    made = tables(benchmark(), run())
    return next(table for table in made if table.title.startswith("Differences")).rows


def test_an_entry_is_compared_with_the_floors_that_stand_beside_it():
    labels = [row.label for row in differences()]
    assert "a − floor: a" in labels
    assert "a − floor: b" not in labels
    assert "b − random" in labels


def test_a_difference_of_two_entries_is_told_once():
    labels = [row.label for row in differences()]
    assert "a − b" in labels
    assert "b − a" not in labels


def test_a_difference_over_different_images_is_marked():
    unpaired = next(row for row in differences() if row.label == "a − b")
    assert unpaired.cells[-1] == "tie (unpaired)"


def test_what_artefacts_say_is_told_once_and_what_one_entry_has_alone_under_its_label():
    shared = {"key": "1", "summary": ["trained"]}
    own = {"key": "2", "summary": ["another"]}
    records = [record("a", (), facts=[shared]), record("b", (), facts=[shared, own])]
    assert artefact_lines(records) == ["trained", "b: another"]
    assert artefact_lines(records[1:]) == ["trained", "another"]


def test_numbers_are_no_shares_and_chance_stands_in_the_title():
    one = run()[:1]
    rank = scored(
        "rank of the concept",
        direction="lower",
        headline=False,
        value=2.5,
        low=2,
        high=3.25,
        deviation=0.5,
        unit="number",
        chance=87,
    )
    of = one[0].model_copy(update={"scores": [*one[0].scores, rank]})
    made = tables(benchmark(), [of])
    table = next(table for table in made if table.title.startswith("rank"))
    assert table.title == "rank of the concept, with 95 % intervals over images; by chance 87.00"
    assert table.rows[0].cells == ("2.50\n2.00–3.25\n±0.50",)


def test_tables_count_what_the_protocol_counts():
    made = tables(benchmark("prediction"), run())
    assert made[0].title == "precision in per cent, with 95 % intervals over predictions"
    title = "Differences in the headline scores in percentage points, paired by prediction"
    assert made[1].title == title
    assert made[1].columns[4] == "predictions"


def test_what_could_not_be_scored_is_counted_with_its_noun():
    one = record("a", ())
    score = one.scores[0].model_copy(update={"n_unscored": 1})
    said = unscored(benchmark("prediction"), [one.model_copy(update={"scores": [score]})])
    assert said == ["a: 1 prediction could not be scored by one of these scores"]


def test_an_interval_below_zero_is_written_with_a_word():
    one = record("a", ())
    below = {"unit": "number", "value": -0.15, "low": -0.3, "high": -0.1}
    scores = [one.scores[0].model_copy(update=below)]
    table = tables(benchmark(), [one.model_copy(update={"scores": scores})])[0]
    assert table.rows[0].cells == ("-0.15\n-0.30 to -0.10",)


def with_scores(label, *names):
    """A record with these scores, the first of them its headline, and no differences."""
    scores = [scored(name, headline=name == names[0]) for name in names]
    return record(label, ()).model_copy(update={"scores": scores})


def test_every_score_that_any_entry_has_gets_a_column_and_those_without_it_a_dash():
    records = [with_scores("a", "iou@10%"), with_scores("b", "recall@5%", "iou@20%", "iou@10%")]
    iou, recall, _ = tables(benchmark(), records)
    assert iou.columns == ("", "10%", "20%")
    assert [[cell[0] for cell in row.cells] for row in iou.rows] == [["5", "–"], ["5", "5"]]
    assert recall.title.startswith("recall in per cent")
    assert [row.cells[0][0] for row in recall.rows] == ["–", "5"]


def difference(score, minus):
    of = record("x", [minus]).differences[0]
    return of.model_copy(update={"score": score})


def test_a_difference_that_only_the_later_of_two_entries_has_is_told():
    one = record("a", ()).model_copy(update={"differences": [difference("iou", "b")]})
    both = [difference("iou", "a"), difference("recall", "a")]
    other = record("b", ()).model_copy(update={"differences": both})
    told = next(t for t in tables(benchmark(), [one, other]) if t.title.startswith("Differences"))
    assert [(row.label, row.cells[0]) for row in told.rows] == [
        ("a − b", "iou"),
        ("b − a", "recall"),
    ]


def test_a_contrast_of_an_entry_that_has_no_record_is_left_out():
    contrasts = (SimpleNamespace(title="t", of="gone", minus="a"),)
    of = SimpleNamespace(**{**vars(benchmark()), "contrasts": contrasts})
    assert tables(of, run())[-1].rows == ()


def test_the_overview_has_the_headline_score_of_each_entry_in_each_benchmark():
    one = [with_scores("a", "iou", "more"), with_scores("b", "iou")]
    other = [with_scores("b", "recall"), record("floor", (), "floor"), with_scores("c", "recall")]
    runs = [
        (None, [of.model_copy(update={"benchmark": "first"}) for of in one]),
        (None, [of.model_copy(update={"benchmark": "second"}) for of in other]),
    ]
    table = overview("Both", runs)
    assert table.title == "Both: headline scores in per cent"
    assert table.columns == ("", "first: iou", "second: recall")
    value = "50.0\n40.0–60.0"
    assert [(row.label, row.role, row.cells) for row in table.rows] == [
        ("a", "entry", (value, "–")),
        ("b", "entry", (value, value)),
        ("floor", "floor", ("–", "–")),
        ("c", "entry", ("–", value)),
    ]


def test_of_a_grid_only_entries_that_differ_on_one_axis_are_compared():
    cells = {
        "a": {"loss": "x", "net": "1"},
        "b": {"loss": "y", "net": "1"},
        "floor: a": {"net": "1"},
        "floor: b": {"net": "2"},
        "random": {},
    }
    records = [
        record(label, [other for other in LABELS if other != label], of.role)
        for label, of in zip(LABELS, run(), strict=True)
    ]
    far = {**cells, "b": {"loss": "y", "net": "2"}}
    for of_label, wanted in ((cells, "a − b"), (far, None)):
        lines = [SimpleNamespace(label=label, cell=cell) for label, cell in of_label.items()]
        of = SimpleNamespace(**{**vars(benchmark()), "lines": lines})
        table = next(t for t in tables(of, records) if t.title.startswith("Differences"))
        labels = [row.label for row in table.rows if row.label.startswith("a")]
        assert labels == [*([wanted] if wanted else []), "a − floor: a", "a − random"]
        assert table.title.endswith(", of entries that differ on one axis of the grid")
