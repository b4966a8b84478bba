"""Everything registered is tested because it is registered."""

import contextlib
import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from xbench.benchmark.declaration import benchmark_folder, read
from xbench.components.registry import Registry
from xbench.components.specification import Builder
from xbench.errors import MismatchError, PluginError
from xbench.interfaces.component import Component
from xbench.interfaces.data.similarity import Similarity
from xbench.interfaces.loss import Loss, Targets
from xbench.interfaces.readout import Difficulty, Readout
from xbench.running.executors.ray import RayExecutor, connected
from xbench.testing.conformance.samples import sample, samples_beside
from xbench.testing.conformance.suite import KINDS, check_component, faults_of
from xbench.testing.tiny import TinyClassifier, TinyDataset, TinyLoss

REGISTRY = Registry(third_party=False)
CLAIMS = REGISTRY.claims()


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.kind}-{claim.name}")
def test_what_is_registered_keeps_the_contract_of_its_kind(claim):
    builder = Builder(REGISTRY, read(benchmark_folder() / "default.toml")["defaults"])
    with one_cluster(claim):
        assert list(faults_of(claim, builder)) == []


def one_cluster(claim):
    """A cluster for all rules of the executor that would start one for each."""
    if (claim.kind, claim.name) == ("executor", "ray"):
        return connected(RayExecutor())
    return contextlib.nullcontext()


ITEMS = {
    "similarity": "hierarchy",
    "difficulty": "entropy",
    "attribution": "gradient",
    "explainer": "grad-cam",
    "protocol": "explicability",
    "executor": "local",
}


def test_the_docs_have_every_rule(project):
    builder = Builder(REGISTRY, read(benchmark_folder() / "default.toml")["defaults"])
    items = [sample(builder, kind, name) for kind, name in ITEMS.items()]
    items += [TinyDataset(), TinyClassifier(), TinyLoss()]
    items += [REGISTRY.get("command", "score"), benchmark_folder() / "default.toml"]
    rules = {
        rule.name
        for cls, kind in KINDS
        for item in items
        if isinstance(item, cls)
        for rule in kind(item, samples_beside(builder, item))
    }
    text = (project / "docs" / "plugins.md").read_text().partition("## The rules")[2]
    named = set(re.findall(r"^\| [^|]* \| `([^`]+)`", text, re.MULTILINE))
    assert rules | {"built", "tried", "seeds"} == named


def test_a_component_that_is_no_dataclass_is_at_fault():
    class Loose(Component):
        kind, name = "loss", "loose"

    with pytest.raises(PluginError, match="is no dataclass"):
        check_component(Loose())


def test_a_component_that_can_be_changed_is_at_fault():
    @dataclass
    class Loose(Component):
        """A component."""

        kind: ClassVar[str] = "loss"
        name: ClassVar[str] = "loose"

    with pytest.raises(PluginError, match="is not frozen"):
        check_component(Loose())


def test_a_difficulty_outside_the_unit_interval_is_at_fault():
    @dataclass(frozen=True)
    class TooHard(Difficulty):
        """The largest logit times a hundred."""

        name: ClassVar[str] = "too-hard"

        def readout(self, network, artefacts):
            return Readout(network.bottom, network.top, lambda z: 100 * z.amax(1, keepdim=True) + 2)

    with pytest.raises(
        PluginError, match=r"difficulty 'too-hard': \[scores\] makes scores outside \[0, 1\]"
    ):
        check_component(TooHard())


def test_a_loss_is_tried_on_a_dataset_it_can_ask_about_its_classes():
    @dataclass(frozen=True)
    class Asking(Loss):
        """Targets that do not sum to one, for images of a known dataset."""

        name: ClassVar[str] = "asking"

        def targets(self, batch, *, classes, epoch, generator):
            assert len(batch.source.dataset.class_names()) == classes
            return Targets(batch.images, torch.ones(len(batch.ids), classes), batch.source)

        def score(self, logits, targets):
            return logits.sum()

    with pytest.raises(PluginError, match="target distributions that do not sum to 1"):
        check_component(Asking())


def test_a_loss_that_refuses_the_dataset_it_is_tried_on_is_not_at_fault():
    @dataclass(frozen=True)
    class Choosy(Loss):
        """Speaks of other classes."""

        name: ClassVar[str] = "choosy"

        def check(self, images):
            raise MismatchError(f"{images.dataset.name} has other classes")

        def targets(self, batch, *, classes, epoch, generator):
            raise AssertionError

        def score(self, logits, targets):
            raise AssertionError

    check_component(Choosy())


@pytest.mark.parametrize(
    ("matrix", "told"),
    [
        (-torch.eye(5, dtype=torch.float64), r"its matrix: .* 'cat' \(predicted\) is negative"),
        (torch.eye(5), "of type torch.float32, not of double precision"),
        (torch.eye(4, dtype=torch.float64), "its matrix is 4 × 4, but there are 5 classes"),
    ],
)
def test_a_similarity_that_is_none_is_at_fault(matrix, told):
    @dataclass(frozen=True)
    class Odd(Similarity):
        """A matrix that is no similarity."""

        name: ClassVar[str] = "odd"

        def matrix(self, dataset):
            return matrix

    with pytest.raises(PluginError, match=told):
        check_component(Odd())


def test_the_dataset_that_losses_are_tried_on_keeps_its_own_contract():
    check_component(TinyDataset())


def test_a_loss_that_draws_from_elsewhere_is_at_fault():
    @dataclass(frozen=True)
    class Moody(Loss):
        """Random targets."""

        name: ClassVar[str] = "moody"

        def targets(self, batch, *, classes, epoch, generator):
            return Targets(batch.images, torch.rand(len(batch.ids), classes).softmax(dim=1))

        def score(self, logits, targets):
            return -(targets.distribution * logits.log_softmax(dim=1)).sum(dim=1).mean()

    with pytest.raises(PluginError, match="draws randomness from elsewhere than its generator"):
        check_component(Moody())
