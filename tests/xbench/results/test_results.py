"""Tables of results: which differences are told, and what artefacts say."""

from types import SimpleNamespace

from xbench.results.record import DifferenceRecord, IntervalRecord, Record, ScoreRecord
from xbench.results.tables import artefact_lines, tables, unscored


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
    return SimpleNamespace(contrasts=(), published=None, protocol=protocol)


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
    assert unpaired.cells[-1] == "a tie (unpaired)"


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
    title = "Differences in the headline score in percentage points, paired by prediction"
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
