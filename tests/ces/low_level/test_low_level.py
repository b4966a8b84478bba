"""The low-level protocol on drawn shapes: rows, repeatability, pictures and bad input."""

import dataclasses
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from shards import check_shards
from small_entries import entry_of
from xbench import (
    Artefacts,
    Bench,
    Case,
    Entry,
    Explainer,
    MismatchError,
    ParameterError,
    Provider,
    Resampling,
    UnknownNameError,
    UsageError,
    generator,
    scores_by_name,
)
from xbench.testing import check_component
from xbench_ces.kernels.appearance import PERTURBATIONS
from xbench_ces.low_level.protocol import LowLevelPerturbation
from xbench_ces.low_level.rows import Target, courses
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_ces.scores.floors import RandomConcepts

TARGETS = (Target("class 0", "red"), Target("class 2", "green", ("striped",)))
PROTOCOL = LowLevelPerturbation(TARGETS, steps=4, minimum_probability=0.0)
EXPLAINER = ConceptualExplanationScores(examples=20, threshold=0.6)


@pytest.fixture
def entry(make_weights, images) -> Entry:
    weights = make_weights()
    datasets = {"train": weights.plan.images, "test": images}
    return entry_of(weights.plan.classifier, datasets, explainer=EXPLAINER, label="ces")


@pytest.fixture
def artefacts(entry: Entry, provider: Provider) -> Artefacts:
    return provider.all(PROTOCOL.artefacts(entry))


def test_it_keeps_the_contract_of_components() -> None:
    check_component(PROTOCOL)
    check_component(LowLevelPerturbation())


def test_cases_are_the_test_images_of_the_targets(entry: Entry, artefacts: Artefacts) -> None:
    cases = PROTOCOL.cases(entry, artefacts)
    test = entry.datasets["test"]
    expected = [i for i in test.ids() if int(test.dataset.labels([i])[0]) in (0, 2)]
    assert cases == [Case("test", image) for image in expected]


def test_rows_are_the_explanations_of_each_step(
    entry: Entry, artefacts: Artefacts, bench: Bench
) -> None:
    cases = PROTOCOL.cases(entry, artefacts)[:3]
    image_courses = list(courses(PROTOCOL.evaluate(entry, cases, artefacts, bench)))
    assert [Case.parse(course.case) for course in image_courses] == cases
    network = bench.network(entry.classifier, artefacts["weights"])
    bank = {"bank": artefacts["explainer/bank"]}
    for course in image_courses:
        for step in range(5):
            batch = entry.datasets["test"].batch([Case.parse(course.case).id])
            images = PERTURBATIONS["grey"](batch.images, step / 4)
            alone = dataclasses.replace(batch, images=images)
            (scores,) = EXPLAINER.explain(network, alone, bank, generator(0), {})
            np.testing.assert_allclose(course.raw[step], scores.raw, atol=1e-6)
            np.testing.assert_allclose(course.logarithmic[step], scores.logarithmic, atol=1e-4)
            assert course.probability[step] == pytest.approx(scores.probability, abs=1e-6)
            assert course.blends[step] == step / 4
            assert course.concepts == tuple(concept.name for concept in scores.concepts)


@pytest.mark.parametrize("explainer", [EXPLAINER, RandomConcepts(EXPLAINER)])
def test_rows_do_not_depend_on_how_cases_are_batched(
    entry: Entry, explainer: Explainer, tmp_path: Path
) -> None:
    line = dataclasses.replace(entry, explainer=explainer)
    check_shards(PROTOCOL, line, 3, 8, tmp_path, atol=1e-6)


def test_a_random_floor_is_drawn_anew_at_each_step(
    entry: Entry, artefacts: Artefacts, bench: Bench
) -> None:
    floor = dataclasses.replace(entry, explainer=RandomConcepts(EXPLAINER))
    cases = PROTOCOL.cases(entry, artefacts)[:2]
    for course in courses(PROTOCOL.evaluate(floor, cases, artefacts, bench)):
        assert len(np.unique(course.raw)) == course.raw.size


def test_scores_are_one_for_each_case(entry: Entry, artefacts: Artefacts, bench: Bench) -> None:
    cases = PROTOCOL.cases(entry, artefacts)[:4]
    rows = {"ces": PROTOCOL.evaluate(entry, cases, artefacts, bench)}
    scores = scores_by_name(PROTOCOL.summarise(rows)["ces"])
    for score in scores.values():
        assert score.cases.tolist() == [str(case) for case in cases]
    assert PROTOCOL.notes(rows)["ces"]["images"] == 4


def test_the_amount_is_what_the_last_step_has(entry: Entry) -> None:
    half = dataclasses.replace(PROTOCOL, amount=0.5, perturbation="blur")
    batch = entry.datasets["test"].batch(entry.datasets["test"].ids()[:2])
    expected = PERTURBATIONS["blur"](batch.images, 0.5)
    assert torch.equal(half.derivation(4).images(batch.images), expected)
    assert torch.equal(half.derivation(0).images(batch.images), batch.images)


def test_a_derivation_says_what_was_done_and_can_be_sent_to_other_processes(entry: Entry) -> None:
    half = dataclasses.replace(PROTOCOL, amount=0.5, perturbation="hue")
    trees = [one.derivation(step).tree for one in (PROTOCOL, half) for step in (1, 4)]
    assert trees == [{"grey": 0.25}, {"grey": 1.0}, {"hue": 0.125}, {"hue": 0.5}]
    assert len({PROTOCOL.derivation(step).place for step in range(5)}) == 5
    sent = pickle.loads(pickle.dumps(PROTOCOL.derivation(2)))  # noqa: S301 - our own bytes
    images = entry.datasets["test"].batch(entry.datasets["test"].ids()[:2]).images
    assert torch.equal(sent.images(images), PERTURBATIONS["grey"](images, 0.5))


@pytest.mark.parametrize("score", ["raw", "log"])
def test_pictures_show_the_entry_and_its_floor(
    entry: Entry, artefacts: Artefacts, bench: Bench, score: str
) -> None:
    protocol = dataclasses.replace(PROTOCOL, score=score)
    cases = protocol.cases(entry, artefacts)[:6]
    floor = dataclasses.replace(entry, explainer=RandomConcepts(EXPLAINER))
    rows = {
        label: [rightly_classified(protocol.evaluate(line, cases, artefacts, bench))]
        for label, line in (("ces", entry), ("random", floor))
    }
    drawings = protocol.figures(rows, {"ces": "entry", "random": "floor"}, Resampling())
    assert list(drawings) == ["low-level", "low-level-rises"]
    legend = drawings["low-level"].figure.legends[0]
    texts = {text.get_text() for text in legend.get_texts()}
    assert {"random (floor)", "probability P of the class"} <= texts
    assert "mean score of the matching concept goes from" in drawings["low-level"].text
    ax = drawings["low-level-rises"].figure.axes[0]
    assert len(ax.get_yticklabels()) == len(cases)
    for drawing in drawings.values():
        drawing.figure.canvas.draw()


def test_there_are_no_pictures_where_nothing_is_scored(
    entry: Entry, artefacts: Artefacts, bench: Bench
) -> None:
    protocol = dataclasses.replace(PROTOCOL, minimum_probability=0.999999)
    rows = protocol.evaluate(entry, protocol.cases(entry, artefacts)[:2], artefacts, bench)
    assert protocol.figures({"ces": [rows]}, {"ces": "entry"}, Resampling()) == {}


def rightly_classified(rows):
    """The rows with every image classified rightly, so that all are scored."""
    place = rows.schema.get_field_index("predicted")
    return rows.set_column(place, "predicted", rows.column("label"))


def test_targets_are_needed(entry: Entry) -> None:
    with pytest.raises(ParameterError, match="'low-level-perturbation' needs targets: which class"):
        LowLevelPerturbation().artefacts(entry)


def test_an_unknown_class_is_named(entry: Entry) -> None:
    protocol = LowLevelPerturbation((Target("class 9", "red"),))
    message = "unknown class in protocol.targets 'class 9'; did you mean 'class"
    with pytest.raises(UnknownNameError, match=re.escape(message)):
        protocol.artefacts(entry)


def test_a_split_without_the_targets_is_an_error(entry: Entry, artefacts: Artefacts) -> None:
    few = dataclasses.replace(entry.datasets["test"], dataset=type(images_of(entry))(count=1))
    other = dataclasses.replace(entry, datasets={**entry.datasets, "test": few})
    protocol = LowLevelPerturbation((Target("class 3", "red"),))
    message = "split 'test' of dataset 'shapes' has no image of the 1 classes in protocol.targets"
    with pytest.raises(MismatchError, match=message):
        protocol.cases(other, artefacts)


def images_of(entry: Entry):
    return entry.datasets["test"].dataset


def test_a_concept_that_no_bank_has_is_an_error(
    entry: Entry, artefacts: Artefacts, bench: Bench
) -> None:
    protocol = dataclasses.replace(PROTOCOL, targets=(Target("class 0", "redness"),))
    cases = protocol.cases(entry, artefacts)[:1]
    with pytest.raises(MismatchError, match="none of the concepts in protocol"):
        protocol.evaluate(entry, cases, artefacts, bench)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"amount": 0.0}, "amount is 0.0; it must be above 0 and at most 1"),
        ({"amount": 1.5}, "amount is 1.5; it must be above 0 and at most 1"),
        ({"steps": 1}, "steps is 1; at least 2 are needed"),
        ({"minimum_probability": 1.0}, "minimum_probability and correlation must lie"),
        ({"targets": (TARGETS[0], TARGETS[0])}, "targets: class 'class 0' stands there twice"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        LowLevelPerturbation(**fields)


def test_targets_come_from_tables() -> None:
    from xbench import Builder, Registry

    table = {"class_name": "strawberry", "concept": "redness", "alike": ["pinkness"]}
    tree = {"name": "low-level-perturbation", "targets": [table]}
    protocol = Builder(Registry(third_party=False)).build("protocol", tree)
    assert protocol.targets == (Target("strawberry", "redness", ("pinkness",)),)
    tree = {"name": "low-level-perturbation", "targets": [{"class_name": "strawberry"}]}
    builder = Builder(Registry(third_party=False))
    with pytest.raises(UsageError, match="needs 'concept'"):
        builder.build("protocol", tree)
