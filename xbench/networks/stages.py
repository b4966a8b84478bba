"""Stages: how the values at a network's layers are arranged, and at which one it is cut unasked."""

import re
from typing import Any

import torch
from torch import Tensor, fx

from xbench.errors import CutError
from xbench.kernels.maps import on_grid
from xbench.networks.arrangements import (
    Arrangement,
    arrangement_of,
    declared_arrangement,
    to_maps,
)
from xbench.networks.cutting import listed, name_of, operator_of
from xbench.networks.exactness import drawn
from xbench.networks.graphs import dominators, shapes_of
from xbench.networks.heads import readout_node
from xbench.networks.places import PlaceReader
from xbench.randomness import generator

_NOT_A_STAGE = re.compile(r"pool|drop|identity|flatten|contiguous|clone", re.IGNORECASE)
_MOVES = re.compile(r"getitem|permute|transpose|reshape|view|squeeze|expand|pad|roll|cat")
_PROVEN = "arrangements"
"""Where a traced graph's `meta` keeps what was proven of its layers."""
Proven = dict[str, Arrangement | None]
"""Arrangements by layer: None where values are known to lie in none, nothing where not known."""


def proven_arrangements(traced: fx.GraphModule, example: Tensor) -> Proven:
    """How the values of the layers at which a network can be cut are proven to be arranged."""
    if _PROVEN not in traced.meta:
        reader = PlaceReader(traced, set(dominators(traced.graph)), arrangement_of)
        noted = reader.read(example[:1].clone())
        traced.meta[_PROVEN] = {name_of(traced, node): own for node, own in noted.items()}
    return traced.meta[_PROVEN]


def arrangement_at(
    traced: fx.GraphModule, layer: str, example: Tensor, declared: str = ""
) -> Arrangement:
    """How the values at a layer are arranged: proven, or else as it is `declared`.

    `layer` is its full name. `CutError` where neither is so, or both and they differ.
    """
    proven = proven_arrangements(traced, example)  # first: its run gives the shapes as well
    shapes = {name_of(traced, node): s[1:] for node, s in shapes_of(traced, example).items()}
    own, shape = proven.get(layer), shapes[layer]
    if declared:
        said = declared_arrangement(declared, shape, _grids(proven) if own is None else [own.grid])
        if own is not None and said != own:
            message = f"classifier.arrangement is {declared!r}, and the values at layer {layer!r} "
            raise CutError(f"{message}are proven to be {str(own)!r}; leave it out")
        return said
    if own is not None:
        return own
    values = "×".join(map(str, shape))
    if len(shape) == 1 or layer in proven:
        message = (
            f"layer {layer!r} gives {values} values for an image, which lie on no grid as maps, "
        )
        message += "values with channels last or tokens do; leave classifier.layer empty for the "
        raise CutError(message + "last one that has a grid")
    message = f"how the {values} values at layer {layer!r} lie over the picture cannot be proven; "
    message += 'say it with classifier.arrangement, as in "maps", "channels-last", '
    raise CutError(message + '"tokens 14x14", or "tokens+1 14x14" with a class token first')


def default_layer(traced: fx.GraphModule, example: Tensor, declared: str = "") -> str:
    """The output of the last stage before the layer after which nothing is learned.

    Of a network of maps it is the last cut that still has a spatial extent; pooling and dropout
    are no stages. Elsewhere it is the last one that has a grid, proven or as it is `declared`,
    whose locations the logits depend on. `CutError` where there is none.
    """
    proven, shapes = proven_arrangements(traced, example), shapes_of(traced, example)
    body = _before_head(traced)
    cuts = [node for node in dominators(traced.graph) if node in body and node in shapes]
    maps = [node for node in cuts if _is_stage(traced, node, shapes[node])]
    if maps and not declared:
        after = cuts[cuts.index(maps[-1]) + 1 :]
        tokens = any(len(shapes[node]) == 3 and min(shapes[node][1:]) > 1 for node in after)
        own = proven.get(name_of(traced, maps[-1]))
        if not tokens and own is not None and own.kind == "maps":
            return name_of(traced, maps[-1])
    return _last_on_grid(traced, cuts, example, declared)


def _last_on_grid(
    traced: fx.GraphModule, cuts: list[fx.Node], example: Tensor, declared: str
) -> str:
    shapes, gradients = shapes_of(traced, example), dict[str, Tensor]()
    for node in reversed(cuts):
        name, operator = name_of(traced, node), operator_of(traced, node)
        if _NOT_A_STAGE.search(operator) or _MOVES.fullmatch(operator):
            continue
        own = _arrangement_or_none(traced, name, shapes[node][1:], example, declared)
        if own is None or not own.is_spatial:
            continue
        gradients = gradients or _gradients(traced, cuts, example)
        if _is_on_grid(gradients.get(node.name), own):
            return name
    raise CutError(f"no layer has values on a grid to be cut at. {listed(traced, example)}")


def _arrangement_or_none(
    traced: fx.GraphModule, name: str, shape: tuple[int, ...], example: Tensor, declared: str
) -> Arrangement | None:
    """As proven or declared; `CutError` for values that may lie on a grid, but nobody says how."""
    proven = proven_arrangements(traced, example)
    if name in proven:
        return proven[name]
    if declared:
        try:
            return declared_arrangement(declared, shape, _grids(proven))
        except CutError:
            return None
    spatial = (len(shape) == 2 and min(shape) > 1) or (len(shape) == 3 and min(shape[1:]) > 1)
    return arrangement_at(traced, name, example) if spatial else None


def _grids(proven: Proven) -> set[tuple[int, int]]:
    return {own.grid for own in proven.values() if own is not None}


def _is_on_grid(gradient: Tensor | None, arrangement: Arrangement) -> bool:
    """Whether the logits depend on locations of the grid, and not on a prefix alone.

    A class token that the head reads alone has, in the last block, nothing to do with them.
    """
    if gradient is None:
        return False
    return bool(on_grid(to_maps(gradient, arrangement), arrangement.extra_rows).any())


def _gradients(traced: fx.GraphModule, nodes: list[fx.Node], example: Tensor) -> dict[str, Tensor]:
    """What logits depend on: the gradient at each node, by its name, if it has one.

    Random weights are asked, lest it depend on a head that is still zero.
    """
    reader = _ValueReader(traced, nodes)
    with drawn(traced.parameters()):
        with torch.enable_grad():
            logits = reader.run(example[:1].clone().requires_grad_())
        weights = torch.randn(logits.shape, generator=generator("reach")).to(logits)
        kept = {name: value for name, value in reader.kept.items() if value.requires_grad}
        made = torch.autograd.grad((logits * weights).sum(), list(kept.values()), allow_unused=True)
    return {name: one for name, one in zip(kept, made, strict=True) if one is not None}


class _ValueReader(fx.Interpreter):
    """Runs a graph and keeps the values of some of its nodes, by their names."""

    def __init__(self, traced: fx.GraphModule, nodes: list[fx.Node]) -> None:
        super().__init__(traced)
        self._names = {node.name for node in nodes}
        self.kept: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        """The value, as ever."""
        value = super().run_node(n)
        if n.name in self._names:
            self.kept[n.name] = value
        return value


def _before_head(traced: fx.GraphModule) -> set[fx.Node]:
    """What comes before the layer after which nothing is learned; everything without one."""
    nodes, head = list(traced.graph.nodes), readout_node(traced)
    return set(nodes[: nodes.index(head)] if head is not None else nodes)


def _is_stage(traced: fx.GraphModule, node: fx.Node, shape: tuple[int, ...]) -> bool:
    spatial = len(shape) == 4 and shape[2] > 1 and shape[3] > 1
    return spatial and not _NOT_A_STAGE.search(operator_of(traced, node))
