"""The network in which a classifier and its hardness predictor are trained."""

import copy
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench import Classifier, MismatchError, generator, seeded
from xbench.networks import (
    Halves,
    cut_traced,
    default_layer,
    head_layer,
    identical,
    original_names,
    trace,
)

Trunk = Literal["copied", "shared"]


class Joint(nn.Module):
    """A classifier `top ∘ bottom` beside a predictor `head ∘ trunk ∘ bottom`.

    It makes the logits, followed by z. The trunk starts as a copy of `top`. With `frozen`
    the classifier stays in evaluation mode and gets no gradient.
    """

    def __init__(self, bottom: nn.Module, top: nn.Module, last: nn.Module, *, frozen: bool) -> None:
        super().__init__()
        self.frozen = frozen
        self.bottom, self.top = bottom, top
        self.predictor = nn.Sequential(OrderedDict(trunk=copy.deepcopy(top), head=last))

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n outputs"]:
        """The logits, then z."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            activations = self.bottom(images)
            logits = self.top(activations)
        return torch.cat([logits, self.predictor(activations)], dim=1)

    def train(self, mode: bool = True) -> "Joint":
        """Switch to training mode or back; a frozen classifier stays as it is."""
        super().train(mode)
        if self.frozen:
            self.bottom.eval()
            self.top.eval()
        return self

    def heads(self, classes: int) -> tuple[str, ...]:
        """Names of what learns at the rate of the head: the last layers, and what is new."""
        last = head_layer(self.top, classes)
        if not last:
            return ()
        own = () if self.frozen else (f"top.{last}",)
        return *own, f"predictor.trunk.{last}", "predictor.head"

    def classifier_state(self) -> dict[str, Tensor]:
        """The classifier's tensors, by the names that its own module gives them."""
        return {**_state(self.bottom), **_state(self.top)}

    def predictor_state(self) -> dict[str, Tensor]:
        """The predictor's tensors, those of its trunk by the names of the classifier's module."""
        return {
            **{f"trunk.{name}": t for name, t in _state(self.predictor[0]).items()},
            **{f"head.{name}": t for name, t in self.predictor[1].state_dict().items()},
        }


class Built(NamedTuple):
    """A joint network, and the layer at which its halves meet ("" where both are whole)."""

    network: Joint
    layer: str


def build(
    classifier: Classifier, module: nn.Module, last: nn.Module, trunk: Trunk, *, frozen: bool
) -> Built:
    """A predictor beside the classifier whose module is given.

    With a `copied` trunk it is a network of its own, with a `shared` one it has its own
    layers beyond the layer at which the classifier is cut.
    """
    if trunk == "copied":
        return Built(Joint(nn.Identity(), module, last, frozen=frozen), "")
    halves = _halves(classifier, module, frozen=frozen)
    return Built(Joint(halves.bottom, halves.top, last, frozen=frozen), halves.layer)


def predictor_head(classes: int, hidden: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Linear layers from the trunk's logits to one number, with ReLU and dropout between."""
    return nn.Sequential(*_layers((classes, *hidden, 1), dropout))


def _layers(widths: tuple[int, ...], dropout: float) -> Iterator[nn.Module]:
    for place, (inputs, outputs) in enumerate(pairwise(widths)):
        if place:
            yield nn.ReLU()
            yield nn.Dropout(dropout)
        yield nn.Linear(inputs, outputs)


def _halves(classifier: Classifier, module: nn.Module, *, frozen: bool) -> Halves:
    """The module cut at the classifier's layer, if its halves can be trained in its place."""
    size = classifier.input_size()
    example = torch.rand(2, 3, size, size, generator=generator("example"))
    traced = trace(module, example)
    layer = classifier.layer or default_layer(traced, example, classifier.arrangement)
    halves = cut_traced(traced, layer, example)
    if not (frozen or _trains_alike(module, halves, example)):
        message = f"classifier {classifier.name!r} computes something else while it is trained, "
        message += f"such as dropout outside of a layer, and cannot be cut at {halves.layer!r} "
        raise MismatchError(f'{message}for that; use trunk = "copied", which needs no cut')
    return halves


def _trains_alike(module: nn.Module, halves: Halves, example: Tensor) -> bool:
    """Whether the halves hold all that learns, each its own, and make the same in training."""
    learns = [[original_names(h)[n] for n, _ in h.named_parameters()] for h in halves[:2]]
    if sorted(learns[0] + learns[1]) != sorted(name for name, _ in module.named_parameters()):
        return False
    whole = copy.deepcopy(module).train()
    bottom, top = (copy.deepcopy(half).train() for half in halves[:2])
    with torch.no_grad(), seeded(0):
        expected = whole(example.clone())
    with torch.no_grad(), seeded(0):
        return identical(top(bottom(example)), expected)


def _state(part: nn.Module) -> Mapping[str, Tensor]:
    names = original_names(part)
    return {names[name]: tensor for name, tensor in part.state_dict().items()}
