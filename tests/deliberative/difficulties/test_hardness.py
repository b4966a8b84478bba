"""Hardness predictors: trained beside a classifier, resumed, stored, and read out."""

import re
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from interrupted import PowerError, Recorder, equal
from small_datasets import Fogged
from small_networks import Tiny
from xbench import (
    Artefact,
    ImageSet,
    MismatchError,
    Normalisation,
    Provider,
    Store,
    TrainedWeights,
    Training,
    TrainingPlan,
    WeightsError,
    generator,
    start_module,
)
from xbench.networks import CutNetwork, Parts, first_nonlinearity, load_network
from xbench.testing import tiny_workplace
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_deliberative.difficulties.hardness_network import Joint, build, predictor_head
from xbench_deliberative.difficulties.hardness_training import JointTraining, JointWeights, _trained
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.small import SmallCnn

CLASSES, SIDE = 3, 12
CPU = torch.device("cpu")


class Forgetful(nn.Module):
    """Dropout that is no layer, as in a few networks of libraries."""

    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(54, classes)

    def forward(self, images):
        flat = functional.adaptive_avg_pool2d(self.body(images), 3).flatten(1)
        return self.head(functional.dropout(flat, 0.5, self.training))


@dataclass(frozen=True)
class ForgetfulTiny(Tiny):
    """A tiny network whose dropout is no layer."""

    name = "forgetful"

    def module(self, classes):
        return Forgetful(classes)


@dataclass(frozen=True)
class Clear(Fogged):
    """The images without fog."""

    name = "clear"

    def ids(self, split):
        return super().ids(split)[::2]


TINY = Tiny(blocks=2, dropout=0.2)
TRAINING = Training(epochs=3, batch_size=16, learning_rate=0.01, weight_decay=0.01, shift=1)
KINDS = [
    Hardness(),
    Hardness(trunk="shared"),
    Hardness(setting="frozen"),
    Hardness("linear", "shared", "frozen", hidden=(7, 5)),
]


def plain(**changes):
    data = Fogged()
    given = {
        "classifier": TINY,
        "loss": CrossEntropy(),
        "training": TRAINING,
        "images": ImageSet(data, "train"),
        "validation": ImageSet(data, "test"),
        "seed": 0,
        "classes": CLASSES,
    }
    return TrainedWeights(TrainingPlan(**{**given, **changes}))


@pytest.fixture
def images():
    test = ImageSet(Fogged(), "test")
    return test.batch(test.ids()[:8]).images


def weights_with(hardness, weights):
    """The weights that a benchmark with this difficulty trains."""
    return weights if hardness.companion() is None else hardness.classifier_weights(weights.plan)


def made(hardness, provider, training=None):
    """Weights, network and artefacts."""
    weights = weights_with(hardness, training or plain())
    artefact = provider.one(weights)
    artefacts = provider.all(hardness.artefacts(weights))
    return artefact, load_network(weights.plan.classifier, artefact, CPU), artefacts


def names(tensors):
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


@pytest.mark.parametrize("hardness", KINDS, ids=str)
def test_what_is_stored_computes_what_was_trained(hardness, provider, images):
    weights, network, artefacts = made(hardness, provider)
    recipe = hardness.artefacts(weights_with(hardness, plain()))["predictor"]
    recipe = getattr(recipe, "joint", recipe)
    start = start_module(plain().plan)
    if hardness.setting == "frozen":
        start.load_state_dict(weights.tensors)
    again = _trained(recipe, start, plain().plan, replace(provider.workplace)).joint.eval()
    again.to(memory_format=torch.contiguous_format)
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in Normalisation())
    with torch.no_grad():
        outputs = again((images - mean) / std)
    assert torch.equal(network.logits(images), outputs[:, :CLASSES])
    scores = hardness.readout(network, artefacts).predictions(images)
    assert scores.shape == (8, 1)
    assert torch.equal(scores[:, 0], outputs[:, CLASSES].double().sigmoid())


@pytest.mark.parametrize("trunk", ["copied", "shared"])
def test_a_predictor_learns_where_the_classifier_is_wrong(trunk, provider, images):
    training = plain(training=Training(epochs=25, batch_size=16, learning_rate=0.01))
    weights, network, artefacts = made(Hardness(trunk=trunk), provider, training)
    assert 0.5 < weights.facts["accuracy"] < 0.9
    assert artefacts["predictor"].facts["mistake_auc"]["hardness"] > 0.75
    scores = Hardness(trunk=trunk).readout(network, artefacts).predictions(images)[:, 0]
    assert scores[1::2].min() > scores[::2].max()  # in the fog, and out of it


@pytest.mark.parametrize("loss", ["bce", "linear"])
def test_the_loss_of_a_predictor_falls(loss, provider):
    training = plain(training=Training(epochs=15, batch_size=16, learning_rate=0.005))
    _, _, artefacts = made(Hardness(loss, setting="frozen"), provider, training)
    curve = [loss for loss, _ in artefacts["predictor"].facts["curve"]]
    assert len(curve) == 15
    assert sum(curve[-3:]) < 0.9 * sum(curve[:3])


@pytest.mark.parametrize("optimiser", ["adamw", "momentum"])
@pytest.mark.parametrize("trunk", ["copied", "shared"])
def test_a_frozen_classifier_is_not_touched_in_a_single_bit(trunk, optimiser, provider):
    hardness, weights = Hardness(trunk=trunk, setting="frozen"), provider.one(plain())
    assert hardness.companion() is None
    module = start_module(plain().plan)
    module.load_state_dict(weights.tensors)
    decaying = replace(TRAINING, optimiser=optimiser, weight_decay=0.1, decay_all=True)
    training = plain(training=decaying)
    recipe = hardness.artefacts(training)["predictor"]
    joint = _trained(recipe, module, training.plan, provider.workplace).joint
    assert equal(joint.classifier_state(), weights.tensors)
    trunk_state = {n: t for n, t in joint.predictor_state().items() if n.startswith("trunk.")}
    moved = [n for n, t in trunk_state.items() if not torch.equal(t, weights.tensors[n[6:]])]
    assert {n for n in trunk_state if n.endswith(("weight", "bias"))} <= set(moved)


def test_a_joint_training_changes_the_classifier(provider):
    weights = provider.one(Hardness().classifier_weights(plain().plan))
    other = provider.one(plain())
    assert names(weights.tensors) == names(other.tensors)
    assert not torch.equal(weights.tensors["0.0.weight"], other.tensors["0.0.weight"])


@pytest.mark.parametrize("hardness", KINDS, ids=str)
@pytest.mark.parametrize("updates", [2, 5])
def test_an_interrupted_training_ends_at_the_same_weights(hardness, updates, provider, tmp_path):
    weights = hardness.classifier_weights(plain().plan)
    whole = provider.all(hardness.artefacts(weights))["predictor"]
    other = tmp_path / "other"
    place = tiny_workplace(other)
    again = Provider(Store(str(other)), place)
    if hardness.setting == "frozen":
        again.one(weights)
    place.progress = Recorder(updates)
    with pytest.raises(PowerError):
        again.all(hardness.artefacts(weights))
    place.progress = Recorder(0)
    resumed = again.all(hardness.artefacts(weights))["predictor"]
    assert equal(resumed.tensors, whole.tensors)
    assert equal(again.one(weights).tensors, provider.one(weights).tensors)
    assert not list(place.scratch.iterdir())


def test_a_repeat_has_another_classifier_and_another_predictor(provider):
    (w0, _, a0), (w1, _, a1) = (made(Hardness(), provider, plain(seed=seed)) for seed in (0, 1))
    first, second = a0["predictor"].tensors, a1["predictor"].tensors
    assert names(first) == names(second)
    for name in ("head.0.weight", "trunk.0.0.weight"):
        assert not torch.equal(first[name], second[name])
    assert not torch.equal(w0.tensors["0.0.weight"], w1.tensors["0.0.weight"])


def test_copies_start_from_the_weights_of_the_classifier():
    module = start_module(plain().plan)
    expected = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    for trunk in ("copied", "shared"):
        joint = build(TINY, module, nn.Linear(CLASSES, 1), trunk, frozen=False).network
        assert equal(joint.classifier_state(), expected)
        state = joint.predictor_state()
        kept = {n[6:]: t for n, t in state.items() if n.startswith("trunk.")}
        assert all(torch.equal(tensor, expected[name]) for name, tensor in kept.items())
        assert ("0.0.weight" in kept) == (trunk == "copied")
        assert "5.weight" in kept


def test_both_heads_learn_at_the_rate_of_the_head():
    module = start_module(plain().plan)
    for trunk, prefix in (("copied", ""), ("shared", "network.")):
        of_trunk, last = f"predictor.trunk.{prefix}5", nn.Linear(CLASSES, 1)
        joint, frozen = (
            build(TINY, module, last, trunk, frozen=frozen).network for frozen in (False, True)
        )
        assert joint.heads(CLASSES) == (f"top.{prefix}5", of_trunk, "predictor.head")
        assert frozen.heads(CLASSES) == (of_trunk, "predictor.head")
        assert all(isinstance(joint.get_submodule(n), nn.Module) for n in joint.heads(CLASSES))
    assert Joint(nn.Identity(), nn.Flatten(), last, frozen=False).heads(CLASSES) == ()


def test_a_frozen_classifier_stays_in_evaluation_mode_and_gets_no_gradient():
    joint = build(
        TINY, start_module(plain().plan), nn.Linear(CLASSES, 1), "copied", frozen=True
    ).network.train()
    assert not joint.top.training
    assert joint.predictor.training
    joint(torch.rand(4, 3, SIDE, SIDE)).sum().backward()
    assert not [p for p in joint.top.parameters() if p.grad is not None]
    assert all(p.grad is not None for p in joint.predictor.parameters())


def test_a_head_has_its_layers():
    shapes = [tuple(p.shape) for p in predictor_head(20, (100, 10), 0.3).parameters()]
    assert shapes == [(100, 20), (100,), (10, 100), (10,), (1, 10), (1,)]
    assert [tuple(p.shape) for p in predictor_head(20, (), 0.3).parameters()] == [(1, 20), (1,)]


def test_a_classifier_that_is_another_in_training_needs_a_copied_trunk(provider, images):
    training = plain(classifier=ForgetfulTiny())
    text = "classifier 'forgetful' computes something else while it is trained.*cut at 'body.1' for"
    with pytest.raises(MismatchError, match=text + r".*use trunk = \"copied\", which needs no cut"):
        made(Hardness(trunk="shared"), provider, training)
    for hardness in (Hardness(), Hardness(trunk="shared", setting="frozen")):
        _, network, artefacts = made(hardness, provider, training)
        assert hardness.readout(network, artefacts).predictions(images).shape == (8, 1)


def test_keys_depend_on_everything_that_matters():
    def keys(hardness, training=None):
        weights = hardness.classifier_weights((training or plain()).plan)
        return weights.key, hardness.artefacts(weights)["predictor"].key

    changes = [
        {"loss": "linear"},
        {"trunk": "shared"},
        {"setting": "frozen"},
        {"hidden": (99,)},
        {"dropout": 0.2},
    ]
    found = [keys(Hardness(**change)) for change in ({}, *changes)]
    found += [keys(Hardness(), plain(seed=1)), keys(Hardness(), plain(training=Training()))]
    assert len({weights for weights, _ in found}) == len(found)
    assert len({predictor for _, predictor in found}) == len(found)
    elsewhere = plain(classifier=replace(TINY, layer="0"))
    assert keys(Hardness(), elsewhere) == keys(Hardness())
    shared = Hardness(trunk="shared")
    assert not set(keys(shared, elsewhere)) & set(keys(shared))


def test_facts_are_those_of_the_classifier_and_tell_how_mistakes_are_predicted(provider):
    weights, _, artefacts = made(Hardness(), provider)
    facts = weights.facts
    assert facts["classes"] == CLASSES
    assert facts["epochs"] == TRAINING.epochs
    assert facts["architecture"]["name"] == "tiny"
    assert facts["kind"] == "weights"
    assert facts["seconds"] > artefacts["predictor"].facts["seconds"]
    line = r"hardness: joint, bce, copied trunk; mistakes on 'test' are predicted with ROC-AUC "
    line += r"\d\.\d{3} by hardness, \d\.\d{3} by hesitancy, \d\.\d{3} by entropy"
    assert facts["summary"][0].startswith("tiny: 3 epochs, loss ")
    assert re.fullmatch(line, facts["summary"][1])
    assert artefacts["predictor"].facts["summary"] == facts["summary"][1:]


def slow_auc(wrong, scores):
    pairs = [(a, b) for a, w in zip(scores, wrong, strict=True) if w
             for b, v in zip(scores, wrong, strict=True) if not v]  # fmt: skip
    return sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)


def test_the_area_is_the_share_of_pairs_in_the_right_order(provider):
    hardness = Hardness(setting="frozen")
    _, network, artefacts = made(hardness, provider)
    test = ImageSet(Fogged(), "test")
    batch = test.batch(test.ids())
    logits = network.logits(batch.images)
    wrong = (logits.argmax(1) != batch.labels).tolist()
    scores = {
        "hardness": hardness.readout(network, artefacts).predictions(batch.images)[:, 0],
        "hesitancy": 1 - logits.double().softmax(1).amax(1),
        "entropy": -(logits.double().softmax(1) * logits.double().log_softmax(1)).sum(1),
    }
    found = artefacts["predictor"].facts["mistake_auc"]
    for name, values in scores.items():
        assert found[name] == pytest.approx(slow_auc(wrong, values.tolist()), abs=0.02)


def test_without_mistakes_or_without_validation_there_is_no_area(provider, images):
    _, network, artefacts = made(Hardness(), provider, plain(validation=None))
    assert artefacts["predictor"].facts["mistake_auc"] == {}
    assert artefacts["predictor"].facts["summary"] == ["hardness: joint, bce, copied trunk"]
    assert Hardness().readout(network, artefacts).predictions(images).shape == (8, 1)
    clear = ImageSet(Clear(), "test")
    training = Training(epochs=20, batch_size=16, learning_rate=0.01)
    easy = plain(training=training, images=ImageSet(Clear(), "train"), validation=clear)
    weights, _, artefacts = made(Hardness(setting="frozen"), provider, easy)
    assert weights.facts["accuracy"] == 1
    assert set(artefacts["predictor"].facts["mistake_auc"].values()) == {None}


def test_a_readout_is_built_once_for_a_network_and_counts_nothing(provider, images):
    for trunk in ("copied", "shared"):
        _, network, artefacts = made(Hardness(trunk=trunk), provider)
        first, again = (Hardness(trunk=trunk).readout(network, artefacts) for _ in range(2))
        assert first.top is again.top
        assert first.bottom is again.bottom
        assert (first.bottom is network.bottom) == (trunk == "shared")
        first.predictions(images)
        forward = 8 if trunk == "shared" else 0  # what is shared is the network's own
        passes = {"forward": 0, "backward": 0, "top_forward": 0, "top_backward": 0}
        assert network.passes.snapshot() == passes | {"bottom_forward": forward}
        assert len(network.auxiliary) == 1


def test_the_top_of_a_readout_is_piecewise_linear_if_the_networks_is(provider):
    for trunk in ("copied", "shared"):
        _, network, artefacts = made(Hardness(trunk=trunk), provider)
        assert first_nonlinearity(Hardness(trunk=trunk).readout(network, artefacts).top) is None


@pytest.mark.parametrize("preset", ["paper", "official"])
@pytest.mark.parametrize("hardness", KINDS, ids=str)
def test_insecurities_are_explained_with_it(hardness, preset, provider):
    explainer = Deliberative(hardness, Gradient(), preset)
    weights = hardness.classifier_weights(plain().plan)
    test = ImageSet(Fogged(), "test")
    assert explainer.companion() == hardness.companion()
    artefacts = provider.all(explainer.artefacts(weights, {"test": test}))
    network = load_network(TINY, provider.one(weights), CPU)
    found = explainer.explain(network, test.batch(test.ids()[:4]), artefacts, generator(0), {})
    assert len(found) == 4
    assert all(torch.isfinite(one.maps()).all() for one in found)


def test_weights_that_were_trained_without_it_say_what_to_do():
    text = "the weights of classifier 'tiny' were trained without this hardness; name it in an "
    text += 'entry of the benchmark, or use setting = "frozen", which predicts'
    other = Hardness(dropout=0.5).classifier_weights(plain().plan)
    for weights in (plain(), other):
        with pytest.raises(MismatchError, match=text):
            Hardness().artefacts(weights)
    assert Hardness(setting="frozen").artefacts(other)["predictor"].weights == other


def test_a_predictor_cannot_be_made_without_training(provider):
    untrained = plain(training=Training(epochs=0))
    text = "hardness has a predictor that must be trained, and training.epochs is 0; set it above 0"
    for hardness in (Hardness(), Hardness(setting="frozen")):
        with pytest.raises(MismatchError, match=text):
            made(hardness, provider, untrained)


def test_a_predictor_of_another_number_of_classes_is_named(provider):
    _, network, artefacts = made(Hardness(), provider)
    text = r"the hardness predictor \w+ is for 3 classes, and classifier 'tiny' has 4"
    parts = Parts(network.bottom, network.top, network.layer, network.grid)
    other = CutNetwork(parts, 4, network.passes, network.name)
    with pytest.raises(MismatchError, match=text):
        Hardness().readout(other, artefacts)


def test_a_shared_trunk_fits_one_layer_and_a_copied_one_all(provider, images):
    for trunk in ("copied", "shared"):
        weights, _, artefacts = made(Hardness(trunk=trunk), provider)
        elsewhere = load_network(replace(TINY, layer="0"), weights, CPU)
        if trunk == "copied":
            assert Hardness().readout(elsewhere, artefacts).predictions(images).shape == (8, 1)
            continue
        text = r"begins at layer '1.2', and classifier 'tiny' is cut at '0.2'; train one for that"
        with pytest.raises(MismatchError, match=text):
            Hardness(trunk=trunk).readout(elsewhere, artefacts)


def test_a_predictor_that_is_not_there_or_of_another_form_is_named(provider):
    _, network, artefacts = made(Hardness(), provider)
    with pytest.raises(MismatchError, match="hardness is read out with the artefact of its predi"):
        Hardness().readout(network, {})
    with pytest.raises(WeightsError, match=r"'hardness predictor \w+' do not fit Sequential"):
        Hardness(hidden=(3,)).readout(network, artefacts)
    other = Artefact("other", {}, artefacts["predictor"].facts)
    with pytest.raises(WeightsError, match="the weights 'hardness predictor other' do not fit"):
        Hardness().readout(network, {"predictor": other})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"hidden": (4, 0)}, "every layer needs at least one output"),
        ({"dropout": 1.0}, "dropout is 1.0; it needs 0 <= dropout < 1"),
    ],
)
def test_impossible_values_are_named(changes, text):
    with pytest.raises(ValueError, match=text):
        Hardness(**changes)


def test_the_pair_is_one_artefact_from_which_both_are_taken(provider):
    pair = provider.one(JointTraining(plain().plan, Hardness()))
    weights = provider.one(JointWeights(JointTraining(plain().plan, Hardness())))
    prefixes = {name.partition(".")[0] for name in pair.tensors}
    assert prefixes == {"classifier", "predictor"}
    assert equal(
        {n: t for n, t in pair.tensors.items() if n.startswith("classifier.")},
        {f"classifier.{n}": t for n, t in weights.tensors.items()},
    )
    assert weights.facts["seconds"] == pair.facts["seconds"]


@pytest.mark.slow
def test_mistakes_on_toybirds_are_predicted_better_than_by_chance(provider):
    birds = Toybirds(train=600, validation=20, test=200, shifted=20)
    training = plain(
        classifier=SmallCnn(),
        training=Training(6, 32, learning_rate=6e-3, weight_decay=0.02, warmup_epochs=1, shift=6),
        images=ImageSet(birds, "train"),
        validation=ImageSet(birds, "test"),
        classes=20,
    )
    weights, _, artefacts = made(Hardness(trunk="shared"), provider, training)
    assert weights.facts["accuracy"] > 0.2
    assert artefacts["predictor"].facts["mistake_auc"]["hardness"] > 0.53
