"""Cutting: a network as `top ∘ bottom`, exactly."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor, fx, nn

from xbench.errors import CutError
from xbench.networks.arrangements import Arrangement, from_maps, to_maps
from xbench.networks.graphs import dependent_nodes, dominators, shapes_of
from xbench.networks.tracing import NAMES, identical, on_shared_tensors, output_of, trace


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
        CutPoint(name_of(traced, node), shapes[node][1:], operator_of(traced, node))
        for node in dominators(traced.graph)
        if node in shapes
    )


def cut(module: nn.Module, layer: str, example: Float[Tensor, "n 3 h w"]) -> Halves:
    """The network cut at `layer`: `top(bottom(x))` equals `module(x)` bit for bit.

    That is verified on `example`. The halves have layers of their own, on the weights of `module`.
    A name of a block means the block's output. `CutError` for any other name.
    """
    return cut_traced(trace(module, example), layer, example)


def cut_traced(traced: fx.GraphModule, layer: str, example: Tensor) -> Halves:
    """A traced network cut at `layer`; see `cut`."""
    halves = halves_of(traced, layer, example)
    check_halves(halves, traced, example)
    return halves


def halves_of(traced: fx.GraphModule, layer: str, example: Tensor) -> Halves:
    """A traced network cut at `layer`, which nothing was compared with; see `cut`."""
    node = _node_of(traced, layer, example)
    bottom = _half(traced, _graph_until(traced.graph, node))
    top = _half(traced, _graph_from(traced.graph, node))
    return Halves(bottom, top, name_of(traced, node), shapes_of(traced, example)[node][1:])


def check_halves(halves: Halves, traced: fx.GraphModule, example: Tensor) -> None:
    """Refuse halves that do not make what the whole graph makes."""
    made = output_of(halves.top, output_of(halves.bottom, example))
    if not identical(made, output_of(traced, example)):
        message = f"cut at {halves.layer!r}, the network computes something else: an operation "
        raise CutError(message + f"overwrites what others read. {listed(traced, example)}")


def as_maps(halves: Halves, arrangement: Arrangement, example: Tensor) -> Halves:
    """The halves with maps (n, d, i, j) between them in place of values that are arranged so."""
    if arrangement.kind == "maps":
        return halves
    bottom, top, layer, _ = halves
    values = output_of(bottom, example[:1])
    (output,) = (node for node in bottom.graph.nodes if node.op == "output")
    with bottom.graph.inserting_before(output):
        maps: Any = to_maps(_proxy(output.args[0]), arrangement)
    output.args = (maps.node,)
    given = next(node for node in top.graph.nodes if node.op == "placeholder")
    readers = list(given.users)
    with top.graph.inserting_before(given.next):
        back: Any = from_maps(_proxy(given), arrangement)
        back = back.contiguous() if values.is_contiguous() else back
    for reader in readers:
        reader.replace_input_with(given, back.node)
    bottom.recompile()
    top.recompile()
    maps_shape = to_maps(values, arrangement).shape
    return Halves(bottom, top, layer, tuple(maps_shape[1:]))


def _proxy(node: Any) -> Any:
    """What stands for the node's value in computations that are added to its graph."""
    return fx.Proxy(node)


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
        if name_of(traced, node) == layer:
            return node
    names = [name_of(traced, node) for node in traced.graph.nodes]
    inside = [node for node in traced.graph.nodes if name_of(traced, node).startswith(f"{layer}.")]
    if layer and inside and inside[-1] in cuts:
        return inside[-1]
    if layer in names or inside:
        reason = f"layer {layer!r} exists, but the network cannot be cut there: it lies inside a "
        reason += "branch, and its output alone does not determine the logits"
    else:
        reason = f"there is no layer {layer!r}{_suggestion(layer, names)}"
    raise CutError(f"{reason}. {listed(traced, example)}")


def _suggestion(layer: str, names: Iterable[str]) -> str:
    parts = [name.split(".") for name in names]
    blocks = {".".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)}
    near = difflib.get_close_matches(layer, sorted(blocks), n=1)
    return f"; did you mean {near[0]!r}" if near else ""


def listed(traced: fx.GraphModule, example: Tensor) -> str:
    """A sentence with all layers at which the network can be cut."""
    points = points_of(traced, example)
    return f"It can be cut at: {', '.join(point.name for point in points)}."


def name_of(traced: fx.GraphModule, node: fx.Node) -> str:
    """What the layer is called whose output the node is."""
    return traced.meta[NAMES].get(node.name, node.name)


def operator_of(traced: fx.GraphModule, node: fx.Node) -> str:
    """What computes the node: a module's class, or a function."""
    if node.op == "call_module":
        return type(traced.get_submodule(str(node.target))).__name__
    return str(getattr(node.target, "__name__", node.target))


def _half(traced: fx.GraphModule, graph: fx.Graph) -> fx.GraphModule:
    """A part of the network, with layers of its own on the same weights."""
    part = fx.GraphModule(traced, graph)
    part.graph.eliminate_dead_code()
    part.recompile()
    return on_shared_tensors(part)  # its own copy of the layers that its graph uses


def _graph_until(graph: fx.Graph, last: fx.Node) -> fx.Graph:
    """What makes the value of a node of the input."""
    half = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        copies[node] = half.node_copy(node, copies.__getitem__)
        if node is last:
            break
    half.output(copies[last])
    return half


def _graph_from(graph: fx.Graph, first: fx.Node) -> fx.Graph:
    """What makes the output of the value of a node."""
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
