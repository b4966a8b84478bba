"""Cutting: a network as `top ∘ bottom`, exactly."""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, fx, nn

from xbench.errors import CutError
from xbench.networks.graphs import dependent_nodes, dominators, shapes_of
from xbench.networks.heads import readout_node
from xbench.networks.tracing import NAMES, identical, on_shared_tensors, output_of, trace

_NOT_A_STAGE = re.compile(r"pool|drop|identity|flatten|contiguous|clone", re.IGNORECASE)


class CutPoint(NamedTuple):
    """A layer at which a network can be cut."""

    name: str
    shape: tuple[int, ...]
    """Of the activation of one image."""
    operator: str
    """What computes it: a module's class, or a function."""


class Halves(NamedTuple):
    """A network that was cut: `top(bottom(images))` is what it computes."""

    bottom: fx.GraphModule
    top: fx.GraphModule
    layer: str
    """The full name of the layer whose output `bottom` returns."""
    shape: tuple[int, ...]
    """Of the activation of one image."""


def cut_points(module: nn.Module, example: Float[Tensor, "n 3 h w"]) -> tuple[CutPoint, ...]:
    """All layers at which the network can be cut, from input to output."""
    return points_of(trace(module, example), example)


def points_of(traced: fx.GraphModule, example: Tensor) -> tuple[CutPoint, ...]:
    """All layers at which a traced network can be cut, from input to output."""
    shapes = shapes_of(traced, example)
    return tuple(
        CutPoint(_name(traced, node), shapes[node][1:], _operator(traced, node))
        for node in dominators(traced.graph)
        if node in shapes
    )


def default_layer(traced: fx.GraphModule, example: Tensor) -> str:
    """The output of the last convolutional stage: the last cut that still has a spatial extent.

    Pooling, dropout and the layer after which nothing is learned are no stages. `CutError`
    where the features that reach the head are tokens, or have their channels last, and so are
    no maps.
    """
    shapes = shapes_of(traced, example)
    body = _before_head(traced)
    cuts = [node for node in dominators(traced.graph) if node in body and node in shapes]
    maps = [node for node in cuts if _is_stage(traced, node, shapes[node])]
    if not maps:
        raise CutError(f"no layer has maps (n, d, h, w) to be cut at. {_listed(traced, example)}")
    after = cuts[cuts.index(maps[-1]) + 1 :]
    if any(len(shapes[node]) == 3 and min(shapes[node][1:]) > 1 for node in after):
        message = "the features that reach the head are tokens (n, N, d), not maps (n, d, h, w)"
        raise CutError(f"{message}; name a layer with maps. {_listed(traced, example)}")
    _check_channels_first(traced, example, shapes[maps[-1]])
    return _name(traced, maps[-1])


def cut(module: nn.Module, layer: str, example: Float[Tensor, "n 3 h w"]) -> Halves:
    """The network cut at `layer`: `top(bottom(x))` equals `module(x)` bit for bit.

    That is verified on `example`. The halves have layers of their own, on the weights of `module`.
    A name of a block means the block's output. `CutError` for any other name.
    """
    return cut_traced(trace(module, example), layer, example)


def cut_traced(traced: fx.GraphModule, layer: str, example: Tensor) -> Halves:
    """A traced network cut at `layer`; see `cut`."""
    node = _node_of(traced, layer, example)
    bottom = _half(traced, _graph_until(traced.graph, node))
    top = _half(traced, _graph_from(traced.graph, node))
    activations = output_of(bottom, example)
    if not identical(output_of(top, activations), output_of(traced, example)):
        message = f"cut at {layer!r}, the network computes something else: an operation "
        raise CutError(message + f"overwrites what others read. {_listed(traced, example)}")
    return Halves(bottom, top, _name(traced, node), tuple(activations.shape[1:]))


def splits(traced: fx.GraphModule) -> Iterator[tuple[fx.GraphModule, fx.GraphModule]]:
    """Every way to split a traced network in two, from input to output: first part and rest.

    The parts share their layers with `traced`.
    """
    for node in dominators(traced.graph):
        first = fx.GraphModule(traced, _graph_until(traced.graph, node))
        rest = fx.GraphModule(traced, _graph_from(traced.graph, node))
        for part in (first, rest):
            part.graph.eliminate_dead_code()
            part.recompile()
        yield first, rest


def _node_of(traced: fx.GraphModule, layer: str, example: Tensor) -> fx.Node:
    cuts = dominators(traced.graph)
    for node in cuts:
        if _name(traced, node) == layer:
            return node
    names = [_name(traced, node) for node in traced.graph.nodes]
    inside = [node for node in traced.graph.nodes if _name(traced, node).startswith(f"{layer}.")]
    if layer and inside and inside[-1] in cuts:
        return inside[-1]
    if layer in names or inside:
        reason = f"layer {layer!r} exists, but the network cannot be cut there: it lies inside a "
        reason += "branch, and its output alone does not determine the logits"
    else:
        reason = f"there is no layer {layer!r}{_suggestion(layer, names)}"
    raise CutError(f"{reason}. {_listed(traced, example)}")


def _suggestion(layer: str, names: Iterable[str]) -> str:
    parts = [name.split(".") for name in names]
    blocks = {".".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)}
    near = difflib.get_close_matches(layer, sorted(blocks), n=1)
    return f"; did you mean {near[0]!r}" if near else ""


def _listed(traced: fx.GraphModule, example: Tensor) -> str:
    points = points_of(traced, example)
    return f"It can be cut at: {', '.join(point.name for point in points)}."


def _name(traced: fx.GraphModule, node: fx.Node) -> str:
    return traced.meta[NAMES].get(node.name, node.name)


def _operator(traced: fx.GraphModule, node: fx.Node) -> str:
    if node.op == "call_module":
        return type(traced.get_submodule(str(node.target))).__name__
    return str(getattr(node.target, "__name__", node.target))


def _before_head(traced: fx.GraphModule) -> set[fx.Node]:
    """What comes before the layer after which nothing is learned; everything without one."""
    nodes, head = list(traced.graph.nodes), readout_node(traced)
    return set(nodes[: nodes.index(head)] if head is not None else nodes)


def _is_stage(traced: fx.GraphModule, node: fx.Node, shape: tuple[int, ...]) -> bool:
    spatial = len(shape) == 4 and shape[2] > 1 and shape[3] > 1
    return spatial and not _NOT_A_STAGE.search(_operator(traced, node))


def _check_channels_first(traced: fx.GraphModule, example: Tensor, shape: tuple[int, ...]) -> None:
    features = traced.meta.get("num_features")
    if features == shape[3] and features != shape[1]:
        message = "the features that reach the head are (n, h, w, d), with channels last"
        raise CutError(f"{message}; name a layer with maps. {_listed(traced, example)}")


def _half(traced: fx.GraphModule, graph: fx.Graph) -> fx.GraphModule:
    half = fx.GraphModule(traced, graph)
    half.graph.eliminate_dead_code()
    half.recompile()
    return on_shared_tensors(half)  # its own copy of the layers that its graph uses


def _graph_until(graph: fx.Graph, last: fx.Node) -> fx.Graph:
    half = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        copies[node] = half.node_copy(node, copies.__getitem__)
        if node is last:
            break
    half.output(copies[last])
    return half


def _graph_from(graph: fx.Graph, first: fx.Node) -> fx.Graph:
    half = fx.Graph()
    copies = {first: half.placeholder("activations")}
    dependent = dependent_nodes(graph)
    before = True
    for node in graph.nodes:
        if node is first:
            before = False
        elif not before or node not in dependent:  # constants are wanted on both sides
            copies[node] = half.node_copy(node, copies.__getitem__)
    return half
