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


def shapes_of(traced: fx.GraphModule, example: Tensor) -> dict[fx.Node, tuple[int, ...]]:
    """The shape of every tensor with more than one axis that is made of the first example."""
    reader = _ShapeReader(traced)
    with torch.no_grad():
        reader.run(example[:1].clone())
    return reader.shapes
