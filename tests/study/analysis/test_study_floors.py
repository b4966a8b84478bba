"""Floors beside people's answers: named simulated everywhere, and in no number of people."""

import numpy as np
import pytest

from xbench import Draws, Resampling
from xbench_study.analysis.analysis import analysed
from xbench_study.analysis.floors import floors

FEW = Resampling(resamples=200)
OBSERVER = "simulated observer: With maps"


def observed(secrets, wrong):
    """The secrets with an observer who is right but about these images."""
    return {
        key: of.model_copy(
            update={"simulated": {OBSERVER: list(of.classes)[of.image in wrong]}},
        )
        for key, of in secrets.items()
    }


def analysis(study, rows, secrets):
    return analysed(study.answers(rows), study.description(), secrets, resampling=FEW)


def test_guessing_and_observers_are_shares_of_images(study):
    rows, secrets = study.wrong_label(images=10)
    known = observed(secrets, {0, 3, 6})
    observer, guessing = floors(study.answers(rows), known, Draws(FEW))
    assert observer.label == OBSERVER
    assert observer.estimate().value == 0.7
    assert observer.estimate("C1").value == 0.25  # images 0, 3, 6 and 9
    assert guessing.label == "simulated guessing"
    assert tuple(guessing.estimate()) == pytest.approx((0.2, 0.2, 0.2))
    assert np.isnan(guessing.estimate("C9").value)


def test_an_observer_is_right_only_about_images_that_people_were_asked_about(study):
    rows, secrets = study.wrong_label(images=10)
    some = [row for row in rows if row["image"] > 4]
    observer, _ = floors(study.answers(some), observed(secrets, {0, 1, 9}), Draws(FEW))
    assert observer.estimate().value == 0.8


def test_every_floor_is_named_simulated_in_tables_and_in_the_picture(study):
    rows, secrets = study.wrong_label()
    of = analysis(study, rows, observed(secrets, {1}))
    (table,) = [one for one in of.tables if one.title.startswith("Floors")]
    assert "simulated" in table.title
    assert [row.label.startswith("simulated") for row in table.rows] == [True, True]
    assert "No result about people" in table.legend
    (drawing,) = of.drawings
    assert f"Simulated, no people: {OBSERVER}: all 96.7" in drawing.text
    assert "Floors are simulated" in drawing.caption
    labels = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert sum(label.startswith("simulated") for label in labels) == 2


def test_simulated_answers_change_no_number_of_people(study):
    rows, secrets = study.wrong_label()
    with_it, without = (analysis(study, rows, known) for known in (observed(secrets, {1}), secrets))
    assert with_it.conclusion == without.conclusion
    own = [one for one in with_it.tables if not one.title.startswith("Floors")]
    assert own == [one for one in without.tables if not one.title.startswith("Floors")]


def test_answers_that_are_not_right_or_wrong_have_no_floor(study):
    rows, secrets = study.wrong_label()
    known = {key: of.model_copy(update={"right": []}) for key, of in secrets.items()}
    assert floors(study.answers(rows), known, Draws(FEW)) == []
