"""Stages of a network: layers that are randomised together, and in which order they are."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from torch import nn

Order = Literal["none", "top", "bottom", "single"]
"""How stages are randomised: none of them, the last ones, the first ones, or one alone."""
CASCADES: tuple[Order, ...] = ("top", "bottom", "single")


class Stage(NamedTuple):
    """Layers that follow each other in a network and are randomised together."""

    name: str
    layers: tuple[str, ...]
    """Full names of the modules, as the network calls them."""


class Step(NamedTuple):
    """A point of a curve: how far a network is randomised, and in which order."""

    order: Order
    place: int
    """From 1 on in each order; 0 where nothing is randomised."""
    name: str
    """The stage that is randomised last."""
    layers: tuple[str, ...]
    """All layers that are randomised."""


def stages(module: nn.Module, most: int) -> tuple[Stage, ...]:
    """The stages of a module in the order in which its layers stand there, at most so many.

    A layer is a module that has parameters of its own. One that only shifts and scales, such as a
    normalisation, belongs to the stage of the layer before it, or of the first one.
    """
    groups: list[list[str]] = []
    pending: list[str] = []
    for name, layer in module.named_modules():
        dimensions = [parameter.dim() for parameter in layer.parameters(recurse=False)]
        if not dimensions:
            continue
        if max(dimensions) > 1:
            groups.append([name, *pending])
            pending = []
        else:
            (groups[-1] if groups else pending).append(name)
    if pending:
        groups.append(pending)
    return tuple(_merged([_stage(module, layers) for layers in groups], most))


def steps(of: Sequence[Stage]) -> tuple[Step, ...]:
    """Nothing randomised; then from the top, from the bottom, and stage by stage."""
    return (
        Step("none", 0, "", ()),
        *_cascade("top", of[::-1]),
        *_cascade("bottom", of),
        *_each(of),
    )


def _cascade(order: Order, of: Sequence[Stage]) -> Iterator[Step]:
    for place, stage in enumerate(of, 1):
        layers = [layer for one in of[:place] for layer in one.layers]
        yield Step(order, place, stage.name, tuple(sorted(layers)))


def _each(of: Sequence[Stage]) -> Iterator[Step]:
    for place, stage in enumerate(of, 1):
        yield Step("single", place, stage.name, tuple(sorted(stage.layers)))


def _stage(module: nn.Module, layers: Sequence[str]) -> Stage:
    return Stage(layers[0] or type(module).__name__, tuple(layers))


def _merged(every: Sequence[Stage], most: int) -> Iterator[Stage]:
    """The stages, those that follow each other put together where there are more than `most`."""
    count = min(most, len(every))
    for place in range(count):
        together = every[place * len(every) // count : (place + 1) * len(every) // count]
        names = dict.fromkeys((together[0].name, together[-1].name))
        layers = tuple(layer for stage in together for layer in stage.layers)
        yield Stage(" to ".join(names), layers)
