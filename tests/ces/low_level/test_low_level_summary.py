"""From rows of the low-level protocol to scores, against slow twins on made-up courses."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from xbench import Case, Concept, scores_by_name
from xbench_ces.low_level.rows import ImageStep, Target, courses, rows_table
from xbench_ces.low_level.summary import (
    Scoring,
    case_scores,
    course_judgement,
    rank_correlation,
    table_notes,
)
from xbench_ces.scores.concept_scores import ConceptScores

NAMES = ("redness", "greenness", "blur", "crimson")
TARGETS = (Target("cherry", "redness", alike=("crimson",)), Target("apple", "greenness"))
SCORING = Scoring(TARGETS, "grey", "log", 0.15, 0.8)
FALL = (0.9, 0.7, 0.4, 0.1, 0.05)


def image(
    number: int = 0,
    target: Target = TARGETS[0],
    probability=FALL,
    names=NAMES,
    predicted: int = 4,
    **curves,
) -> list[ImageStep]:
    """An image at five steps; a concept's raw and logarithmic scores are 0 unless given."""
    steps = []
    for step, value in enumerate(probability):
        raw = [curves.get(f"raw_{name}", np.zeros(5))[step] for name in names]
        log = [curves.get(name, np.zeros(5))[step] for name in names]
        scores = ConceptScores(
            concepts=tuple(Concept(name, "image qualities") for name in names),
            raw=torch.tensor(raw, dtype=torch.float64),
            logarithmic=torch.tensor(log, dtype=torch.float64),
            probability=value,
            label=4,
            predicted=predicted if step == 0 else 1,
        )
        steps.append(ImageStep(Case("test", number), target, step, step / 4, scores))
    return steps


def ramp(start: float, end: float) -> np.ndarray:
    return np.linspace(start, end, 5)


def values(steps: list[ImageStep], scoring: Scoring = SCORING) -> dict[str, float]:
    """Each score of the one image."""
    scores = scores_by_name(case_scores(rows_table(steps), scoring))
    return {name: float(score.values[0]) for name, score in scores.items()}


def test_rows_hold_everything_that_was_explained() -> None:
    steps = [*image(7, TARGETS[1], greenness=ramp(0, 1)), *image(3, redness=ramp(-1, 2))]
    first, second = courses(rows_table(steps))
    assert (first.case, first.class_name, first.matching) == ("test/3", "cherry", "redness")
    assert (second.case, second.class_name, second.matching) == ("test/7", "apple", "greenness")
    assert first.concepts == NAMES
    assert first.correct
    np.testing.assert_array_equal(first.probability, FALL)
    np.testing.assert_array_equal(first.blends, ramp(0, 1))
    np.testing.assert_array_equal(first.logarithmic[:, 0], ramp(-1, 2))
    np.testing.assert_array_equal(second.logarithmic[:, 1], ramp(0, 1))
    assert not first.raw.any()


def test_tables_of_several_shards_can_be_joined() -> None:
    import pyarrow as pa

    tables = [rows_table(image(number, redness=ramp(0, number))) for number in (1, 2)]
    both = pa.concat_tables(tables).unify_dictionaries()
    assert [course.logarithmic[-1, 0] for course in courses(both)] == [1, 2]


def test_a_matching_score_that_rises_most_explains() -> None:
    scores = values(image(redness=ramp(0.5, 2), greenness=ramp(0, 1), blur=ramp(0, -1)))
    assert scores["explained@log"] == 1
    assert scores["positive at the end@log"] == scores["rises@log"] == 1
    assert scores["rises most@log"] == scores["rises most of the targets' concepts@log"] == 1
    assert scores["size of the rise@log"] == 1.5
    assert scores["rank correlation@log"] == pytest.approx(1)
    assert scores["probability falls"] == 1


def test_raw_and_logarithmic_scores_are_judged_apart() -> None:
    scores = values(image(redness=ramp(0, 1), raw_redness=ramp(1, 0.2)))
    assert scores["explained@log"] == 1
    assert scores["explained@raw"] == scores["rises@raw"] == 0
    assert scores["positive at the end@raw"] == 1


@pytest.mark.parametrize(
    ("curves", "failing"),
    [
        ({"redness": ramp(-3, -0.1)}, "positive at the end@log"),
        ({"redness": ramp(3, 1)}, "rises@log"),
        ({"redness": np.array([1, 5, 2, 0.5, 1.1])}, "rises@log"),
        ({"redness": ramp(0, 1), "blur": ramp(-5, -3)}, "rises most@log"),
        ({"redness": ramp(0, 1), "blur": ramp(0, 1)}, "rises most@log"),
        (
            {"redness": ramp(0, 1), "greenness": ramp(0, 2)},
            "rises most of the targets' concepts@log",
        ),
    ],
)
def test_each_requirement_fails_by_itself(curves: dict, failing: str) -> None:
    scores = values(image(**curves))
    assert scores[failing] == 0
    assert scores["explained@log"] == 0


def test_only_concepts_of_other_targets_are_rivals_among_targets() -> None:
    scores = values(image(redness=ramp(0, 1), blur=ramp(0, 2)))
    assert scores["rises most@log"] == 0
    assert scores["rises most of the targets' concepts@log"] == 1


def test_concepts_that_mean_much_the_same_are_no_rivals() -> None:
    curves = {"redness": ramp(0, 1), "greenness": ramp(0, 1), "crimson": ramp(0, 9)}
    assert values(image(redness=ramp(0, 1), crimson=ramp(0, 9)))["rises most@log"] == 1
    assert values(image(0, TARGETS[1], **curves))["rises most@log"] == 0


def test_the_degenerate_case_correlates_perfectly_and_explains_nothing() -> None:
    """A step so large that it leaves nothing of the class: every raw score is −P."""
    gone = -np.array(FALL)
    curves = {f"raw_{name}": gone for name in NAMES}
    scores = values(image(**curves), SCORING._replace(score="raw"))
    assert scores["rank correlation@raw"] == pytest.approx(1)
    assert scores["rises@raw"] == 1
    assert scores["positive at the end@raw"] == scores["explained@raw"] == 0


def test_a_probability_that_does_not_fall_steadily_does_not_fall() -> None:
    assert values(image(probability=(0.9, 0.2, 0.8, 0.3, 0.85)))["probability falls"] == 0
    assert values(image(probability=(0.5, 0.6, 0.7, 0.8, 0.9)))["probability falls"] == 0
    assert values(image(probability=(0.5,) * 5))["probability falls"] == 0


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (image(predicted=2), "not_scored_wrong"),
        (image(probability=(0.1, 0.08, 0.05, 0.02, 0.01)), "not_scored_unsure"),
        (image(names=("blur", "greenness")), "not_scored_concept_not_kept"),
    ],
)
def test_what_is_not_scored_is_nan_and_counted(steps: list[ImageStep], reason: str) -> None:
    assert all(np.isnan(value) for value in values(steps).values())
    notes = table_notes(rows_table([*steps, *image(9, redness=ramp(0, 1))][: len(steps)]), SCORING)
    assert notes[reason] == 1
    assert notes["images"] == 1
    assert notes["scored"] == 0


def test_notes_tell_which_concepts_rose_most() -> None:
    steps = [*image(0, redness=ramp(0, 1)), *image(1, blur=ramp(0, 1), raw_crimson=ramp(0, 1))]
    notes = table_notes(rows_table(steps), SCORING)
    assert notes["rose_most"]["log"] == {"redness": 1, "blur": 1}
    assert notes["rose_most"]["raw"] == {"redness": 1, "crimson": 1}
    assert notes["concepts"] == len(NAMES)
    assert json.loads(json.dumps(notes)) == notes


def test_the_headline_is_that_of_the_chosen_scale_and_stands_first() -> None:
    table = rows_table(image(redness=ramp(0, 1)))
    for scale in ("raw", "log"):
        scores = case_scores(table, SCORING._replace(score=scale))
        assert [score.name for score in scores if score.headline] == [f"explained@{scale}"]
        assert scores[0].headline
        assert {score.unit for score in scores if "size" in score.name} == {"number"}


def test_chance_is_one_among_the_rivals() -> None:
    scores = scores_by_name(case_scores(rows_table(image(redness=ramp(0, 1))), SCORING))
    assert scores["rises most@log"].chance == pytest.approx(1 / 3)  # without the alike one


def test_a_single_concept_has_no_rivals_to_be_compared_with() -> None:
    scores = values(image(names=("redness",), redness=ramp(0, 1)))
    assert np.isnan(scores["rises most@log"])
    assert np.isnan(scores["explained@log"])
    assert scores["rises@log"] == 1


def test_no_rows_give_no_values() -> None:
    scores = case_scores(rows_table([]), SCORING)
    assert all(len(score.values) == 0 for score in scores)
    assert table_notes(rows_table([]), SCORING)["images"] == 0


CURVES = arrays(np.float64, 5, elements=st.integers(-4, 4).map(float))


@given(CURVES)
def test_rank_correlations_are_spearmans(curve: np.ndarray) -> None:
    correlation = rank_correlation(curve)
    if len(set(curve)) == 1:
        assert np.isnan(correlation)
    else:
        assert correlation == pytest.approx(spearmanr(curve, range(5))[0])


@given(CURVES, CURVES, CURVES, CURVES)
def test_judgements_equal_a_slow_twin(matching, rival, other, alike) -> None:
    steps = image(redness=matching, greenness=rival, blur=other, crimson=alike)
    (course,) = courses(rows_table(steps))
    judgement = course_judgement(course, SCORING, "log")
    steady = len(set(matching)) > 1 and spearmanr(matching, range(5))[0] >= 0.8 - 1e-12
    rises = [curve[4] - curve[0] for curve in (matching, rival, other)]
    expected = [
        matching[4] > 0,
        steady and rises[0] > 0,
        rises[0] > rises[1] and rises[0] > rises[2],
        rises[0] > rises[1],
    ]
    assert list(judgement[:4]) == expected
    assert judgement.explained == all(expected[:3])
    assert judgement.size == rises[0]
