"""The spurious-recovery protocol from training sets to records."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
import torch

from shards import check_shards
from small_entries import entry_of
from xbench import (
    Benchmark,
    Builder,
    Concept,
    Contexts,
    Dataset,
    Entry,
    Explainer,
    ImageSet,
    Line,
    LocalBench,
    LocalExecutor,
    MismatchError,
    ParameterError,
    Record,
    Registry,
    Resampling,
    RunOptions,
    Store,
    Training,
    UnknownNameError,
    per_image,
    plain_table,
    run_benchmark,
)
from xbench.testing import check_component, tiny_workplace
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_ces.scores.floors import ControlModel, RandomConcepts
from xbench_ces.spurious.protocol import SpuriousRecovery
from xbench_ces.spurious.rows import Scenario
from xbench_deliberative.difficulties.self_referential import Entropy
from xbench_zoo.losses import CrossEntropy

CES = ConceptualExplanationScores(examples=24, threshold=0.6)
RED, GREEN = Scenario("class 3", "red"), Scenario("class 0", "green", synonyms=("dark",))
CLASSES = ("class 3", "class 0", "class 1")


@dataclass(frozen=True)
class Guesses(Explainer):
    """Random scores of twelve concepts; needs no bank."""

    name: ClassVar[str] = "guesses"
    makes: ClassVar[type[ConceptScores]] = ConceptScores

    def explain(self, network, batch, artefacts, generator, given) -> list[ConceptScores]:
        names = ["red", "green", *(f"concept {n}" for n in range(10))]
        concepts = tuple(Concept(name, "any") for name in names)
        explanations = []
        for image, label in zip(batch.ids, batch.labels.tolist(), strict=True):
            source = per_image(generator, image)
            raw = torch.rand(len(names), generator=source, dtype=torch.float64)
            explanations.append(ConceptScores(concepts, raw, raw, 0.5, label, label))
        return explanations


def protocol(**fields) -> SpuriousRecovery:
    sizes = {"training_images": 12, "validation_images": 4, "images": 8}
    values = {"classes": CLASSES, "scenarios": (RED, GREEN), "batch": 2, "batch_sizes": (1, 2)}
    return SpuriousRecovery(**{**sizes, **values, **fields})


@pytest.fixture
def data(shapes) -> Dataset:
    return shapes(240)


@pytest.fixture
def make_entry(data, make_weights):
    def build(explainer: Explainer, epochs: int = 0) -> Entry:
        sets = {"train": ImageSet(data, "train"), "test": ImageSet(data, "test")}
        training = Training(epochs=epochs, batch_size=12)
        classifier = make_weights().plan.classifier
        return entry_of(classifier, sets, explainer=explainer, training=training, seed=3)

    return build


def rows_of(spurious: SpuriousRecovery, entry: Entry, bench: LocalBench) -> pa.Table:
    artefacts = bench.provider.all(spurious.artefacts(entry))
    return spurious.evaluate(entry, spurious.cases(entry, artefacts), artefacts, bench)


def test_every_model_is_trained_on_its_own_confounded_images(make_entry) -> None:
    spurious = protocol(strengths=(0.75, 1.0))
    recipes = spurious.artefacts(make_entry(CES))
    models = [name for name in recipes if name.endswith("/weights")]
    assert models == [
        f"{scenario} at {strength}/weights"
        for scenario in ("class 3(red)", "class 0(green)")
        for strength in ("0.75", "1")
    ]
    assert len({recipes[name].key for name in models}) == 4
    for name in models:
        assert f"{name}/bank" in recipes
        assert recipes[f"{name}/bank"].needs()
        recipe = recipes[name]
        contexts = recipe.plan.images.dataset.contexts(recipe.plan.images.ids())
        labels = recipe.plan.images.dataset.labels(recipe.plan.images.ids())
        place, column = (0, 0) if "class 3" in name else (1, 1)
        assert contexts[labels == place, column].float().mean() == float(name[-12:-8].split()[-1])
        assert recipe.plan.classes == 3
        assert recipe.plan.validation.split == "validation"


def test_the_control_has_one_model_without_any_confounding(make_entry) -> None:
    recipes = protocol(strengths=(0.75, 1.0)).artefacts(make_entry(ControlModel(CES)))
    weights = {recipe.key: r for n, r in recipes.items() if n.endswith("weights") for recipe in [r]}
    banks = {recipe.key for name, recipe in recipes.items() if name.endswith("bank")}
    assert len(weights) == len(banks) == 1
    (recipe,) = weights.values()
    contexts = recipe.plan.images.dataset.contexts(recipe.plan.images.ids())
    labels = recipe.plan.images.dataset.labels(recipe.plan.images.ids())
    assert [contexts[labels == place].sum(0).tolist() for place in range(3)] == [[4, 4, 4]] * 3


def test_cases_are_the_same_images_for_all_entries(make_entry) -> None:
    spurious = protocol(strengths=(0.75, 1.0))
    cases = [
        spurious.cases(make_entry(e), {}) for e in (CES, ControlModel(CES), RandomConcepts(CES))
    ]
    assert cases[0] == cases[1] == cases[2]
    assert len(set(cases[0])) == len(cases[0])
    assert str(cases[0][0]).startswith("test/class 3(red) at 0.75/out/")
    groups = {group: (m.scenario, w, m.strength) for group, (m, w) in spurious.groups().items()}
    weaker, full = (
        [(*groups[c.within][:2], c.id) for c in cases[0] if groups[c.within][2] == s]
        for s in (0.75, 1.0)
    )
    assert weaker == full
    assert len(full) == 2 * (8 + 8)


def test_explained_images_never_show_the_context(make_entry, data) -> None:
    spurious = protocol()
    for case in spurious.cases(make_entry(CES), {}):
        model, which = spurious.groups()[case.within]
        column = data.context_names().index(model.scenario.context)
        assert bool(data.contexts([case.id])[0, column]) == (which == "in")
        assert case.id in data.ids("test")


def test_rows_hold_what_explainer_and_network_say(make_entry, bench) -> None:
    spurious, entry = protocol(), make_entry(Guesses())
    artefacts = bench.provider.all(spurious.artefacts(entry))
    table = spurious.evaluate(entry, spurious.cases(entry, artefacts), artefacts, bench)
    for case in spurious.cases(entry, artefacts):
        model, which = spurious.groups()[case.within]
        rows = [row for row in table.to_pylist() if row["case"] == str(case)]
        network = bench.network(entry.classifier, artefacts[f"{model.label}/weights"])
        images = spurious.model_images(entry, model, which)
        batch = images.batch([case.id])
        assert {row["place"] for row in rows} == {images.ids().index(case.id)}
        probabilities = network.logits(batch.images).double().softmax(1)[0]
        assert {row["image"] for row in rows} == {case.id}
        assert rows[0]["label"] == int(batch.labels[0])
        assert rows[0]["predicted"] == int(probabilities.argmax())
        expected = float(probabilities[batch.labels[0]])
        assert rows[0]["probability"] == pytest.approx(expected, abs=1e-6)
        if which == "in":
            assert [row["concept"] for row in rows] == [None]
            continue
        (scores,) = entry.explainer.explain(network, batch, {}, entry.source(), {})
        assert [row["raw"] for row in rows] == scores.raw.tolist()
        assert [row["concept"] for row in rows] == [concept.name for concept in scores.concepts]


@pytest.mark.parametrize("explainer", [CES, RandomConcepts(CES), Guesses()])
def test_rows_do_not_depend_on_how_cases_are_split(make_entry, explainer, tmp_path) -> None:
    check_shards(protocol(), make_entry(explainer), 5, 32, tmp_path, atol=1e-6)


def test_random_scores_recover_what_guessing_does(make_entry, bench) -> None:
    table = rows_of(protocol(images=60), make_entry(Guesses()), bench)
    scores = {score.name: score for score in protocol().summarise({"x": table})["x"]}
    recovery = scores["average recovery at 3"]
    assert recovery.chance == 3 / 12
    assert len(recovery.values) > 60
    spread = 4 * np.sqrt(0.25 * 0.75 / len(recovery.values))
    assert recovery.values.mean() == pytest.approx(0.25, abs=spread)


def test_a_view_shows_the_image_with_its_model(make_entry, bench) -> None:
    spurious, entry = protocol(strengths=(0.75, 1.0)), make_entry(CES)
    artefacts = bench.provider.all(spurious.artefacts(entry))
    case = spurious.cases(entry, artefacts)[0]
    view = spurious.view(entry, case, artefacts)
    assert view.image == case.id
    assert view.title == (
        f"class 3, image {view.image}; 75 % of its class in training shown with red"
    )
    assert view.subject.weights.key == artefacts["class 3(red) at 0.75/weights"].key
    (bank,) = view.subject.artefacts(CES).values()
    assert bank.key == artefacts["class 3(red) at 0.75/weights/bank"].key
    assert view.images.batch([view.image]).labels.tolist() == [0]
    control = replace(entry, explainer=ControlModel(CES))
    assert spurious.view(control, case, artefacts).title.endswith("; control")


def test_it_needs_contexts_and_scores_concepts() -> None:
    assert protocol().needs() == (Contexts,)
    assert SpuriousRecovery.scores is ConceptScores


def test_it_keeps_the_contract_of_components() -> None:
    check_component(SpuriousRecovery())
    check_component(protocol())


def test_without_scenarios_it_says_how_to_give_some(make_entry) -> None:
    with pytest.raises(ParameterError, match=r"has no scenarios; .*\[\[protocol\.scenarios\]\]"):
        SpuriousRecovery().artefacts(make_entry(CES))


def test_scenarios_come_from_tables() -> None:
    tables = [{"class_name": "dog", "context": "snow"}, {"class_name": "cat", "context": "sea"}]
    tables[1] |= {"concept": "water", "synonyms": ["lake"]}
    made = plain_table(SpuriousRecovery, {"scenarios": tables, "strengths": [0.5, 1]}, "protocol")
    assert made.scenarios == (
        Scenario("dog", "snow"),
        Scenario("cat", "sea", "water", ("lake",)),
    )
    assert made.scenarios[0].true_concept == "snow"
    assert made.scenarios[1].true_concept == "water"
    assert made.scenarios[1].label == "cat(sea)"
    assert made.parameters()["scenarios"][1] == {**tables[1], "synonyms": ["lake"]}
    with pytest.raises(ParameterError, match=r"protocol.scenarios\[0\] needs 'context'"):
        Builder(Registry(())).coerce(
            tuple[Scenario, ...], [{"class_name": "dog"}], "protocol.scenarios"
        )


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"scenarios": (RED, RED)}, ValueError, "two have the same class and context"),
        (
            {"scenarios": (Scenario("class 9", "red"),)},
            UnknownNameError,
            "unknown class of a scenario 'class 9'; did you mean 'class 3'",
        ),
        ({"top": 2}, ValueError, r"top is 2, which is none of tops \(1, 3, 5\)"),
        ({"batch": 0}, ValueError, "must be at least 1"),
        ({"strengths": ()}, ValueError, "a strength be given"),
        ({"strengths": (1.5,)}, ValueError, "1.5 is no share; give numbers from 0 to 1"),
    ],
)
def test_impossible_values_are_refused(fields, error, message) -> None:
    with pytest.raises(error, match=message):
        protocol(**fields)


def test_mistakes_in_scenarios_show_before_anything_is_trained(make_entry) -> None:
    wrong = protocol(scenarios=(Scenario("class 3", "rad"),))
    with pytest.raises(UnknownNameError, match="'rad'; did you mean 'red'"):
        wrong.artefacts(make_entry(CES))


def test_a_classifier_that_needs_a_companion_is_refused(make_entry) -> None:
    entry = replace(make_entry(CES), companion=Entropy())
    with pytest.raises(MismatchError, match="trained jointly with 'entropy'"):
        protocol().artefacts(entry)


def test_weights_that_are_given_are_refused(make_entry, make_weights):
    entry = replace(make_entry(CES), weights=make_weights())
    with pytest.raises(MismatchError, match="trains networks of its own"):
        protocol().artefacts(entry)


def records(data: Dataset, classifier: Any, tmp_path) -> dict[str, Record]:
    """A whole run on small images: two scenarios, the control model and random concepts."""
    training = Training(epochs=20, batch_size=12, learning_rate=5e-3)
    entries = [
        ("ces", "entry", CES),
        ("control", "floor", ControlModel(CES)),
        ("random", "floor", RandomConcepts(CES)),
    ]
    common = (classifier, CrossEntropy(), training)
    lines = tuple(Line(label, role, explainer, *common) for label, role, explainer in entries)
    sets = {"train": ImageSet(data, "train"), "test": ImageSet(data, "test")}
    scored = protocol(training_images=36)
    benchmark = Benchmark("t", "1", "", scored, sets, *common, lines, (), 0, 1)
    store, bench = Store(str(tmp_path / "store")), tiny_workplace(tmp_path, 16)
    plan = Resampling(resamples=50)
    results = run_benchmark(benchmark, store, LocalExecutor(), bench, RunOptions(resampling=plan))
    return {record.label: record for record in results}


def test_a_confound_that_is_learned_is_named(shapes, make_weights, tmp_path) -> None:
    results = records(shapes(720), make_weights().plan.classifier, tmp_path)
    values = {
        label: {score.name: score.value for score in record.scores}
        for label, record in results.items()
    }
    drops = {
        label: scores["average accuracy in distribution"]
        - scores["average accuracy out of distribution"]
        for label, scores in values.items()
    }
    assert values["ces"]["average accuracy in distribution"] > 0.9
    assert drops["ces"] == drops["random"] > 0.25 > drops["control"]  # it relies on the tint
    recovered = {label: scores["average recovery at 1"] for label, scores in values.items()}
    assert recovered["ces"] > 0.9
    assert max(recovered["control"], recovered["random"]) < 0.6
    names = [score.name for score in results["ces"].scores]
    assert all([score.name for score in record.scores] == names for record in results.values())
    (paired,) = [d for d in results["ces"].differences if d.minus == "control"]
    assert paired.paired
    notes = results["ces"].notes["scenarios"]["class 3(red)"]
    assert notes["true_concept_kept"] == 1.0
    assert notes["explained"] == 8
