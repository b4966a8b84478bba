"""Scores, notes and pictures of the human-fit protocol, from rows that are made here."""

import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.stats import spearmanr

from people_drawn import counts_drawn, probabilities_drawn
from xbench import AnnotatorLabels, Case, Resampling
from xbench_softlabels.fit.ceilings import people_ceilings
from xbench_softlabels.fit.entropy_bins import NAMES, entropy_bins
from xbench_softlabels.fit.figures import figures
from xbench_softlabels.fit.notes import notes_by_label
from xbench_softlabels.fit.people import People
from xbench_softlabels.fit.protocol import HumanFit
from xbench_softlabels.fit.rows import Answers, answer_rows, fit_columns
from xbench_softlabels.fit.summary import case_scores
from xbench_softlabels.kernels.resampled_t import corrected_resampled_t

COUNT = 120


def rows(seed: int = 0, repeat: int = 0, *, simulated: bool = False, folds: int = 1) -> pa.Table:
    counts, q = counts_drawn(0, images=COUNT), probabilities_drawn(seed, images=COUNT)
    labels = counts.argmax(1)
    said = [People(labels[f::folds], counts[f::folds], simulated) for f in range(folds)]
    parts = [
        Answers(
            [Case("test", n) for n in range(f, COUNT, folds)],
            repeat,
            f,
            said[f],
            np.log(q[f::folds]),
        )
        for f in range(folds)
    ]
    return pa.concat_tables([answer_rows(part) for part in parts]).unify_dictionaries()


@pytest.fixture(scope="module")
def scores():
    return {score.name: score for score in case_scores(rows())}


def test_one_score_decides_and_it_is_the_cross_entropy_to_people(scores):
    assert [name for name, score in scores.items() if score.headline] == ["cross-entropy@people"]
    assert next(iter(scores)) == "cross-entropy@people"
    score, columns = scores["cross-entropy@people"], fit_columns(rows())
    assert (score.direction, score.unit, score.chance) == ("lower", "number", math.log(4))
    np.testing.assert_array_equal(score.values, columns.cross_entropy)
    np.testing.assert_array_equal(
        scores["cross-entropy@labels"].values, columns.label_cross_entropy
    )


def test_chance_is_what_the_same_probability_of_all_classes_scores(scores):
    columns = fit_columns(rows())
    even = [Case("test", n) for n in range(COUNT)]
    people = People(columns.labels, columns.counts, simulated=False)
    uniform = answer_rows(Answers(even, 0, 0, people, np.full((COUNT, 4), -math.log(4))))
    of_uniform = {score.name: score.values.mean() for score in case_scores(uniform)}
    for name in (
        "cross-entropy@people",
        "cross-entropy@labels",
        "Brier score@people",
        "Brier score@labels",
    ):
        assert scores[name].chance == pytest.approx(of_uniform[name]), name
    assert scores["accuracy"].chance == 1 / 4


def test_the_mean_of_the_entropy_correlation_is_spearmans(scores):
    columns = fit_columns(rows())
    expected = spearmanr(columns.entropy, columns.human_entropy)[0]
    assert scores["entropy correlation"].values.mean() == pytest.approx(expected)


def test_second_best_accuracy_is_of_images_with_a_second_class_alone(scores):
    score, columns = scores["second-best accuracy"], fit_columns(rows())
    ordered = np.sort(columns.counts, 1)[:, ::-1]
    unique = ordered[:, 1] > ordered[:, 2]
    assert score.cases.tolist() == columns.cases[unique].tolist()
    human = [np.argsort(-row, kind="stable")[1] for row in columns.counts[unique]]
    np.testing.assert_array_equal(score.values, columns.second[unique] == human)


def test_divergences_part_the_images_and_are_never_negative(scores):
    parts = [score for name, score in scores.items() if name.startswith("divergence@")]
    assert sorted(case for part in parts for case in part.cases) == sorted(
        f"test/{n}" for n in range(COUNT)
    )
    columns = fit_columns(rows())
    total = sum(part.values.sum() for part in parts)
    assert total == pytest.approx((columns.cross_entropy - columns.human_entropy).sum())
    assert all((part.values >= -1e-12).all() for part in parts)


def test_confidence_is_told_apart_by_whether_it_is_right(scores):
    columns = fit_columns(rows())
    right = columns.predicted == columns.labels
    np.testing.assert_array_equal(scores["confidence@right"].values, columns.confidence[right])
    np.testing.assert_array_equal(scores["confidence@wrong"].values, columns.confidence[~right])
    assert scores["confidence@right"].direction == "none"


def test_yardsticks_stand_in_their_order(scores):
    means = {
        name: scores[f"yardstick@{name}"].values.mean()
        for name in ("entropy", "true class", "prior")
    }
    assert means["entropy"] < means["true class"] < means["prior"]
    network = scores["cross-entropy@people"].values
    assert (scores["yardstick@entropy"].values <= network + 1e-12).all()


def test_simulated_annotators_are_called_so_wherever_people_would_be():
    names = [score.name for score in case_scores(rows(simulated=True))]
    assert names[0] == "cross-entropy@simulated annotators"
    assert not any("people" in name for name in names)
    notes = notes_by_label({"x": rows(simulated=True)}, 0)["x"]
    assert notes["annotators"] == "simulated annotators"
    assert "people" not in notes["calibration"]
    drawn = figures({"x": [rows(simulated=True)]}, {"x": "entry"}, Resampling(resamples=20), 0)
    texts = [
        label.get_text()
        for drawing in drawn.values()
        for ax in drawing.figure.axes
        for label in (ax.xaxis.label, ax.yaxis.label, ax.title)
    ]
    words = " ".join([*texts, *(d.title + d.caption + d.text for d in drawn.values())])
    assert "simulated annotators" in words
    assert "people" not in words


def test_bins_are_fixed_and_agreement_has_its_own():
    values = np.array([0, 1e-9, 0.125, 0.1251, 0.5, 1.0, 1.01])
    assert [NAMES[b] for b in entropy_bins(values)] == [
        "0",
        "to 0.125",
        "to 0.125",
        "to 0.25",
        "to 0.5",
        "to 1",
        "above 1",
    ]


def test_notes_hold_bounds_floors_ceilings_and_calibration():
    notes = notes_by_label({"a": rows(), "b": rows(1)}, 0)
    first, other = notes["a"], notes["b"]
    assert first["people_predict_people"] == other["people_predict_people"]
    assert first["halves"] == other["halves"]
    fit = first["cross_entropy"]
    assert fit["bounds"]["entropy"] < fit["bounds"]["miller_madow"] < fit["floors"]["prior"]
    assert fit["floors"]["uniform"] == pytest.approx(math.log(4))
    numbers = [of["annotators"] for of in first["people_predict_people"]["by_annotators"]]
    assert numbers == [1, 2, 4, 8]  # of twelve
    assert first["calibration"]["labels"] != other["calibration"]["labels"]
    assert first["accuracy"]["most_annotators"] > first["accuracy"]["one_annotator"]
    assert "folds" not in first


def test_repeats_do_not_make_people_more_than_they_are():
    once = notes_by_label({"a": rows()}, 0)["a"]
    twice = notes_by_label({"a": pa.concat_tables([rows(), rows(1, repeat=1)])}, 0)["a"]
    assert twice["halves"] == once["halves"]
    assert twice["people_predict_people"] == once["people_predict_people"]


def rows_with_annotators(repeat: int = 0, order: slice = slice(None)) -> pa.Table:
    """Two people who answered about every image, and a third who answered about one."""
    given = np.array([(n, who, (n * who) % 3) for n in range(6) for who in (0, 4)] + [(3, 2, 1)])
    counts = np.stack([np.bincount(given[given[:, 0] == n, 2], minlength=3) for n in range(6)])
    labels = AnnotatorLabels(*torch.tensor(given[order].copy()).unbind(1))
    said = People(counts.argmax(1), counts, simulated=False, given=labels)
    cases = [Case("test", n) for n in range(6)]
    return answer_rows(Answers(cases, repeat, 0, said, np.full((6, 3), -math.log(3))))


def test_rows_keep_who_said_what_and_whole_annotators_are_parted_then():
    columns = fit_columns(rows_with_annotators(order=slice(None, None, -1)))
    own = columns.given.images == 3
    said = zip(columns.given.annotators[own], columns.given.classes[own], strict=True)
    assert sorted(said) == [(0, 0), (2, 1), (4, 0)]
    notes = notes_by_label({"a": rows_with_annotators()}, 0)["a"]
    assert notes["people_predict_people"]["parted"] == notes["halves"]["parted"]
    assert notes["halves"]["parted"] == "whole annotators"
    assert [of["images"] for of in notes["people_predict_people"]["by_annotators"]] == [6]
    plain = notes_by_label({"a": rows()}, 0)["a"]
    assert plain["halves"]["parted"] == "single labels"
    for table, words in (
        (rows(), "drawn at random for each image"),
        (rows_with_annotators(), "drawn at random in one order for all images"),
    ):
        drawing = figures({"a": [table]}, {"a": "entry"}, Resampling(resamples=20), 0)
        assert words in drawing["people-predict-people"].caption


def test_repeats_do_not_double_annotators_either():
    twice = pa.concat_tables([rows_with_annotators(), rows_with_annotators(repeat=1)])
    once = people_ceilings(fit_columns(rows_with_annotators()))
    np.testing.assert_equal(people_ceilings(fit_columns(twice)), once)


def test_folds_are_told_with_how_far_they_lie_apart():
    table = rows(folds=3)
    folds = notes_by_label({"a": table}, 3)["a"]["folds"]
    columns = fit_columns(table)
    means = [columns.cross_entropy[columns.folds == fold].mean() for fold in range(3)]
    assert folds["images"] == [40, 40, 40]
    assert folds["cross_entropy"] == pytest.approx(means)
    assert folds["deviation"] == pytest.approx(np.std(means, ddof=1))


def test_folds_that_are_not_scored_count_in_the_test():
    tables = {"a": rows(folds=2), "b": rows(1, folds=2)}
    notes = HumanFit(folds=10, first_folds=2).notes(tables)
    means = [np.array(notes[label]["folds"]["cross_entropy"]) for label in "ab"]
    expected = corrected_resampled_t(means[0] - means[1], 1 / 9)
    assert notes["a"]["differences_over_folds"]["b"] == pytest.approx(expected._asdict())
    searched = HumanFit(folds=10, search_folds=3, first_folds=2).notes(tables)
    half = corrected_resampled_t(means[0] - means[1], 1 / 2)
    assert searched["a"]["differences_over_folds"]["b"] == pytest.approx(half._asdict())


def test_differences_are_tested_over_folds():
    tables = {"a": rows(folds=3), "b": rows(1, folds=3)}
    told = notes_by_label(tables, 3)
    of = [np.array(told[label]["folds"]["cross_entropy"]) for label in "ab"]
    expected = corrected_resampled_t(of[0] - of[1], 1 / 2)
    assert told["a"]["differences_over_folds"]["b"] == pytest.approx(expected._asdict())
    assert "differences_over_folds" not in notes_by_label({"a": rows(), "b": rows(1)}, 0)["a"]


def test_pictures_show_every_entry_and_say_how_to_read_them():
    tables = {label: [rows(n), rows(n, 1)] for n, label in enumerate(("a", "b"))}
    drawn = figures(tables, dict.fromkeys(tables, "entry"), Resampling(resamples=20), 0)
    assert list(drawn) == ["fit-by-entropy", "confidence", "reliability", "people-predict-people"]
    for drawing in drawn.values():
        assert "a: " in drawing.text
        assert "b: " in drawing.text
        assert "95" in drawing.caption
    wrong = fit_columns(tables["a"][0])
    value = 100 * wrong.confidence[wrong.predicted != wrong.labels].mean()
    assert f"{value:.3f}" in drawn["confidence"].text


def test_folds_have_a_picture_of_their_own():
    tables = {label: [rows(n, folds=3)] for n, label in enumerate("ab")}
    drawn = figures(tables, dict.fromkeys(tables, "entry"), Resampling(resamples=20), 3)
    assert list(drawn)[:2] == ["fit-by-entropy", "over-folds"]
    test = notes_by_label({label: of[0] for label, of in tables.items()}, 3)["b"]
    told = test["differences_over_folds"]["a"]["difference"]
    assert f"b: {told:+.3f} [" in drawn["over-folds"].text


def test_a_network_that_is_never_wrong_has_no_confidence_there():
    columns = fit_columns(rows())
    people = People(columns.labels, columns.counts, simulated=False)
    q = np.full((COUNT, 4), 0.1) + 0.6 * np.eye(4)[columns.labels]
    perfect = answer_rows(Answers([Case("test", n) for n in range(COUNT)], 0, 0, people, np.log(q)))
    scores = {score.name: score for score in case_scores(perfect)}
    assert len(scores["confidence@wrong"].values) == 0
    drawn = figures({"a": [perfect]}, {"a": "entry"}, Resampling(resamples=20), 0)
    assert "none" in drawn["confidence"].text


def test_terms_explain_every_family_of_scores():
    families = {score.name.partition("@")[0] for score in case_scores(rows())}
    unexplained = families - set(HumanFit().terms())
    assert unexplained == {"accuracy"}
