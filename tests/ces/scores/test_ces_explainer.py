"""The explainer against the paper's formula on a real cut network, and its errors."""

import copy
import dataclasses
import functools
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import xbench
from xbench import (
    Artefact,
    Batch,
    Concept,
    Explainer,
    ImageSet,
    MismatchError,
    NumericalError,
    UsageError,
    generator,
)
from xbench.networks import cut_module
from xbench.testing import check_component
from xbench_ces.banks.bank import ConceptBank, bottom_hash
from xbench_ces.banks.file import write_bank
from xbench_ces.banks.importing import StoredBank
from xbench_ces.banks.learning import LearnedBank
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.torchvision_models import Torchvision

SIDE, CLASSES, SHAPE = 16, 5, (6, 8, 8)


def affine_head():
    return [nn.Conv2d(6, 12, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]


TOPS = {
    "an affine first part": lambda: [*affine_head(), nn.Linear(12, CLASSES)],
    "an affine top": lambda: [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, CLASSES)],
    "no affine first part": lambda: [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(96, CLASSES)],
}


def make_network(name="an affine first part", seed=0):
    """Cut after its first layer; the classes are told apart clearly."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), *TOPS[name]())
        nn.init.normal_(module[-1].weight, std=2.0)
    return cut_module(module.eval(), classes=CLASSES, size=SIDE, layer="0")


@functools.cache
def made_once(name):
    return make_network(name)


def make_batch(count=3, seed=0, labels=True):
    source = generator("batch", seed)
    given_labels = torch.randint(CLASSES, (count,), generator=source) if labels else None
    images = torch.rand(count, 3, SIDE, SIDE, generator=source)
    return Batch(images, tuple(range(count)), given_labels)


def make_bank(network=None, concepts=9, seed=0, **fields):
    source = generator("bank", seed)
    values = {
        "concepts": tuple(Concept(f"concept {place}", "settings") for place in range(concepts)),
        "normals": torch.randn(concepts, 384, generator=source),
        "accuracies": torch.linspace(0.5, 1, concepts, dtype=torch.float64),
        "margins": 1 + torch.rand(concepts, generator=source, dtype=torch.float64),
        "layer": "0",
        "shape": SHAPE,
        "bottom": bottom_hash(network) if network else "",
    }
    return ConceptBank(**{**values, **fields})


def explained(explainer, network, bank, batch, key="bank"):
    return xbench.explained(explainer, network, batch, {"bank": bank.artefact(key)}, generator(0))


def scores_by_loops(network, bank, batch, step):
    """t(b + δ v)_y − t(b)_y, and the same of logarithms, in double precision.

    One image and one concept after the other, through the whole top.
    """
    top = copy.deepcopy(network.top).double()
    activations = network.bottom(batch.images).double()
    raw = torch.zeros(len(batch.ids), len(bank.concepts), dtype=torch.float64)
    logarithmic = raw.clone()
    for i, label in enumerate(batch.labels.tolist()):
        before = top(activations[i : i + 1]).log_softmax(1)[0, label]
        for c, normal in enumerate(bank.normals.double()):
            delta = bank.margins[c] / normal.norm() if step == "margin" else step
            moved = activations[i : i + 1] + (delta * normal).reshape(1, *SHAPE)
            after = top(moved).log_softmax(1)[0, label]
            raw[i, c] = after.exp() - before.exp()
            logarithmic[i, c] = after - before
    return raw, logarithmic


@pytest.mark.parametrize("name", TOPS)
@given(seed=st.integers(0, 1000), step=st.sampled_from(["margin", 0.1, -0.3, 3.0]))
@settings(max_examples=8)
def test_scores_are_those_of_the_papers_formula(name, seed, step):
    network, batch, bank = made_once(name), make_batch(2, seed), make_bank(concepts=6, seed=seed)
    network.auxiliary.clear()
    ces = ConceptualExplanationScores(step=step, threshold=0.0)
    explanations = explained(ces, network, bank, batch)
    raw, logarithmic = scores_by_loops(network, bank, batch, step)
    stacked = torch.stack([explanation.raw for explanation in explanations])
    torch.testing.assert_close(stacked, raw, atol=2e-5, rtol=1e-4)
    stacked = torch.stack([explanation.logarithmic for explanation in explanations])
    torch.testing.assert_close(stacked, logarithmic, atol=1e-4, rtol=1e-4)
    probabilities = network.logits(batch.images).softmax(1)
    for explanation, row, label in zip(
        explanations, probabilities, batch.labels.tolist(), strict=True
    ):
        assert explanation.probability == pytest.approx(float(row[label]), abs=1e-6)
        assert (explanation.label, explanation.predicted) == (label, int(row.argmax()))


@pytest.mark.parametrize("name", TOPS)
def test_the_papers_step_is_ten_thousand_times_the_normal_and_stays_finite(name):
    network, batch, bank = make_network(name), make_batch(), make_bank()
    paper, same = (
        explained(ConceptualExplanationScores(step=step), network, bank, batch)
        for step in ("paper", 10_000.0)
    )
    for explanation, other in zip(paper, same, strict=True):
        assert torch.equal(explanation.raw, other.raw)
        assert torch.isfinite(explanation.logarithmic).all()
        assert explanation.raw.abs().max() <= 1
        assert explanation.saturated > 0.5


def test_a_bank_whose_normals_are_scaled_gives_the_same_scores_by_margin():
    network, batch, bank = make_network(), make_batch(), make_bank()
    scaled = dataclasses.replace(bank, normals=7 * bank.normals)
    ces = ConceptualExplanationScores()
    for explanation, other in zip(
        explained(ces, network, bank, batch),
        explained(ces, network, scaled, batch, "scaled"),
        strict=True,
    ):
        torch.testing.assert_close(explanation.raw, other.raw, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", TOPS)
def test_an_image_is_explained_alone_as_in_a_batch(name):
    network, batch, bank = make_network(name), make_batch(5), make_bank()
    ces = ConceptualExplanationScores()
    in_batch = explained(ces, network, bank, batch)
    for place in range(5):
        few = slice(place, place + 1)
        alone = Batch(batch.images[few], batch.ids[few], batch.labels[few])
        explanation = explained(ces, network, bank, alone)[0]
        torch.testing.assert_close(explanation.raw, in_batch[place].raw, atol=1e-6, rtol=1e-5)
        assert explanation.saturated == in_batch[place].saturated


def test_only_concepts_that_reach_the_threshold_are_scored():
    network, batch = make_network(), make_batch()
    pictures = torch.randint(256, (9, 3, 4, 4), generator=generator("pictures")).byte()
    bank = make_bank(examples=pictures)
    explanation = explained(ConceptualExplanationScores(threshold=0.75), network, bank, batch)[0]
    assert [concept.name for concept in explanation.concepts] == [
        f"concept {c}" for c in range(4, 9)
    ]
    assert torch.equal(explanation.examples, pictures[4:])
    every = explained(ConceptualExplanationScores(threshold=0.5), network, bank, batch)[0]
    torch.testing.assert_close(explanation.raw, every.raw[4:], atol=1e-6, rtol=1e-5)


def test_without_labels_the_predicted_class_is_explained():
    network, bank, batch = make_network(), make_bank(), make_batch(labels=False)
    explanations = explained(ConceptualExplanationScores(), network, bank, batch)
    predicted = network.logits(batch.images).argmax(1)
    labelled = Batch(batch.images, batch.ids, predicted)
    expected = explained(ConceptualExplanationScores(), network, bank, labelled)
    for explanation, other in zip(explanations, expected, strict=True):
        assert (explanation.known, other.known) == (False, True)
        assert explanation.label == explanation.predicted == other.label
        assert torch.equal(explanation.raw, other.raw)


def test_banks_of_unknown_weights_are_marked():
    network, batch = make_network(), make_batch()
    ces = ConceptualExplanationScores()
    assert not explained(ces, network, make_bank(), batch)[0].verified
    assert explained(ces, network, make_bank(network), batch, "known")[0].verified


def test_what_concepts_add_is_prepared_once_for_a_network_bank_step_and_threshold(monkeypatch):
    network, bank, checked = make_network(), make_bank(), []
    monkeypatch.setattr(ConceptBank, "check", lambda *arguments: checked.append(arguments))
    explainers = [ConceptualExplanationScores(step=step) for step in ("margin", 2.0, "margin")]
    explainers.append(ConceptualExplanationScores(threshold=0.9))
    for explainer in explainers:
        explained(explainer, network, bank, make_batch())
    explained(explainers[0], network, bank, make_batch(), "another bank")
    assert len(checked) == len(network.auxiliary) == 4


@pytest.mark.parametrize("name", TOPS)
def test_an_evaluation_of_the_top_is_counted_for_each_image_and_concept(name):
    network, bank = make_network(name), make_bank()
    explained(ConceptualExplanationScores(threshold=0.0), network, bank, make_batch())
    before = network.passes.snapshot()
    explained(ConceptualExplanationScores(threshold=0.0), network, bank, make_batch())
    spent = {n: count - before[n] for n, count in network.passes.snapshot().items()}
    assert spent == {
        "forward": 0,
        "backward": 0,
        "bottom_forward": 3,
        "top_forward": 3 * (1 + 9),
        "top_backward": 0,
    }


def test_nothing_that_is_made_carries_a_gradient_or_changes_the_network():
    network, bank, batch = make_network(), make_bank(), make_batch()
    state = {name: tensor.clone() for name, tensor in network.top.state_dict().items()}
    explanation = explained(ConceptualExplanationScores(), network, bank, batch)[0]
    assert not explanation.raw.requires_grad
    assert all(torch.equal(tensor, state[n]) for n, tensor in network.top.state_dict().items())


def test_a_label_that_the_classifier_lacks_is_named():
    batch = make_batch()
    wrong = Batch(batch.images, (7, 8, 9), torch.tensor([0, 5, 1]))
    with pytest.raises(MismatchError) as error:
        explained(ConceptualExplanationScores(), make_network(), make_bank(), wrong)
    assert str(error.value) == (
        "image 8 has the label 5, and Sequential has the classes 0 to 4; "
        "explain it with a classifier of its data set"
    )


def test_a_bank_of_other_weights_is_refused():
    with pytest.raises(MismatchError, match="learned on other weights below layer '0'"):
        explained(
            ConceptualExplanationScores(),
            make_network(seed=0),
            make_bank(make_network(seed=1)),
            make_batch(),
        )


def test_images_of_another_size_than_the_banks_are_refused():
    bank = make_bank(shape=(6, 4, 16))
    with pytest.raises(MismatchError, match="concept bank is of activations of shape 6×4×16"):
        explained(ConceptualExplanationScores(), make_network(), bank, make_batch())


def test_images_of_another_size_are_refused_also_after_others_were_explained():
    network, bank, batch = make_network(), make_bank(), make_batch()
    explained(ConceptualExplanationScores(), network, bank, batch)
    larger = Batch(torch.rand(1, 3, 20, 20, generator=generator("larger")), (0,))
    with pytest.raises(MismatchError, match="images give Sequential activations of shape 6×10×10"):
        explained(ConceptualExplanationScores(), network, bank, larger)


def test_logits_that_a_step_makes_infinite_are_an_error_that_names_the_concept():
    bank = make_bank()
    bank.normals[6] = 1e37
    with pytest.raises(NumericalError) as error:
        explained(ConceptualExplanationScores(step=30.0), make_network(), bank, make_batch())
    assert str(error.value) == (
        "Sequential gives logits that are NaN or infinite after a step 30.0 along the concept "
        "'concept 6'; take a shorter step, or leave the concept out"
    )


def test_a_threshold_that_no_concept_reaches_is_an_error():
    bank = make_bank(accuracies=torch.full((9,), 0.6, dtype=torch.float64))
    with pytest.raises(MismatchError, match=r"the best has 0\.60"):
        explained(ConceptualExplanationScores(), make_network(), bank, make_batch())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"step": float("inf")}, "step is inf; it needs to be finite"),
        ({"threshold": 70.0}, "threshold is 70.0; it is an accuracy between 0 and 1"),
        (
            {"bank": "bank.safetensors", "concepts": (Toybirds(),)},
            "concepts come from `bank` or are learned from `concepts`, not both",
        ),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError) as error:
        ConceptualExplanationScores(**parameters)
    assert str(error.value) == message


def test_the_bank_is_learned_from_the_data_set_of_the_training(make_weights, shapes):
    weights = make_weights(seed=5)
    ces = ConceptualExplanationScores(examples=30, held_out=0.5, regularisation=0.1)
    recipe = ces.artefacts(weights, {"train": weights.plan.images})["bank"]
    assert recipe == LearnedBank(
        weights,
        weights.plan.classifier,
        (shapes(),),
        weights.plan.images.transform,
        30,
        0.5,
        0.1,
        5,
    )


@dataclasses.dataclass(frozen=True)
class Doubled(Explainer):
    """Another explainer's scores, twice."""

    name, makes = "doubled", ConceptScores
    of: Explainer

    def explain(self, network, batch, artefacts, generator, given):
        return [
            dataclasses.replace(explanation, raw=2 * explanation.raw) for explanation in given["of"]
        ]


def test_a_wrapper_of_a_third_party_asks_for_the_bank_and_gets_it(make_weights):
    weights = make_weights()
    images = {"train": weights.plan.images}
    ces = ConceptualExplanationScores()
    assert Doubled(ces).artefacts(weights, images) == ces.artefacts(weights, images)
    assert Doubled(ces).companion() is None
    network, batch = make_network(), make_batch()
    bank = make_bank(network)
    once, twice = (explained(single, network, bank, batch) for single in (ces, Doubled(ces)))
    for single, double in zip(once, twice, strict=True):
        assert torch.equal(double.raw, 2 * single.raw)


def test_the_bank_is_learned_from_other_data_sets_where_they_are_given(make_weights):
    weights, sources = make_weights(), (Toybirds(), Toybirds(seed=1))
    ces = ConceptualExplanationScores(concepts=sources)
    assert ces.artefacts(weights, {"train": weights.plan.images})["bank"].sources == sources


def test_a_bank_in_a_file_is_read_and_one_that_is_not_there_named(make_weights, tmp_path):
    weights, path = make_weights(), tmp_path / "birds.safetensors"
    explainer, images = ConceptualExplanationScores(bank=str(path)), {"train": weights.plan.images}
    with pytest.raises(UsageError, match=r"there is no concept bank '.*birds.safetensors'"):
        explainer.artefacts(weights, images)
    write_bank(path, make_bank().artefact("key"))
    assert explainer.artefacts(weights, images) == {"bank": StoredBank(str(path))}


def test_data_sets_without_concepts_are_named_with_those_that_have_them(make_weights):
    from xbench_datasets.folders.folder import Folder

    weights = make_weights()
    images = ImageSet(Folder("/nowhere"), "train")
    with pytest.raises(MismatchError) as error:
        ConceptualExplanationScores().artefacts(weights, {"train": images})
    message = str(error.value)
    assert message.startswith(
        "dataset 'folder' has no examples of concepts to learn a bank from; name data sets that "
        "have them, -p explainer.concepts='[…]' ("
    )
    assert message.endswith("), or a bank's file, -p explainer.bank=FILE")
    assert "toybirds" in message.partition("'[…]' (")[2]


def test_a_learned_bank_is_used_from_beginning_to_end(make_weights, workplace, batch):
    weights = make_weights()
    ces = ConceptualExplanationScores(examples=24, threshold=0.6)
    recipe = ces.artefacts(weights, {"train": weights.plan.images})["bank"]
    needs = {name: need.build({}, workplace) for name, need in recipe.needs().items()}
    bank = recipe.build(needs, workplace)
    network = workplace.network(weights.plan.classifier, weights.build({}, workplace))
    explanations = ces.explain(network, batch, {"bank": bank}, generator(0), {})
    assert [explanation.label for explanation in explanations] == batch.labels.tolist()
    assert explanations[0].verified
    names = [concept.name for concept in explanations[0].concepts]
    assert {"red", "dark", "striped"} <= set(names)
    assert explanations[0].examples.shape[0] == len(names)


def test_artefacts_survive_the_store(tmp_path):
    """Facts go through JSON there; the bank must come out of it as it went in."""
    artefact = make_bank().artefact("bank")
    again = Artefact("bank", artefact.tensors, json.loads(json.dumps(dict(artefact.facts))))
    network, batch = make_network(), make_batch()
    ces = ConceptualExplanationScores()
    explanation = ces.explain(network, batch, {"bank": artefact}, generator(0), {})[0]
    other = ces.explain(make_network(), batch, {"bank": again}, generator(0), {})[0]
    assert explanation.concepts == other.concepts
    assert torch.equal(explanation.raw, other.raw)


@pytest.mark.parametrize("step", ["margin", "paper", 2.5])
def test_the_explainer_keeps_its_contract(step):
    check_component(ConceptualExplanationScores(step=step))
    assert ConceptualExplanationScores.makes is ConceptScores


@pytest.mark.realdata
def test_the_released_bank_explains_with_the_network_that_it_is_of(realdata):
    from xbench.networks import blank_module, cut_classifier

    path = next((realdata / "cce_concept_bank").glob("*.pkl"))
    classifier = Torchvision("resnet18", layer="avgpool")
    network = cut_classifier(classifier, blank_module(classifier, 1000), 1000)
    images = torch.rand(2, 3, 224, 224, generator=generator("images"))
    batch = Batch(images, (0, 1), torch.tensor([3, 948]))
    artefact = StoredBank(str(path)).build({}, None)
    explanations = ConceptualExplanationScores().explain(
        network, batch, {"bank": artefact}, generator(0), {}
    )
    assert len(explanations[0].concepts) == 168, "two of 170 lie below 0.7"
    assert not explanations[0].verified
    assert explanations[0].raw.abs().max() > 0
