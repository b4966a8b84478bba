"""Tops and links without derivatives are refused by all attributions, and the culprit is named."""

import re

import pytest
import torch
from torch import Tensor, nn

from xbench import Attribution, MismatchError, Readout
from xbench.networks import cut_module
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.attributions.gradient_hessian import GradientHessian
from xbench_deliberative.attributions.integrated_gradients import IntegratedGradients
from xbench_deliberative.readouts import EvaluatedTop, hesitancy

ATTRIBUTIONS = [Gradient(), GradientHessian(), IntegratedGradients(), IntegratedGradients("image")]
WAY_OUT = "attributions need derivatives: choose another layer or classifier"


class Choice(nn.Module):
    """The class of the largest score, as logits."""

    def forward(self, scores: Tensor) -> Tensor:
        return 10 * nn.functional.one_hot(scores[:, :5].argmax(1), 5).float()


class Sign(torch.autograd.Function):
    """A custom operation without derivatives."""

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return values.sign()

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        """Nothing is kept."""


class Signs(nn.Module):
    """Calls it."""

    def forward(self, values: Tensor) -> Tensor:
        return Sign.apply(values)


def layers(*last: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5), *last
    ).eval()


def attributed(attribution: Attribution, readout: Readout) -> Tensor:
    images = torch.rand(2, 3, 4, 4)
    return attribution.attribute(readout, readout.bottom(images), images)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS, ids=repr)
def test_a_top_that_chooses_is_refused_and_the_choice_named(attribution: Attribution) -> None:
    network = cut_module(layers(Choice()), classes=5, size=4, layer="1")
    message = (
        "the top that ends with layer '3' is not differentiable in its activations: "
        f"argmax passes no gradient on; {WAY_OUT}"
    )
    for top in (
        network.top,
        EvaluatedTop(network.top, network.activations(torch.rand(2, 3, 4, 4))),
    ):
        with pytest.raises(MismatchError, match=re.escape(message)):
            attributed(attribution, Readout(network.bottom, top, hesitancy))


@pytest.mark.parametrize("attribution", ATTRIBUTIONS, ids=repr)
def test_a_top_without_a_graph_is_named_by_its_class(attribution: Attribution) -> None:
    reason = "is not differentiable in its activations: it passes no gradient on"
    message = f"the top Choice {reason}; {WAY_OUT}"
    readout = Readout(nn.Flatten(), Choice(), hesitancy)
    with pytest.raises(MismatchError, match=re.escape(message)):
        attributed(attribution, readout)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS, ids=repr)
def test_a_link_that_chooses_is_refused(attribution: Attribution) -> None:
    def wrong(logits: Tensor) -> Tensor:
        return logits.argmax(1, keepdim=True).double()

    module = layers()
    readout = Readout(module[:2], module[2:], wrong)
    message = f"the link 'wrong' is not differentiable in the logits; {WAY_OUT}"
    with pytest.raises(MismatchError, match=re.escape(message)):
        attributed(attribution, readout)


@pytest.mark.parametrize("attribution", ATTRIBUTIONS, ids=repr)
def test_an_operation_without_derivatives_is_refused(attribution: Attribution) -> None:
    module = layers()
    top = nn.Sequential(Signs(), *module[2:])
    message = "the top Sequential is not differentiable in its activations: .*; attributions need"
    with pytest.raises(MismatchError, match=message):
        attributed(attribution, Readout(module[:2], top, hesitancy))


class Once(torch.autograd.Function):
    """A square that is differentiable backward and not forward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return values * values

    @staticmethod
    def setup_context(ctx: object, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)  # type: ignore[attr-defined]

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return 2 * gradient * values


class Squares(nn.Module):
    """Calls it."""

    def forward(self, values: Tensor) -> Tensor:
        return Once.apply(values)


def test_an_operation_with_first_derivatives_alone_is_refused_by_the_second_order() -> None:
    module = layers()
    readout = Readout(module[:2], nn.Sequential(Squares(), *module[2:]), hesitancy)
    assert attributed(Gradient(), readout).any()
    with pytest.raises(MismatchError, match="the top Sequential is not differentiable"):
        attributed(GradientHessian(), readout)


def test_other_failures_of_a_top_are_not_taken_for_missing_derivatives() -> None:
    readout = Readout(nn.Identity(), nn.Linear(7, 5), hesitancy)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        attributed(Gradient(), readout)
