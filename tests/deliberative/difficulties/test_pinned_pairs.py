"""A classifier and its hardness predictor, pinned by one file."""

from dataclasses import replace

import pytest
import torch

from small_datasets import Fogged
from small_networks import Tiny
from xbench import (
    ImageSet,
    MismatchError,
    PinnedWeights,
    Training,
    TrainingPlan,
    WeightsError,
    WeightsFile,
)
from xbench.networks import load_network, read_facts, read_state, write_state
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_deliberative.difficulties.hardness_training import JointTraining, JointWeights
from xbench_zoo.losses import CrossEntropy

SHARED = Hardness(trunk="shared")
CPU = torch.device("cpu")


@pytest.fixture
def plan():
    data, training = Fogged(), Training(epochs=1, batch_size=16)
    images, test = ImageSet(data, "train"), ImageSet(data, "test")
    return TrainingPlan(Tiny(blocks=2), CrossEntropy(), training, images, test, 0, 3)


@pytest.fixture
def trained(plan):
    return JointWeights(JointTraining(plan, SHARED))


@pytest.fixture
def file(trained, provider, tmp_path):
    pair = provider.one(trained.whole)
    write_state(tmp_path / "pair.safetensors", pair.tensors, pair.facts)
    return WeightsFile(str(tmp_path / "pair.safetensors"), trained_with="some")


def test_the_file_gives_the_same_network_and_the_same_readout(trained, file, plan, provider):
    pinned = SHARED.given_weights(PinnedWeights(plan.classifier, 3, file, plan))
    readouts = []
    test = ImageSet(Fogged(), "test")
    images = test.batch(test.ids()[:8]).images
    for weights in (trained, pinned):
        network = load_network(plan.classifier, provider.one(weights), CPU)
        artefacts = provider.all(SHARED.artefacts(weights))
        readouts.append(SHARED.readout(network, artefacts).predictions(images))
        readouts.append(network.logits(images, tuple(range(8))))
    assert torch.equal(readouts[0], readouts[2])
    assert torch.equal(readouts[1], readouts[3])
    assert not pinned.trained_here
    assert trained.trained_here
    assert pinned.plan == plan


def test_its_classifier_alone_can_be_pinned(trained, file, plan, provider):
    alone = provider.one(PinnedWeights(plan.classifier, 3, file))
    whole = provider.one(trained)
    assert alone.facts["state"] == whole.facts["state"]
    assert "on 'test'" in alone.facts["summary"][0]


def test_keys_have_the_content_and_the_predictor_but_no_path(file, plan, tmp_path):
    keys = set()
    moved = tmp_path / "elsewhere.safetensors"
    moved.write_bytes((tmp_path / "pair.safetensors").read_bytes())
    for source in (file, replace(file, path=str(moved))):
        keys.add(SHARED.given_weights(PinnedWeights(plan.classifier, 3, source)).key)
    assert len(keys) == 1
    other = Hardness(trunk="shared", dropout=0.1)
    assert other.given_weights(PinnedWeights(plan.classifier, 3, file)).key not in keys


def test_a_file_without_a_predictor_is_none_for_it(file, plan, provider, tmp_path):
    unsaid = PinnedWeights(plan.classifier, 3, replace(file, trained_with=""))
    assert SHARED.given_weights(unsaid) is None
    path = tmp_path / "alone.safetensors"
    state = {n: t for n, t in read_state(file.path).items() if n.startswith("classifier.")}
    write_state(path, state, read_facts(file.path))
    alone = WeightsFile(str(path), trained_with="some")
    weights = SHARED.given_weights(PinnedWeights(plan.classifier, 3, alone))
    with pytest.raises(MismatchError, match="has no predictor beside its classifier; write such"):
        provider.one(weights)


def test_facts_that_are_no_json_are_named(file, tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "odd.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={"facts": "{"})
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_facts(path)
    save_file({"a": torch.zeros(2)}, path, metadata={"facts": "[1]"})
    assert read_facts(path) == {}
    assert read_facts(tmp_path / "other.npz") == {}
