"""Rows and scores of the spurious-recovery protocol."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from named_cases import ids_of
from xbench import Case, CaseScores, Concept, Resampling, summarised
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.spurious.rows import SCHEMA, ImageRows, Scenario, rows_table
from xbench_ces.spurious.summary import (
    Scoring,
    best_rank,
    by_guessing,
    case_scores,
    scores_in,
    table_notes,
)

SNOW, WATER, HORSE = (
    Scenario("dog", "snow"),
    Scenario("bird", "water", synonyms=("sea", "lake")),
    Scenario("dog", "horse", concept="pony"),
)
CONCEPTS = ("snow", "water", "sea", "pony", "fence", "sand", "dark")
SCORING = Scoring((SNOW, WATER, HORSE), (0.6, 1.0), 0.9, (1, 2, 3), 3, (1, 3, 5), 3)


def explained(raw: Mapping[str, float], probability=0.4, predicted=0) -> ConceptScores:
    concepts = tuple(Concept(name, "any") for name in raw)
    values = torch.tensor(list(raw.values()), dtype=torch.float64)
    return ConceptScores(concepts, values, values / 2, probability, 0, predicted)


def images(seed: int, count: int = 9, names: Sequence[str] = CONCEPTS) -> list[ImageRows]:
    """Random images of all scenarios and strengths; many ties; images serve several scenarios."""
    source, images_of_seed = np.random.default_rng(seed), []
    for scenario in SCORING.scenarios:
        for strength in SCORING.strengths:
            for which in ("out", "in"):
                for image in range(count):
                    raw = {name: float(source.integers(-3, 4)) / 4 for name in names}
                    predicted, probability = int(source.integers(2)), float(source.uniform(0.5, 1))
                    # the place in its scenario's list, and the order of ids, which is another
                    number = 100 + (image * 7) % 60
                    case = Case("test", number, (f"{scenario.label} at {strength:g}", which))
                    head = (case, image, 0, scenario.label, strength, which, number, 0)
                    scores = explained(raw) if which == "out" else None
                    images_of_seed.append(ImageRows(*head, predicted, probability, scores))
    return images_of_seed


def out_case(image: int) -> Case:
    return Case("test", image, ("dog(snow) at 1", "out"))


def by_name(table: pa.Table, scoring: Scoring = SCORING) -> dict[str, CaseScores]:
    return {score.name: score for score in case_scores(table, scoring)}


def slow_rank(raw: Mapping[str, float], name: str) -> float:
    """The mean of the places that the concept may have in a list sorted by score."""
    ordered = sorted(raw.values(), reverse=True)
    places = [place + 1 for place, value in enumerate(ordered) if value == raw[name]]
    return sum(places) / len(places)


def slow_recovery(rows: Sequence[dict], scenario: Scenario, top: int, names: Sequence[str]):
    """Image by image: 1 if one of these concepts is among the first `top`."""
    recoveries = []
    for place in sorted({row["place"] for row in rows}):
        of_image = [row for row in rows if row["place"] == place]
        raw = {row["concept"]: row["raw"] for row in of_image}
        ranks = [slow_rank(raw, name) for name in names if name in raw]
        recoveries.append((of_image[0]["image"], float(any(rank <= top for rank in ranks)), ranks))
    return recoveries


def rows_of(table: pa.Table, scenario: Scenario, strength=1.0, which="out") -> list[dict]:
    key = (scenario.label, strength, which)
    return [r for r in table.to_pylist() if (r["scenario"], r["strength"], r["set"]) == key]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("names", [CONCEPTS, CONCEPTS[1:], ("fence", "dark")], ids=len)
def test_scores_equal_those_of_slow_loops(seed: int, names: Sequence[str]) -> None:
    table = rows_table(images(seed, names=names))
    scores = by_name(table)
    for top in SCORING.tops:
        everything = []
        for scenario in SCORING.scenarios:
            slow = slow_recovery(rows_of(table, scenario), scenario, top, [scenario.true_concept])
            ours = scores[f"recovery at {top}@{scenario.label}"]
            assert [*zip(ids_of(ours.cases), ours.values, strict=True)] == [
                (i, v) for i, v, _ in slow
            ]
            assert ours.clusters[0].tolist() == [f"test/{i}" for i, _, _ in slow]
            assert ours.chance == pytest.approx(min(1, top / len(names)))
            everything += [value for _, value, _ in slow]
        average = scores[f"average recovery at {top}"]
        assert average.values.tolist() == everything
        assert average.headline == (top == 3)
    for scenario in SCORING.scenarios:
        slow = slow_recovery(rows_of(table, scenario), scenario, 3, [scenario.true_concept])
        ranks = scores[f"mean rank@{scenario.label}"]
        expected = [ranks[0] if ranks else np.nan for _, _, ranks in slow]
        np.testing.assert_array_equal(ranks.values, expected)
        assert (ranks.unit, ranks.direction) == ("number", "lower")
        assert ranks.chance == (len(names) + 1) / 2
    slow = slow_recovery(rows_of(table, WATER), WATER, 3, ["water", "sea", "lake"])
    alike = scores["recovery at 3 with synonyms@bird(water)"]
    assert alike.values.tolist() == [value for _, value, _ in slow]
    assert not [name for name in scores if "synonyms@dog" in name]


@pytest.mark.parametrize("seed", range(3))
def test_recovery_by_prediction_equals_that_of_slow_loops(seed: int) -> None:
    table = rows_table(images(seed, count=20))
    scores = by_name(table)
    slow: dict[str, list[float]] = {}
    for scenario in SCORING.scenarios:
        rows = rows_of(table, scenario)
        for place, (_, value, _) in zip(
            sorted({row["place"] for row in rows}),
            slow_recovery(rows, scenario, 3, [scenario.true_concept]),
            strict=True,
        ):
            row = next(row for row in rows if row["place"] == place)
            correct = row["label"] == row["predicted"]
            kind = "right with low confidence" if correct else "misclassified"
            confident = correct and row["probability"] >= 0.9
            for group in ["right and confident"] if confident else [kind, "wrong or unsure"]:
                slow.setdefault(group, []).append(value)
    assert len(slow) == 4
    for kind, values in slow.items():
        assert scores[f"recovery at 3 by prediction@{kind}"].values.tolist() == values


@pytest.mark.parametrize("which", ["in", "out"])
def test_accuracies_count_right_predictions(which: str) -> None:
    table = rows_table(images(1))
    word = f"accuracy {which} {'' if which == 'in' else 'of '}distribution"
    for scenario in SCORING.scenarios:
        rows = {row["place"]: row for row in rows_of(table, scenario, which=which)}
        expected = [float(row["label"] == row["predicted"]) for _, row in sorted(rows.items())]
        assert by_name(table)[f"{word}@{scenario.label}"].values.tolist() == expected


def test_batches_sum_the_scores_of_disjoint_images() -> None:
    table = rows_table(images(2, count=11))
    scores = by_name(table)
    for scenario in SCORING.scenarios:
        name = scenario.true_concept
        raw: dict[int, dict[str, float]] = {}
        for row in rows_of(table, scenario):
            raw.setdefault(row["image"], {})[row["concept"]] = row["raw"]
        batches = scores[f"recovery at 3 in batches of 3@{scenario.label}"]
        assert len(batches.cases) == len(set(batches.cases)) == 3  # two images fill no batch
        possible: dict[int, set[float]] = {}
        for three in combinations(raw, 3):
            summed = {c: sum(raw[image][c] for image in three) for c in CONCEPTS}
            for image in three:
                possible.setdefault(image, set()).add(float(slow_rank(summed, name) <= 3))
        for image, value in zip(ids_of(batches.cases), batches.values, strict=True):
            assert value in possible[image]


def test_batches_of_copies_are_like_their_images() -> None:
    originals = images(4, count=6)
    first = {image.scenario: image.scores for image in originals[::-1] if image.which == "out"}
    copies = [i._replace(scores=i.scores and first[i.scenario]) for i in originals]
    scores = by_name(rows_table(copies))
    for scenario in SCORING.scenarios:
        batches = scores[f"recovery at 3 in batches of 3@{scenario.label}"].values
        alone = scores[f"recovery at 3@{scenario.label}"].values
        assert set(batches) == set(alone)


def test_batches_of_one_are_single_images() -> None:
    scores = by_name(rows_table(images(3)))
    singles, ones = scores["average recovery at 3"], scores["recovery at 3 by images together@1"]
    pairs = [sorted(zip(s.cases, s.values, strict=True)) for s in (singles, ones)]
    assert pairs[0] == pairs[1]
    assert singles.chance == pytest.approx(ones.chance)


def test_batches_recover_a_weak_signal_that_single_images_hide() -> None:
    source, noisy_images = np.random.default_rng(0), []
    for image in range(60):
        raw = {f"other {n}": float(source.normal()) for n in range(60)}
        raw["snow"] = float(source.normal()) + 1.5
        head = (out_case(image), image, 0, SNOW.label, 1.0, "out", image, 0, 1, 0.2)
        noisy_images.append(ImageRows(*head, explained(raw)))
    scoring = Scoring((SNOW,), (1.0,), 0.9, (1, 5, 10), 5, (3,), 3)
    means = [
        by_name(rows_table(noisy_images), scoring)[
            f"recovery at 3 by images together@{n}"
        ].values.mean()
        for n in (1, 5, 10)
    ]
    assert means[0] < 0.7
    assert 0.9 < means[1] <= means[2]


@given(count=st.integers(1, 200), top=st.integers(1, 8), targets=st.integers(1, 4))
def test_guessing_is_the_share_of_all_choices(count: int, top: int, targets: int) -> None:
    (chance,) = by_guessing(np.array([count]), top, targets)
    if targets == 1:
        assert chance == pytest.approx(min(1, top / count))
    if count <= 9:
        choices = list(combinations(range(count), min(top, count)))
        hit = [any(place < targets for place in choice) for choice in choices]
        assert chance == pytest.approx(np.mean(hit))
    assert 0 <= chance <= 1
    assert by_guessing(np.array([0]), top).tolist() == [0.0]


def test_random_scores_recover_what_guessing_does() -> None:
    source = np.random.default_rng(5)
    raw = source.normal(size=(40_000, 20))
    for columns in ([4], [4, 11, 17]):
        (chance,) = by_guessing(np.array([20]), 3, len(columns))
        rate = (best_rank(raw, columns) <= 3).mean()
        assert rate == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / len(raw)))


def test_perfect_scores_recover_everything() -> None:
    perfect_images = [
        image._replace(
            scores=image.scores and explained(dict.fromkeys(CONCEPTS, 0.0) | _best(image))
        )
        for image in images(0)
    ]
    scores = by_name(rows_table(perfect_images))
    for name, score in scores.items():
        if name.startswith(("recovery", "average recovery")):
            if len(SCORING.strengths) and "prediction" not in name:
                assert score.values.size
            assert (score.values == 1).all(), name
    assert (scores["average mean rank"].values == 1).all()


def _best(image: ImageRows) -> dict[str, float]:
    scenario = next(s for s in SCORING.scenarios if s.label == image.scenario)
    return {scenario.true_concept: 0.5}


@given(
    raw=st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=9),
    column=st.integers(0, 8),
)
def test_ranks_are_the_mean_of_the_places_of_equal_scores(raw: list[float], column: int) -> None:
    column %= len(raw)
    values = dict(enumerate(raw))
    (rank,) = best_rank(np.array([raw]), [column])
    assert rank == slow_rank(values, column)
    assert 1 <= rank <= len(raw)


def test_equal_scores_do_not_count_as_recovered_by_their_place_in_the_list() -> None:
    raw = np.zeros((1, 156))
    assert best_rank(raw, [0]) == best_rank(raw, [155]) == 78.5


def test_a_concept_that_is_not_kept_has_no_rank() -> None:
    raw = np.array([[0.5, np.nan, 0.2], [0.1, 0.3, 0.2]])
    np.testing.assert_array_equal(best_rank(raw, [1]), [np.nan, 1.0])
    np.testing.assert_array_equal(best_rank(raw, [2]), [2.0, 2.0])
    np.testing.assert_array_equal(best_rank(raw, [1, 2]), [2.0, 1.0])
    np.testing.assert_array_equal(best_rank(raw, []), [np.nan, np.nan])


def test_a_true_concept_that_is_not_kept_is_not_recovered_and_named() -> None:
    table = rows_table(images(0, names=("water", "sand", "fence", "dark")))
    scores, notes = by_name(table), table_notes(table, SCORING)
    assert not scores["recovery at 3@dog(snow)"].values.any()
    assert np.isnan(scores["mean rank@dog(snow)"].values).all()
    assert scores["recovery at 3@bird(water)"].values.any()
    assert notes["true_concepts_not_kept"] == ["dog(snow)", "dog(horse)"]
    assert notes["scenarios"]["dog(horse)"]["true_concept"] == "pony"


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_concepts_rows_and_shards_changes_nothing(seed: int) -> None:
    rows_of_images = images(seed)
    order = np.random.default_rng(seed).permutation(len(CONCEPTS))
    moved = [
        image._replace(scores=image.scores and _permuted(image.scores, order))
        for image in rows_of_images
    ]
    whole, shuffled = by_name(rows_table(rows_of_images)), rows_table(moved)
    rows = np.random.default_rng(seed + 9).permutation(len(shuffled))
    parts = pa.concat_tables([rows_table(rows_of_images[:50]), rows_table(rows_of_images[50:])])
    for table in (shuffled, shuffled.take(rows), parts):
        for name, score in by_name(table).items():
            np.testing.assert_array_equal(score.values, whole[name].values)
            np.testing.assert_array_equal(score.cases, whole[name].cases)


def _permuted(scores: ConceptScores, order: np.ndarray) -> ConceptScores:
    return explained({scores.concepts[n].name: float(scores.raw[n]) for n in order})


def test_strengths_are_scored_apart_and_the_largest_decides() -> None:
    all_images = images(6)
    table = rows_table(all_images)
    scores = by_name(table)
    weaker = rows_table(
        [image._replace(strength=1.0) for image in all_images if image.strength == 0.6]
    )
    only = SCORING._replace(strengths=(1.0,))
    expected = by_name(weaker, only)["average recovery at 3"].values
    np.testing.assert_array_equal(scores["recovery at 3 by strength@60 %"].values, expected)
    np.testing.assert_array_equal(
        scores["recovery at 3 by strength@100 %"].values, scores["average recovery at 3"].values
    )
    assert not [name for name in by_name(weaker, only) if "strength" in name]


def test_names_do_not_depend_on_what_was_evaluated() -> None:
    whole, nothing = images(0), rows_table([])
    part = rows_table(whole[:3])
    assert list(by_name(nothing)) == list(by_name(part)) == list(by_name(rows_table(whole)))
    for score in by_name(nothing).values():
        summary = summarised([score], Resampling(resamples=10))
        assert np.isnan(summary.value)
        assert summary.n == 0
    assert table_notes(nothing, SCORING)["scenarios"]["dog(snow)"]["explained"] == 0
    assert table_notes(nothing, SCORING)["true_concepts_not_kept"] == []


def test_one_score_decides() -> None:
    headlines = [
        score.name for score in case_scores(rows_table(images(0)), SCORING) if score.headline
    ]
    assert headlines == ["average recovery at 3"]


def test_repeats_are_kept_apart_in_notes() -> None:
    first = images(0)
    again = [image._replace(repeat=1) for image in images(1)]
    both = pa.concat_tables([rows_table(first), rows_table(again)])
    facts = table_notes(both, SCORING)["scenarios"]["dog(snow)"]
    assert facts["explained"] == 18
    alone = [
        table_notes(rows_table(notes), SCORING)["scenarios"]["dog(snow)"]
        for notes in (first, again)
    ]
    for kind, count in facts["predictions"].items():
        assert count == sum(notes["predictions"][kind] for notes in alone)


def test_notes_say_what_scores_rest_on() -> None:
    raw = {"snow": 0.6, "sand": -0.4, "fence": 0.1, "dark": -0.3999999}
    head = (out_case(7), 0, 0, SNOW.label, 1.0, "out", 7, 0, 1, 0.4)
    inside = ImageRows(
        Case("test", 8, ("dog(snow) at 1", "in")), 0, 0, SNOW.label, 1.0, "in", 8, 0, 0, 0.9
    )
    table = rows_table([ImageRows(*head, explained(raw)), inside])
    facts = table_notes(table, SCORING)["scenarios"]["dog(snow)"]
    assert facts == {
        "explained": 1,
        "true_concept": "snow",
        "true_concept_kept": 1.0,
        "concepts_kept": 4.0,
        "saturated_concepts": 0.75,
        "accuracy_in_distribution": 1.0,
        "accuracy_out_of_distribution": 0.0,
        "predictions": {
            "wrong or unsure": 1,
            "misclassified": 1,
            "right with low confidence": 0,
            "right and confident": 0,
        },
    }


def test_rows_have_the_stated_columns_and_one_row_for_each_concept() -> None:
    table = rows_table(images(0, count=2))
    assert table.schema == SCHEMA
    rows = rows_of(table, SNOW)
    assert len(rows) == 2 * len(CONCEPTS)
    assert [row["concept"] for row in rows[: len(CONCEPTS)]] == list(CONCEPTS)
    assert {row["bank"] for row in rows} == {len(CONCEPTS)}
    assert rows[0]["logarithmic"] == rows[0]["raw"] / 2
    (first, _) = rows_of(table, SNOW, which="in")
    assert first["concept"] is None
    assert np.isnan(first["raw"])
    assert first["bank"] == 0


def test_an_image_of_an_empty_bank_recovers_nothing() -> None:
    head = (out_case(7), 0, 0, SNOW.label, 1.0, "out", 7, 0, 1, 0.4)
    table = rows_table([ImageRows(*head, explained({}))])
    scores = scores_in(table, SNOW, 1.0)
    assert scores.raw.shape == (1, 0)
    assert by_name(table)["recovery at 3@dog(snow)"].values.tolist() == [0.0]
    assert by_name(table)["recovery at 3@dog(snow)"].chance == 0.0
