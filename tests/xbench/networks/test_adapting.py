"""Modules as people bring them are made to take RGB images and to give logits, or are refused."""

import pytest
import torch
from torch import nn

from tests.shared.awkward_networks import (
    SIDE,
    BatchNormalised,
    Dictionary,
    ExtraArgument,
    Pair,
    Probabilities,
    grey,
    lazy,
    plain,
)
from xbench import MismatchError, NumericalError
from xbench.networks.adapting import adapted, as_two_classes, unwrapped, with_output
from xbench.networks.loading import whole_module
from xbench.networks.outputs import check_outputs

CLASSES = 8


def images(count=2):
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


def network(module, classes=CLASSES):
    return whole_module(adapted(module, SIDE), classes=classes, size=SIDE)


@pytest.mark.parametrize("dtype", [torch.half, torch.bfloat16, torch.double])
def test_other_precisions_run_in_single_precision(dtype):
    made = network(plain(CLASSES).to(dtype))
    assert made.logits(images()).dtype is torch.float32
    assert check_outputs(made, (SIDE, SIDE)) == []


def test_lazy_layers_are_initialised_as_their_seed_says():
    states = []
    for _ in range(2):
        torch.manual_seed(4)
        states.append(adapted(lazy(CLASSES), SIDE).state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())
    assert states[0]["0.weight"].shape == (8, 3, 3, 3)


def test_networks_of_one_channel_get_grey_images():
    module = grey(CLASSES).eval()
    names = list(module.state_dict())
    red, green, blue = images().unbind(1)
    expected = module((0.299 * red + 0.587 * green + 0.114 * blue)[:, None])
    made = network(module)
    assert torch.allclose(made.logits(images()), expected, atol=1e-6)
    assert torch.equal(made.cut().logits(images()), made.logits(images()))
    assert list(module.state_dict()) == names


@pytest.mark.parametrize("wrapper", [nn.DataParallel, torch.compile])
def test_wrappers_are_taken_off(wrapper):
    module = plain(CLASSES)
    assert unwrapped(nn.DataParallel(wrapper(module))) is module
    assert adapted(wrapper(module), SIDE) is module


@pytest.mark.parametrize(("module", "output"), [(Dictionary, "logits"), (Pair, "1")])
def test_a_part_of_the_output_is_taken_and_can_be_cut(module, output):
    original = module(CLASSES).eval()
    expected = original.net(images())
    made = network(with_output(original, output))
    assert check_outputs(made, (SIDE, SIDE)) == []
    assert torch.equal(made.logits(images()), expected)
    assert torch.equal(made.cut().logits(images()), expected)


@pytest.mark.parametrize(
    ("module", "output", "text"),
    [
        (Dictionary, "scores", "makes dict with 'features', 'logits', which has no part 'scores'"),
        (Pair, "2", "makes tuple of 2, which has no part '2'"),
        (plain, "logits", "makes Tensor, which has no part 'logits'"),
    ],
)
def test_a_part_that_is_not_there_is_named(module, output, text):
    with pytest.raises(MismatchError, match=text):
        check_outputs(network(with_output(module(CLASSES), output)), (SIDE, SIDE))


def test_one_logit_is_taken_as_two_classes_when_that_is_declared():
    module = plain(1).eval()
    made = network(as_two_classes(module), classes=2)
    with torch.no_grad():
        logit = nn.Sequential(*module)(images())
    assert torch.allclose(made.logits(images()).softmax(1)[:, 1:], logit.sigmoid(), atol=1e-6)


@pytest.mark.parametrize(
    ("module", "classes", "text"),
    [
        (plain(1), 2, "gives one logit for two classes; declare that with `one_logit = true`"),
        (plain(1), 8, r"of shape 2×1 for 2 images, not logits of shape 2×8"),
        (plain(9), 8, "gives 9 logits, and the dataset has 8 classes"),
        (Dictionary(8), 8, "returns dict, not one tensor of logits; say with `output`"),
        (BatchNormalised(8), 8, "other logits alone than beside another image"),
        (ExtraArgument(8), 8, "fails on images of shape 2×3×16×16: TypeError: .*ages"),
        (nn.Sequential(plain(8), nn.Unflatten(1, (8, 1, 1))), 8, "of shape 2×8×1×1"),
        (nn.Sequential(nn.Flatten(), nn.Linear(9, 8)), 8, "fails on images of shape 2×3×16×16"),
    ],
)
def test_what_gives_no_logits_is_refused_in_one_line(module, classes, text):
    with pytest.raises(MismatchError, match=text) as refusal:
        check_outputs(network(module, classes), (SIDE, SIDE))
    assert "\n" not in str(refusal.value)


def test_probabilities_are_pointed_out():
    (line,) = check_outputs(network(Probabilities(CLASSES)), (SIDE, SIDE))
    assert "seems to give probabilities" in line


def test_logits_that_are_no_numbers_are_refused():
    module = plain(CLASSES)
    nn.init.constant_(module[-1].weight, float("nan"))
    with pytest.raises(NumericalError, match="NaN or infinite for random images"):
        check_outputs(network(module), (SIDE, SIDE))
