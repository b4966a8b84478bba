"""Readouts evaluated with what their derivatives need, and errors where there are none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from xbench import MismatchError, Readout

_COMPLAINTS = ("derivative", "not implemented", "forward AD", "does not require", "must implement")
"""What torch's errors about missing derivatives speak of."""


class Evaluation(NamedTuple):
    """A readout's logits and predictions with their graph, and the leaf that they depend on."""

    point: Float[Tensor, "n d h w"]
    logits: Float[Tensor, "n logits"]
    predictions: Float[Tensor, "n predictions"]


def evaluated(readout: Readout, activations: Float[Tensor, "n d h w"]) -> Evaluation:
    """One forward of the top; `MismatchError` where its output does not depend smoothly on it."""
    point = activations if activations.requires_grad else activations.detach().requires_grad_()
    with torch.enable_grad():
        logits = readout.top(point)
        if not logits.requires_grad:
            raise MismatchError(_message(readout.top, _break(readout.top, point)))
        predictions = readout.link(logits)
    if not predictions.requires_grad:
        link = getattr(readout.link, "__name__", type(readout.link).__name__)
        raise MismatchError(f"the link {link!r} is not differentiable in the logits; {_WAY_OUT}")
    return Evaluation(point, logits, predictions)


@contextmanager
def derivatives_of(top: nn.Module) -> Iterator[None]:
    """Turn torch's complaints about missing derivatives into `MismatchError`."""
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if not any(complaint in text for complaint in _COMPLAINTS):
            raise
        raise MismatchError(_message(top, text.splitlines()[0].rstrip("."))) from error


_WAY_OUT = "attributions need derivatives: choose another layer or classifier"


def _message(top: nn.Module, reason: str) -> str:
    return f"{_described(top)} is not differentiable in its activations: {reason}; {_WAY_OUT}"


def _described(top: nn.Module) -> str:
    graph = _graph_module(top)
    layers = [str(n.target) for n in graph.graph.nodes if n.op == "call_module"] if graph else []
    if layers:
        return f"the top that ends with layer {layers[-1].removeprefix('network.')!r}"
    return f"the top {type(top).__name__}"


def _graph_module(top: nn.Module) -> fx.GraphModule | None:
    return next((part for part in top.modules() if isinstance(part, fx.GraphModule)), None)


def _break(top: nn.Module, point: Float[Tensor, "n d h w"]) -> str:
    """Which operation of the top's graph is the first that passes no gradient on."""
    graph = _graph_module(top)
    finder = _BreakFinder(graph) if graph else None
    if finder is not None:
        finder.run(point)
    if finder is None or not finder.culprit:
        return "it passes no gradient on"
    return f"{finder.culprit} passes no gradient on"


class _BreakFinder(fx.Interpreter):
    """Runs a graph and notes the first operation that makes a constant of a variable."""

    culprit = ""

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        given = any(_varies(self.env[source]) for source in n.all_input_nodes)
        if isinstance(value, Tensor) and given and not value.requires_grad and not self.culprit:
            target: Any = n.target
            layer = type(self.module.get_submodule(target)) if n.op == "call_module" else target
            self.culprit = str(getattr(layer, "__name__", layer))
        return value


def _varies(value: object) -> bool:
    return isinstance(value, Tensor) and value.requires_grad
