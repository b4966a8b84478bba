"""The floors score the same concepts as the explainer that they are compared with."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

import xbench
from xbench import Batch, Concept, Explainer, MismatchError, generator
from xbench.networks import cut_module
from xbench.testing import check_component
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_ces.scores.floors import ControlModel, RandomConcepts
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.self_referential import Entropy
from xbench_deliberative.explanations.explainer import Deliberative

CES = ConceptualExplanationScores(threshold=0.75)
FLOORS = [RandomConcepts(CES), ControlModel(CES)]
DELIBERATIVE = Deliberative(Entropy(), Gradient())


@pytest.fixture(scope="module")
def five_classes():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)]
        module = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU(), *head)
    return cut_module(module.eval(), classes=5, size=16, layer="1")


@pytest.fixture(scope="module")
def bank():
    source = generator("bank")
    return ConceptBank(
        concepts=tuple(Concept(f"concept {place}", "settings") for place in range(8)),
        normals=torch.randn(8, 384, generator=source),
        accuracies=torch.linspace(0.5, 1, 8, dtype=torch.float64),
        margins=torch.ones(8, dtype=torch.float64),
        layer="1",
        shape=(6, 8, 8),
        examples=torch.randint(256, (8, 3, 4, 4), generator=source).byte(),
    ).artefact("bank")


def make_batch(ids, labels=True):
    images = torch.stack([torch.rand(3, 16, 16, generator=generator("image", i)) for i in ids])
    return Batch(images, tuple(ids), torch.tensor([i % 5 for i in ids]) if labels else None)


def explained(explainer, network, bank, batch, seed=0):
    return xbench.explained(explainer, network, batch, {"bank": bank}, generator(seed))


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: floor.name)
def test_floors_keep_their_contracts(floor):
    check_component(floor)
    assert floor.makes is ConceptScores


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: floor.name)
def test_a_floor_says_of_images_and_concepts_what_the_explainer_says(
    floor, labels, five_classes, bank
):
    batch = make_batch([4, 9, 2], labels)
    expected = explained(CES, five_classes, bank, batch)
    explanations = explained(floor, five_classes, bank, batch)
    for explanation, other in zip(explanations, expected, strict=True):
        assert explanation.concepts == other.concepts
        assert torch.equal(explanation.examples, other.examples)
        assert (explanation.label, explanation.predicted, explanation.known) == (
            other.label,
            other.predicted,
            labels,
        )
        assert (explanation.verified, explanation.images) == (False, 1)
        assert explanation.probability == pytest.approx(other.probability, abs=1e-6)


def test_random_scores_are_uniform_and_differ_between_images(five_classes, bank):
    explanations = explained(RandomConcepts(CES), five_classes, bank, make_batch(range(400)))
    raw = torch.stack([explanation.raw for explanation in explanations])
    logarithmic = torch.stack([explanation.logarithmic for explanation in explanations])
    assert raw.dtype == torch.float64
    assert raw.unique().numel() == raw.numel()
    for scores in (raw, logarithmic):
        assert scores.abs().max() <= 1
        quarters = torch.histc(scores, 4, -1, 1) / scores.numel()
        assert ((quarters - 0.25).abs() < 0.05).all()
    assert not torch.equal(raw, logarithmic)
    first = (
        (torch.stack([explanation.ranks() for explanation in explanations]) == 1).double().mean(0)
    )
    assert ((first - 0.25).abs() < 0.1).all(), "each of four concepts is first as often"


def test_random_scores_depend_on_the_image_and_the_seed_alone(five_classes, bank):
    floor = RandomConcepts(CES)
    together = explained(floor, five_classes, bank, make_batch([4, 9, 2]))
    alone = explained(floor, five_classes, bank, make_batch([9]))[0]
    assert torch.equal(alone.raw, together[1].raw)
    other = explained(floor, five_classes, bank, make_batch([9]), seed=1)[0]
    assert not torch.equal(alone.raw, other.raw)


def test_random_scores_cost_one_forward_of_an_image(five_classes, bank):
    before = five_classes.passes.snapshot()
    explained(RandomConcepts(CES), five_classes, bank, make_batch([4, 9, 2]))
    after = five_classes.passes.snapshot()
    assert {name: after[name] - before[name] for name in after} == {
        "forward": 3,
        "backward": 0,
        "bottom_forward": 0,
        "top_forward": 0,
        "top_backward": 0,
    }


def test_the_control_model_explains_as_the_other_explainer_does(five_classes, bank):
    batch = make_batch([4, 9, 2])
    expected = explained(CES, five_classes, bank, batch)
    explanations = explained(ControlModel(CES), five_classes, bank, batch)
    assert all(torch.equal(a.raw, b.raw) for a, b in zip(explanations, expected, strict=True))


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: floor.name)
def test_floors_need_what_the_other_explainer_needs(floor, make_weights):
    weights = make_weights()
    datasets = {"train": weights.plan.images}
    assert floor.artefacts(weights, datasets) == CES.artefacts(weights, datasets)
    assert floor.companion() is None


@dataclass(frozen=True)
class Accompanied(Explainer):
    """Says what it is asked, and nothing else."""

    name: ClassVar[str] = "accompanied"
    makes: ClassVar[type[ConceptScores]] = ConceptScores

    def companion(self):
        return Entropy()

    def kept_bank(self, artefacts):
        return artefacts["bank"]

    def explain(self, network, batch, artefacts, generator, given):
        return []


def test_floors_stand_on_floors_and_pass_questions_on():
    floor = RandomConcepts(ControlModel(Accompanied()))
    assert floor.companion() == Entropy()
    assert floor.kept_bank({"bank": "its bank"}) == "its bank"


@pytest.mark.parametrize("kind", [RandomConcepts, ControlModel])
def test_a_floor_of_an_explainer_without_concepts_is_refused(
    kind, make_weights, five_classes, bank
):
    floor, weights = kind(DELIBERATIVE), make_weights()
    with pytest.raises(MismatchError) as error:
        floor.artefacts(weights, {"train": weights.plan.images})
    assert str(error.value) == (
        f"explainer '{kind.name}' needs one that scores the concepts of a bank, such as 'ces'; "
        "'deliberative' makes insecurities: give another one as `of`"
    )
    with pytest.raises(MismatchError):
        explained(floor, five_classes, bank, make_batch([1]))
