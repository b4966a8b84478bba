"""Networks of which some layers are random: stages, orders, and what becomes of each layer."""

import pytest
import torch
from torch import nn

from small_networks import Tiny
from xbench import Artefact
from xbench.networks import blank_module
from xbench_saliency.randomisation.stages import Stage, stages, steps
from xbench_saliency.randomisation.weights import RandomisedWeights, reset
from xbench_zoo.small import SmallCnn

TINY = Tiny(blocks=2)
LAYERS = ("0.0", "0.1", "1.0", "1.1", "5")


def trained():
    """A state that no initialisation gives."""
    module = blank_module(TINY, 3)
    for number, tensor in enumerate(module.state_dict().values()):
        tensor.copy_(torch.full_like(tensor, 2 + number))
    return module.state_dict()


def randomised(layers, *, seed=0):
    recipe = RandomisedWeights((None,), TINY, 3, layers, seed)
    return recipe.derived([trained()])


def test_stages_are_layers_in_their_order_with_what_only_scales_after_them():
    assert stages(blank_module(TINY, 3), 8) == (
        Stage("0.0", ("0.0", "0.1")),
        Stage("1.0", ("1.0", "1.1")),
        Stage("5", ("5",)),
    )


def test_what_scales_before_the_first_layer_belongs_to_it():
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 2, 1), nn.ReLU(), nn.BatchNorm2d(2))
    assert stages(module, 8) == (Stage("1", ("1", "0", "3")),)
    assert stages(nn.Sequential(nn.BatchNorm2d(3)), 8) == (Stage("0", ("0",)),)
    assert stages(nn.ReLU(), 8) == ()


def test_many_stages_are_put_together_evenly():
    names = [stage.name for stage in stages(blank_module(SmallCnn(), 4), 4)]
    assert names[:2] == ["stage1.conv", "stage2.conv to stage3.conv"]
    assert names[2:] == ["stage4.conv", "stage5.conv to head"]
    (whole,) = stages(blank_module(TINY, 3), 1)
    assert (whole.name, whole.layers) == ("0.0 to 5", LAYERS)


def test_cascades_begin_at_their_end_and_single_stages_stand_alone():
    of = steps(stages(blank_module(TINY, 3), 8))
    assert [(step.order, step.name) for step in of] == [
        ("none", ""),
        *(("top", name) for name in ("5", "1.0", "0.0")),
        *(("bottom", name) for name in ("0.0", "1.0", "5")),
        *(("single", name) for name in ("0.0", "1.0", "5")),
    ]
    layers = {(step.order, step.place): step.layers for step in of}
    assert layers["none", 0] == ()
    assert layers["top", 1] == layers["single", 3] == ("5",)
    assert layers["top", 3] == layers["bottom", 3] == LAYERS
    assert layers["bottom", 2] == ("0.0", "0.1", "1.0", "1.1")


def test_only_the_layers_that_are_named_change():
    state, before = randomised(("1.0", "1.1")), trained()
    changed = {name for name in state if not torch.equal(state[name], before[name])}
    assert {name.rpartition(".")[0] for name in changed} == {"1.0", "1.1"}


def test_a_normalisation_starts_anew_with_its_statistics():
    state = randomised(("1.1",))
    assert state["1.1.weight"].eq(1).all()
    assert state["1.1.running_mean"].eq(0).all()
    assert state["1.1.running_var"].eq(1).all()
    assert randomised(("1.0",))["1.1.running_mean"].ne(0).all()


def test_a_layers_values_follow_from_seed_and_name_whatever_else_is_random():
    alone, together = randomised(("5",)), randomised(LAYERS)
    assert torch.equal(alone["5.weight"], together["5.weight"])
    assert not torch.equal(alone["5.weight"], randomised(("5",), seed=1)["5.weight"])


def test_the_global_generator_is_left_as_it_was():
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    randomised(LAYERS)
    assert torch.equal(torch.random.get_rng_state(), before)


class Token(nn.Module):
    """A parameter that does not know how it starts."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 4, 2000) * 3 + 5)


def test_a_parameter_without_a_start_is_drawn_with_its_mean_and_deviation():
    torch.manual_seed(0)
    module = Token()
    before = module.token.detach().clone()
    reset(module, 1)
    assert not torch.equal(module.token, before)
    assert float(module.token.detach().mean()) == pytest.approx(5, abs=0.2)
    assert float(module.token.detach().std()) == pytest.approx(3, abs=0.2)


def test_a_single_number_without_a_start_stays():
    module = nn.Module()
    module.scale = nn.Parameter(torch.tensor([2.0]))
    reset(module, 1)
    assert module.scale.tolist() == [2.0]


def test_a_run_says_nothing_of_each_random_network(workplace):
    class Source:
        key = "source"

        def tree(self):
            return {}

    recipe = RandomisedWeights((Source(),), TINY, 3, ("5",), 0)
    source = Artefact("source", trained(), {"classes": 3, "summary": ["trained"]})
    built = recipe.build({"0": source}, workplace)
    assert built.facts["classes"] == 3
    assert "summary" not in built.facts
