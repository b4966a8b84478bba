"""A cut keeps values bit for bit, and gradients, or is refused."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from tests.shared.awkward_networks import (
    SIDE,
    AddsInPlace,
    AssignsItems,
    Detached,
    OwnBackward,
    WithoutGradients,
    plain,
)
from xbench import Classifier, CutError, Normalisation
from xbench.files.home import home
from xbench.networks import exactness, loading
from xbench.networks.exactness import check_exact, smooth_picture
from xbench.networks.loading import whole_module

CLASSES = 8


def images(count=2):
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(7))


def whole(module, layer=""):
    return whole_module(module, classes=CLASSES, size=SIDE, layer=layer)


@pytest.mark.parametrize("module", [OwnBackward, WithoutGradients])
def test_a_cut_that_would_change_gradients_is_refused_and_the_network_stays_whole(module):
    network = whole(module(CLASSES))
    before = network.logits(images())
    with pytest.raises(CutError, match="has another gradient than before"):
        network.cut()
    assert torch.equal(network.logits(images()), before)


def test_operations_in_place_are_cut_exactly():
    network = whole(AddsInPlace(CLASSES), layer="first.1")
    before = network.logits(images())
    assert torch.equal(network.cut().logits(images()), before)
    assert network.notes == [
        "its own code cannot be differentiated: that its cut has its gradient is not shown"
    ]


def test_what_cannot_be_traced_is_named_and_runs_whole():
    network = whole(AssignsItems(CLASSES))
    with pytest.raises(CutError, match=r"AssignsItems cannot be traced, and so not cut: .*item"):
        network.cut()
    assert network.logits(images()).shape == (2, CLASSES)


def test_a_gradient_of_zero_on_both_sides_is_said_to_show_nothing():
    network = whole(Detached(CLASSES))
    network.cut()
    assert network.notes == [
        "its gradient is zero, cut or not: that shows nothing of how exact the cut is"
    ]


def test_an_exact_cut_has_nothing_to_say():
    network = whole(plain(CLASSES))
    network.cut()
    assert network.notes == []


def test_a_small_difference_of_gradients_is_none():
    linear = plain(CLASSES).eval()
    assert check_exact(linear, linear, images()) == []

    def other(given):
        made = linear(given)
        return made + 0 * made.detach() + 1e-4 * (made - made.detach())

    with pytest.raises(CutError, match="the network has another gradient"):
        check_exact(linear, other, images())


def test_another_value_is_refused_whatever_its_gradient():
    linear = plain(CLASSES).eval()
    with pytest.raises(CutError, match="computes something else"):
        check_exact(linear, lambda given: linear(given) + 1e-3, images())


def test_the_smooth_picture_has_the_range_of_the_example_and_no_edges():
    example = 4 * images() - 1
    picture = smooth_picture(example)
    assert picture.shape == (1, 3, SIDE, SIDE)
    assert example.min() <= picture.min()
    assert picture.max() <= example.max()
    assert picture.diff(dim=3).abs().max() < 0.5 * (example.max() - example.min())


class ZeroHead(torch.nn.Module):
    """Its head is zero, as those of vision transformers are before training."""

    def __init__(self, body):
        super().__init__()
        self.body, self.head = body, torch.nn.Linear(CLASSES, CLASSES)
        torch.nn.init.zeros_(self.head.weight)

    def forward(self, given):
        return self.head(self.body(given))


def test_before_a_head_of_zeros_the_gradient_is_shown_with_other_weights_that_do_not_stay():
    module = ZeroHead(plain(CLASSES))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    network = whole(module)
    network.cut()
    assert network.notes == []
    assert all(torch.equal(before[name], own) for name, own in module.state_dict().items())


class Exploding(torch.nn.Module):
    """Is constant with its own weights, and overflows with others."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.zeros(CLASSES, 3))

    def forward(self, given):
        return (1e4 * given.mean((2, 3)) @ self.scale.t()).exp()


def test_weights_with_which_logits_are_no_numbers_show_nothing():
    module = Exploding()
    notes = check_exact(module, module, images(), module.parameters())
    assert notes == ["its gradient is zero, cut or not: that shows nothing of how exact the cut is"]
    assert not module.scale.any()


def test_a_head_of_zeros_hides_no_backward_pass_of_its_own():
    with pytest.raises(CutError, match="has another gradient than before"):
        whole(ZeroHead(OwnBackward(CLASSES))).cut()


@dataclass(frozen=True)
class Small(Classifier):
    """A network of tests."""

    name: ClassVar[str] = "small"
    layer: str = ""

    def module(self, classes):
        return plain(classes)

    def input_size(self):
        return SIDE

    def normalisation(self):
        return Normalisation((0.5,) * 3, (0.5,) * 3)


def cut_once(checks, monkeypatch):
    def counted(*arguments):
        checks.append(arguments)
        return check_exact(*arguments)

    monkeypatch.setattr(loading, "check_exact", counted)
    return loading.whole_classifier(Small(), plain(CLASSES), CLASSES).cut()


def test_the_gradient_of_a_cut_is_looked_at_once_for_an_architecture_and_its_layer(monkeypatch):
    checks = []
    cut_once(checks, monkeypatch)
    cut_once(checks, monkeypatch)
    assert len(checks) == 1


def test_a_verdict_that_was_damaged_is_made_again(monkeypatch):
    checks = []
    cut_once(checks, monkeypatch)
    (kept,) = (home() / "cache" / "cuts").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"[]", b"[1]"))
    cut_once(checks, monkeypatch)
    cut_once(checks, monkeypatch)
    assert len(checks) == 2


class Foreign(torch.nn.Sequential):
    """Code of somebody's own."""


def test_verdicts_on_code_of_others_do_not_outlive_a_process(monkeypatch):
    checks, monkey = [], monkeypatch
    monkey.setattr(loading, "check_exact", lambda *given: checks.append(given) or [])
    monkey.setattr(exactness, "_IN_PROCESS", {})
    for _ in range(2):
        loading.whole_classifier(Small(), Foreign(plain(CLASSES)), CLASSES).cut()
    assert len(checks) == 1
    assert not (home() / "cache").exists()
    monkey.setattr(exactness, "_IN_PROCESS", {})
    loading.whole_classifier(Small(), Foreign(plain(CLASSES)), CLASSES).cut()
    assert len(checks) == 2


def test_without_a_home_that_can_be_written_to_it_is_looked_at_each_time(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path / "file"))
    checks = []
    cut_once(checks, monkeypatch)
    cut_once(checks, monkeypatch)
    assert len(checks) == 2
