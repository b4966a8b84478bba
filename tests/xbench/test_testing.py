"""Everything registered is tested because it is registered."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from xbench.benchmark import benchmark_folder
from xbench.component import Component
from xbench.declaration import read
from xbench.difficulty import Difficulty
from xbench.errors import PluginError
from xbench.loss import Loss, Targets
from xbench.readout import Readout
from xbench.registry import Registry
from xbench.specification import Builder
from xbench.testing import check_component, faults_of

REGISTRY = Registry(third_party=False)
COMPONENTS = [c for c in REGISTRY.claims() if c.kind not in ("benchmark", "command")]


@pytest.mark.parametrize("claim", COMPONENTS, ids=lambda claim: f"{claim.kind}-{claim.name}")
def test_what_is_registered_keeps_the_contract_of_its_kind(claim):
    builder = Builder(REGISTRY, read(benchmark_folder() / "default.toml")["defaults"])
    assert list(faults_of(claim, builder)) == []


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

    with pytest.raises(PluginError, match=r"difficulty 'too-hard': makes scores outside \[0, 1\]"):
        check_component(TooHard())


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
