"""Foreign code leaves everything as it was, or its block is refused and says why."""

import os
import pickle
import random
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from xbench.errors import ChangedStateError, PluginError, RunError
from xbench.interfaces.attribution import Attribution
from xbench.networks.loading import cut_module
from xbench.running.executors.local import LocalExecutor
from xbench.running.guard.block import guarded, network_changed
from xbench.running.guard.modules import state_of
from xbench.running.guard.process import process_state
from xbench.testing.tiny import tiny_network


@dataclass(frozen=True)
class Careless(Attribution):
    """Whose code runs in the block."""

    name: ClassVar[str] = "careless"

    def attribute(self, readout, activations, images):
        raise AssertionError


WHO = "attribution 'careless'"


class Block(nn.Module):
    """A convolution, normalised, with a residual."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.calls = 0

    def forward(self, x):
        self.calls += 1  # modules may keep counts of their own
        return x + self.norm(self.conv(x))


@pytest.fixture
def network():
    stem = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), block=Block(), relu=nn.ReLU()))
    head = nn.Sequential(OrderedDict(pool=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten()))
    head.add_module("drop", nn.Dropout(0.5))
    head.add_module("fc", nn.Linear(16, 5))
    module = nn.Sequential(OrderedDict(bottom=stem, top=head))
    return module.eval().requires_grad_(requires_grad=False)


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = process_state()
    yield
    assert process_state() == before


def run(network, act, said=None, tensors=None):
    say = [].append if said is None else said.append
    with guarded(Careless(), [network], 5, say, tensors or {}):
        act(network)


def images():
    return torch.rand(2, 3, 12, 12)


def hook(*_):
    return None


def replaced(network):
    network.top.fc.weight = nn.Parameter(torch.ones(5, 16), requires_grad=False)


def parametrised(network):
    parametrizations.weight_norm(network.top.fc)


def own_forward(network):
    network.top.relu_before = network.bottom.relu.forward
    network.bottom.relu.forward = lambda x: x


def learns(network):
    network.train()
    network(images())
    network.eval()


def tied(network):
    network.bottom.conv.weight.numpy()[0, 0, 0, 0] = 9


CONTENT = {
    "multiplied": (lambda n: n.top.fc.weight.mul_(2), "fc.weight"),
    "nudged": (lambda n: n.top.fc.weight[3, 3].add_(1e-4), "fc.weight"),
    "through data": (lambda n: n.top.fc.weight.data.mul_(2), "fc.weight"),
    "other data": (lambda n: setattr(n.top.fc.bias, "data", torch.ones(5)), "fc.bias"),
    "copied": (lambda n: n.top.fc.weight.copy_(torch.ones(5, 16)), "fc.weight"),
    "swapped": (lambda n: n.top.fc.bias.copy_(n.top.fc.bias.flip(0)), "fc.bias"),
    "permuted": (lambda n: n.bottom.conv.weight.copy_(n.bottom.conv.weight.flip(3)), "conv.weight"),
    "through numpy": (tied, "conv.weight"),
    "running mean": (lambda n: n.bottom.block.norm.running_mean.add_(1), "norm.running_mean"),
    "statistics": (learns, "norm.running_mean"),
    "other type": (lambda n: n.top.half(), "fc.weight"),
}


@pytest.mark.parametrize("name", CONTENT)
def test_other_values_of_weights_are_refused_and_the_network_counts_as_changed(network, name):
    act, where = CONTENT[name]
    with pytest.raises(ChangedStateError) as refused:
        run(network, act)
    assert refused.match(WHO)
    assert refused.match(rf"changed the values of parameters or buffers \(.*{where}'\)")
    assert refused.match("nothing of this block is kept. Let it put back what it changes, or work")
    assert refused.value.network_changed
    assert network_changed(refused.value)


BACK = {
    "training": (
        lambda n: n.train(),
        r"left modules in training mode \(12, first 'Sequential'\)",
    ),
    "one training": (
        lambda n: n.bottom.block.norm.train(),
        r"left modules in training mode \('bottom.block.norm'\)",
    ),
    "requires_grad": (
        lambda n: n.top.requires_grad_(),
        r"changed `requires_grad` \(2, first 'top.fc.weight'\)",
    ),
    "forward hook": (
        lambda n: n.top.register_forward_hook(hook),
        r"left hooks or removed them \('top'\)",
    ),
    "pre-hook": (
        lambda n: n.top.register_forward_pre_hook(hook, with_kwargs=True),
        r"left hooks or removed them \('top'\)",
    ),
    "backward hook": (
        lambda n: n.top.register_full_backward_hook(hook),
        r"left hooks or removed them \('top'\)",
    ),
    "tensor hook": (
        lambda n: n.top.fc.weight.requires_grad_().register_hook(hook),
        r"changed `requires_grad` \('top.fc.weight'\), left hooks .* \('top.fc.weight'\)",
    ),
    "parameter": (replaced, r"replaced parameters \('top.fc.weight'\)"),
    "parametrised": (parametrised, r"changed the class of modules \('top.fc'\), replaced"),
    "buffer": (
        lambda n: setattr(n.bottom.block.norm, "running_var", torch.ones(4) * 3),
        r"replaced buffers \('bottom.block.norm.running_var'\)",
    ),
    "new buffer": (
        lambda n: n.top.register_buffer("cache", torch.ones(4)),
        r"replaced buffers \('top.cache'\)",
    ),
    "submodule": (
        lambda n: setattr(n.bottom, "relu", nn.Softplus()),
        r"replaced submodules \('bottom.relu'\)",
    ),
    "forward": (own_forward, r"replaced `forward` of modules \('bottom.relu'\)"),
    "inplace": (
        lambda n: setattr(n.bottom.relu, "inplace", True),
        r"changed `inplace` of modules \('bottom.relu'\)",
    ),
    "stride": (
        lambda n: setattr(n.bottom.conv, "stride", (2, 2)),
        r"changed `stride` of modules \('bottom.conv'\)",
    ),
}


@pytest.mark.parametrize("name", BACK)
def test_what_can_be_put_back_is_refused_and_put_back(network, name):
    act, told = BACK[name]
    batch = images()
    before, logits = state_of([network]), network(batch)
    with pytest.raises(ChangedStateError, match=f"{WHO}.*: it {told}") as refused:
        run(network, act)
    assert not refused.value.network_changed
    after = state_of([network])
    assert [part[:3] for part in after.parts] == [part[:3] for part in before.parts]
    assert torch.equal(network(batch), logits)
    run(network, lambda n: n(batch))  # nothing of it is left


def test_hooks_that_were_there_and_are_taken_away_come_back(network):
    calls = []
    handle = network.top.register_forward_hook(lambda *_: calls.append(1))
    with pytest.raises(ChangedStateError, match=r"left hooks or removed them \('top'\)"):
        run(network, lambda n: n.top._forward_hooks.clear())
    network(images())
    assert calls == [1]
    handle.remove()
    network(images())
    assert calls == [1]


PROCESS = {
    "dtype": (
        lambda: torch.set_default_dtype(torch.float64),
        "changed the default dtype from torch.float32 to torch.float64",
    ),
    "device": (lambda: torch.set_default_device("meta"), "default device from cpu to meta"),
    "threads": (
        lambda: torch.set_num_threads(torch.get_num_threads() + 1),
        "the number of threads from",
    ),
    "grad mode": (
        lambda: torch.set_grad_enabled(not torch.is_grad_enabled()),
        "changed whether gradients are enabled from True to False",
    ),
    "autocast": (lambda: torch.set_autocast_enabled("cpu", True), "whether autocast is enabled"),
    "anomalies": (lambda: torch.autograd.set_detect_anomaly(True), "changed anomaly detection"),
    "determinism": (
        lambda: torch.use_deterministic_algorithms(True),
        "the use of deterministic algorithms from 0 to 2",
    ),
    "precision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        "the precision of matrix products from highest to medium",
    ),
    "hooks": (
        lambda: nn.modules.module.register_module_forward_hook(hook),
        "changed hooks of all modules",
    ),
    "numpy": (lambda: np.seterr(all="ignore"), "how numpy treats numerical errors"),
    "folder": (lambda: os.chdir("/"), "the working directory from .* to /"),
}


@pytest.mark.parametrize("name", PROCESS)
def test_what_is_set_for_the_process_is_refused_and_put_back(network, name):
    act, told = PROCESS[name]
    with pytest.raises(ChangedStateError, match=f"{WHO}.*{told}") as refused:
        run(network, lambda _: act())
    assert not refused.value.network_changed


def test_images_that_were_written_into_are_refused(network):
    batch = {"images": images(), "labels": torch.arange(2)}
    with pytest.raises(ChangedStateError, match="it wrote into the images it was given") as refused:
        run(network, lambda n: batch["images"].clamp_(max=0.5), tensors=batch)
    assert not refused.value.network_changed
    with pytest.raises(ChangedStateError, match="it wrote into the labels it was given"):
        run(network, lambda n: batch["labels"].data.fill_(3), tensors=batch)


def test_a_registered_component_is_named_with_its_distribution(network):
    with (
        pytest.raises(ChangedStateError, match=r"executor 'local' \(of xbench-xai \d+\.\d+.*\)"),
        guarded(LocalExecutor(), [network], 5, [].append),
    ):
        network.train()


def test_several_changes_are_all_named(network):
    def act(module):
        module.train()
        module.top.fc.weight.zero_()
        torch.set_default_dtype(torch.float64)

    with pytest.raises(ChangedStateError) as refused:
        run(network, act)
    for told in ("the default dtype", "training mode", "fc.weight"):
        assert refused.match(told)


def temporary_hooks(network):
    handles = [module.register_forward_hook(hook) for module in network.modules()]
    handles += [network.top.register_full_backward_hook(hook)]
    network(images().requires_grad_()).sum().backward()
    for handle in handles:
        handle.remove()


def restored_mode(network):
    network.top.drop.train()
    network(images())
    network.top.drop.eval()


def input_gradients(network):
    batch = images().requires_grad_()
    network(batch)[:, 0].sum().backward()
    assert batch.grad is not None


def weight_gradients(network):
    network.top.requires_grad_()
    network(images()).sum().backward()
    network.top.requires_grad_(requires_grad=False)
    assert network.top.fc.weight.grad is not None


def restored_weights(network):
    state = {name: value.clone() for name, value in network.state_dict().items()}
    for parameter in network.parameters():
        parameter.normal_()
    network.load_state_dict(state)


def other_layout(network):
    network.to(memory_format=torch.channels_last)


def wider_and_back(network):
    network.double().float()


def contexts(network):
    with torch.no_grad(), torch.autocast("cpu"), torch.inference_mode():
        network(images())


PASSES = {
    "forward": lambda n: n(images()),
    "hooks": temporary_hooks,
    "mode": restored_mode,
    "gradients": input_gradients,
    "gradients of weights": weight_gradients,
    "restored weights": restored_weights,
    "zero_grad": lambda n: n.zero_grad(),
    "layout": other_layout,
    "double and back": wider_and_back,
    "contexts": contexts,
    "random numbers": lambda n: (random.random(), np.random.rand(), torch.rand(3)),  # noqa: NPY002, S311
    "cuDNN": lambda n: setattr(torch.backends.cudnn, "benchmark", True),
}


@pytest.mark.parametrize("name", PASSES)
def test_code_that_leaves_things_as_they_were_passes(network, name):
    batch = images()
    logits = network(batch)
    run(network, PASSES[name], tensors={"images": batch})
    assert torch.equal(network(batch), logits)
    assert not torch.backends.cudnn.benchmark
    assert all(one.grad is None for one in network.parameters())
    assert network.bottom.conv.weight.is_contiguous()


def test_the_flags_of_cudnn_are_put_back_and_told_of(network):
    said = []
    run(network, PASSES["cuDNN"], said)
    (line,) = said
    assert line.startswith("attribution 'careless' ")
    assert line.endswith("changed the flags of cuDNN; that was put back")


def test_a_seed_is_told_of_with_the_same_words_each_time(network):
    said = []
    for _ in range(2):
        run(network, lambda _: torch.manual_seed(0), said)
    assert len(said) == 2
    assert len(set(said)) == 1
    assert "calls torch.manual_seed; that holds until its block ends" in said[0]


def test_the_same_block_draws_the_same_numbers(network):
    drawn = []
    for _ in range(2):
        run(network, lambda _: drawn.append(torch.rand(3).tolist()))
    assert drawn[0] == drawn[1]


def test_an_error_passes_through_with_everything_put_back(network):
    def act(module):
        module.train()
        torch.set_default_dtype(torch.float64)
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside") as raised:
        run(network, act)
    assert not network.training
    assert not network_changed(raised.value)
    (note,) = raised.value.__notes__
    assert "before it failed, attribution 'careless'" in note
    assert "left modules in training mode" in note


def test_an_error_tells_that_weights_were_changed_before_it(network):
    def act(module):
        module.top.fc.weight.zero_()
        raise torch.OutOfMemoryError("full")

    with pytest.raises(torch.OutOfMemoryError, match="full") as raised:
        run(network, act)
    assert network_changed(raised.value)


def test_an_error_of_a_block_that_changed_nothing_is_as_it_was(network):
    def act(module):
        raise KeyError("inside")

    with pytest.raises(KeyError) as raised:
        run(network, act)
    assert not hasattr(raised.value, "__notes__")


def test_the_parts_of_a_network_share_their_names_and_each_is_looked_at(network):
    cut = tiny_network()
    with (
        pytest.raises(ChangedStateError, match=r"'2.bias'"),
        guarded(Careless(), [cut.bottom, cut.top], 5, [].append),
    ):
        cut.top[2].bias.add_(1)


def test_the_parts_of_a_cut_network_are_looked_at(network):
    cut = cut_module(network, classes=5, size=12, layer="bottom.relu")
    parts, batch = [cut.bottom, cut.top], images()
    with guarded(Careless(), parts, 5, [].append):
        cut.logits(batch)
    with (
        pytest.raises(
            ChangedStateError,
            match=r"`requires_grad` \(6, first 'network\..*conv.*\.weight'",
        ),
        guarded(Careless(), parts, 5, [].append),
    ):
        cut.bottom.requires_grad_()


def test_a_module_that_stands_in_two_places_is_looked_at_once(network):
    network.top.add_module("again", network.bottom)
    assert len(state_of([network, network.bottom]).parts) == len(list(network.modules()))


def test_the_refusal_fails_a_part_of_a_run_as_errors_of_plugins_do_and_travels_between_processes():
    error = ChangedStateError("left", network_changed=True)
    assert isinstance(error, RunError)
    assert error.exit_code == PluginError.exit_code == 2
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.network_changed) == ("left", True)
