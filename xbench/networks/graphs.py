"""Graphs of traced networks: what depends on the input, what everything flows through."""

from typing import Any

import torch
from torch import Tensor, fx


def dependent_nodes(graph: fx.Graph) -> dict[fx.Node, None]:
    """The nodes whose value depends on the input, in order, the output excepted."""
    dependent: dict[fx.Node, None] = {}
    for node in graph.nodes:
        if node.op == "placeholder" or any(source in dependent for source in node.all_input_nodes):
            dependent[node] = None
    return {node: None for node in dependent if node.op != "output"}


def dominators(graph: fx.Graph) -> list[fx.Node]:
    """The operations through which everything flows that reaches the output.

    Node i is one iff no input-dependent node before it is used after it.
    """
    order = {node: index for index, node in enumerate(graph.nodes)}
    found, reach = [], -1
    for node in dependent_nodes(graph):
        if node.op != "placeholder" and reach <= order[node]:
            found.append(node)
        reach = max([reach, *(order[user] for user in node.users)])
    return found


_SHAPES = "shapes"
"""Where a traced graph's `meta` keeps them, by the names of nodes."""


class ShapeReader(fx.Interpreter):
    """Runs a graph on one image, and keeps the shape of every tensor that it makes."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self._meta = traced.meta
        self._shapes: dict[str, tuple[int, ...]] = {}

    def run(self, *inputs: Any, **options: Any) -> Any:
        """What the graph makes, as ever."""
        made = super().run(*inputs, **options)
        self._meta[_SHAPES] = self._shapes
        return made

    def run_node(self, n: fx.Node) -> Any:
        """The value, as ever."""
        value = super().run_node(n)
        if isinstance(value, Tensor) and value.ndim > 1:
            self._shapes[n.name] = tuple(value.shape)
        return value


def shapes_of(traced: fx.GraphModule, example: Tensor) -> dict[fx.Node, tuple[int, ...]]:
    """The shape of every tensor with more than one axis that is made of the first example."""
    if _SHAPES not in traced.meta:
        with torch.no_grad():
            ShapeReader(traced).run(example[:1].clone())
    shapes = traced.meta[_SHAPES]
    return {node: shapes[node.name] for node in traced.graph.nodes if node.name in shapes}
