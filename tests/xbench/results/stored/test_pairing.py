"""Comparisons of stored entries: what can be paired, and what that gives."""

import numpy as np
import pytest

from xbench.errors import MismatchError
from xbench.interfaces.protocol import CaseScores
from xbench.results.record import IntervalRecord, Record, ScoreRecord
from xbench.results.scores_file import scores_table
from xbench.results.stored.pairing import Judged, compared, conclusion, paired_table

PROTOCOL = {"kind": "protocol", "name": "p", "version": "1", "parameters": {"k": 3}}
TEST = {"dataset": {"name": "d"}, "split": "test", "fingerprint": "f"}


def judged(label, values, *, cases=None, direction="higher", headline=True, clusters=(), **fields):
    """An entry with one score of these values."""
    names = np.array([f"test/{n}" for n in cases or range(len(values))], object)
    values = np.asarray(values, float)
    score = CaseScores("s", direction, names, values, headline=headline, clusters=clusters)
    numbers = {"value": 0, "low": 0, "high": 0, "n": 1, "n_unscored": 0, "deviation": None}
    usual = {
        "benchmark": "b",
        "benchmark_version": "1",
        "protocol": PROTOCOL,
        "datasets": {"test": TEST},
        "components": {},
        "seeds": [0],
        "device": "cpu",
        "packages": {"torch": "2"},
        "status": "complete",
        "compared_set": None,
    }
    record = Record.model_construct(
        key=f"key of {label}",
        label=label,
        scores=[ScoreRecord(name="s", direction=direction, headline=headline, **numbers)],
        rows=[[]],
        intervals=IntervalRecord(level=0.95, resamples=200, seed=0),
        **{**usual, **fields},
    )
    return Judged(record, scores_table([[score]]))


HIGH, LOW = [0.8, 0.9, 0.7, 0.8], [0.1, 0.2, 0.1, 0.2]


@pytest.mark.parametrize(
    ("one", "two", "direction", "verdict"),
    [
        (HIGH, LOW, "higher", "better"),
        (HIGH, LOW, "lower", "worse"),
        (LOW, HIGH, "higher", "worse"),
        (HIGH, HIGH, "higher", "tie"),
        ([np.nan] * 4, HIGH, "higher", "not computable"),
    ],
)
def test_the_verdict_follows_the_interval_and_the_direction(one, two, direction, verdict):
    made = compared(judged("a", one, direction=direction), judged("b", two, direction=direction))
    (score,) = made.scores
    assert score.verdict == verdict
    assert score.difference.paired
    (sentence,) = conclusion(made)
    words = {"tie": "ties with", "not computable": "and 'b' cannot be compared"}
    assert f"In s 'a' {words.get(verdict, f'is {verdict} than')}" in sentence


def test_a_score_without_a_direction_is_higher_or_lower_and_never_better():
    a, b = (
        judged(label, values, direction="none", headline=False)
        for label, values in (("a", HIGH), ("b", LOW))
    )
    assert [score.verdict for score in compared(a, b).scores] == ["higher"]
    assert conclusion(compared(b, a)) == ("Of 1 other score: lower in 1.",)


def test_both_values_and_the_difference_are_over_the_same_cases():
    a, b = judged("a", [1.0, 0.5, np.nan]), judged("b", [0.5, 0.0, 1.0, 1.0])
    (score,) = compared(a, b).scores
    assert (score.of, score.minus, score.difference.value, score.difference.n) == (
        0.75,
        0.25,
        0.5,
        2,
    )
    assert compared(a, b).warnings == ("compared on the 3 cases of both; a has 3, b 4",)


def test_a_score_of_other_cases_of_the_same_images_is_compared_unpaired():
    def entry(label, right):
        """A score of all four images, and one of those that it gets right."""
        whole, names = judged(label, HIGH), np.array([f"test/{n}" for n in range(4)], object)
        (every,) = whole.record.scores
        some = every.model_copy(update={"name": "right", "direction": "none", "headline": False})
        scores = [
            CaseScores("s", "higher", names, np.array(HIGH)),
            CaseScores("right", "none", names[list(right)], np.linspace(0.5, 0.9, len(right))),
        ]
        record = whole.record.model_copy(update={"scores": [every, some]})
        return Judged(record, scores_table([scores]))

    made = compared(entry("a", (0, 1, 2)), entry("b", (1, 3)))
    assert [(of.score.name, of.difference.paired) for of in made.scores] == [
        ("s", True),
        ("right", False),
    ]
    words = [row.cells[-1] for row in paired_table(made).rows]
    assert words[0] == "tie"
    assert words[1].endswith(" (unpaired)")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"protocol": {**PROTOCOL, "name": "q"}}, "protocol 'p' scored the one, 'q' the other"),
        ({"protocol": {**PROTOCOL, "version": "2"}}, "versions 1 and 2 of protocol p"),
        ({"protocol": {**PROTOCOL, "parameters": {"k": 4}}}, r"parameter 'k' .* \(3 and 4\)"),
        ({"benchmark_version": "1+ekl"}, "nothing and ekl"),
        ({"compared_set": "c"}, "what else was compared"),
        ({"datasets": {"test": {**TEST, "fingerprint": "g"}}}, "the images of 'test' differ"),
        ({"cases": [7, 8, 9, 10]}, "no case in common"),
        ({"clusters": (np.array(list("aabb"), object),)}, "grouped in different ways"),
    ],
)
def test_what_cannot_be_paired_is_refused_with_a_reason(fields, said):
    with pytest.raises(MismatchError, match=said):
        compared(judged("a", HIGH), judged("b", LOW, **fields))


def test_other_images_are_compared_unpaired_where_that_is_asked_for():
    other = judged("b", LOW, cases=[7, 8, 9, 10], datasets={"test": {**TEST, "fingerprint": "g"}})
    (score,) = compared(judged("a", HIGH), other, unpaired=True).scores
    assert (score.difference.paired, score.verdict) == (False, "better")
    (score,) = compared(judged("a", HIGH), judged("b", LOW), unpaired=True).scores
    assert not score.difference.paired


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"packages": {"torch": "3"}}, "versions of torch differ: 2 and 3"),
        ({"benchmark": "c"}, "benchmark differ: b 1 and c 1"),
        ({"seeds": [1]}, "seeds differ: 0 and 1"),
        ({"status": "awaiting-answers"}, "not both are complete"),
    ],
)
def test_what_does_not_forbid_pairing_is_told(fields, said):
    assert any(
        said in line for line in compared(judged("a", HIGH), judged("b", LOW, **fields)).warnings
    )


def test_records_without_a_common_score_are_refused():
    other = judged("b", LOW)
    scores = [other.record.scores[0].model_copy(update={"name": "t"})]
    table = other.scores.slice(0, 0)
    bare = Judged(other.record.model_copy(update={"scores": scores}), table)
    with pytest.raises(MismatchError, match="no case in common"):
        compared(judged("a", HIGH), bare)
