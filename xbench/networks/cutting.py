"""Cutting: a network as `top ∘ bottom`, exactly."""

import copy
import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from xbench.errors import CutError
from xbench.networks.tracing import NAMES, identical, output_of, trace

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
    shapes = _shapes(traced, example)
    return tuple(
        CutPoint(_name(traced, node), shapes[node][1:], _operator(traced, node))
        for node in _dominators(traced.graph)
        if node in shapes
    )


def default_layer(traced: fx.GraphModule, example: Tensor, classes: int) -> str:
    """The output of the last convolutional stage: the last cut that still has a spatial extent.

    Pooling, dropout and the head (the last linear or convolutional layer with `classes`
    outputs) are no stages. `CutError` where the features that reach the head are tokens,
    or have their channels last, and so are no maps.
    """
    shapes = _shapes(traced, example)
    body = _before_head(traced, classes)
    cuts = [node for node in _dominators(traced.graph) if node in body and node in shapes]
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

    That is verified on `example`. The halves share nothing with `module` or each other.
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
    for node in _dominators(traced.graph):
        first = fx.GraphModule(traced, _graph_until(traced.graph, node))
        rest = fx.GraphModule(traced, _graph_from(traced.graph, node))
        for part in (first, rest):
            part.graph.eliminate_dead_code()
            part.recompile()
        yield first, rest


def head_layer(module: nn.Module, classes: int) -> str:
    """Name of the last linear or convolutional layer with `classes` outputs, "" without one."""
    names = [name for name, layer in module.named_modules() if _outputs(layer) == classes]
    return names[-1] if names else ""


def _outputs(layer: nn.Module) -> int:
    linear, convolution = getattr(layer, "out_features", 0), getattr(layer, "out_channels", 0)
    outputs = linear or convolution
    return outputs if isinstance(outputs, int) else 0


def _node_of(traced: fx.GraphModule, layer: str, example: Tensor) -> fx.Node:
    cuts = _dominators(traced.graph)
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


def _dependent(graph: fx.Graph) -> dict[fx.Node, None]:
    """The nodes whose value depends on the input, in order, the output excepted."""
    dependent: dict[fx.Node, None] = {}
    for node in graph.nodes:
        if node.op == "placeholder" or any(source in dependent for source in node.all_input_nodes):
            dependent[node] = None
    return {node: None for node in dependent if node.op != "output"}


def _dominators(graph: fx.Graph) -> list[fx.Node]:
    """The operations through which everything flows that reaches the output.

    Node i is one iff no input-dependent node before it is used after it.
    """
    order = {node: index for index, node in enumerate(graph.nodes)}
    dominators, reach = [], -1
    for node in _dependent(graph):
        if node.op != "placeholder" and reach <= order[node]:
            dominators.append(node)
        reach = max([reach, *(order[user] for user in node.users)])
    return dominators


class _ShapeReader(fx.Interpreter):
    """Runs a graph and notes the shape of every tensor that it makes."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.shapes: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor) and value.ndim > 1:
            self.shapes[n] = tuple(value.shape)
        return value


def _shapes(traced: fx.GraphModule, example: Tensor) -> dict[fx.Node, tuple[int, ...]]:
    reader = _ShapeReader(traced)
    with torch.no_grad():
        reader.run(example[:1].clone())
    return reader.shapes


def _before_head(traced: fx.GraphModule, classes: int) -> set[fx.Node]:
    nodes = list(traced.graph.nodes)
    heads = [
        index
        for index, node in enumerate(nodes)
        if node.op == "call_module" and _outputs(traced.get_submodule(str(node.target))) == classes
    ]
    return set(nodes[: heads[-1]] if heads else nodes)


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
    return copy.deepcopy(half)  # a copy of the layers that its graph uses, and of no others


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
    dependent = _dependent(graph)
    before = True
    for node in graph.nodes:
        if node is first:
            before = False
        elif not before or node not in dependent:  # constants are wanted on both sides
            copies[node] = half.node_copy(node, copies.__getitem__)
    return half
