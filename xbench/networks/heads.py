"""Heads: the layer of a network that makes its logits, found in what the network computes."""

import operator
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.nn import functional

from xbench.errors import CutError
from xbench.networks.graphs import dependent_nodes, dominators
from xbench.networks.tracing import graph_of, layer_name

_READOUTS = (nn.Linear, nn.modules.conv._ConvNd)  # noqa: SLF001 - it has no public name
_MODULES = (
    nn.Identity,
    nn.Flatten,
    nn.Unflatten,
    nn.Dropout,
    nn.Dropout2d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
    nn.AvgPool2d,
    nn.MaxPool2d,
    nn.ReLU,
    nn.Sigmoid,
    nn.Softmax,
    nn.LogSoftmax,
)
_FUNCTIONS = frozenset(
    {
        torch.flatten,
        torch.mean,
        torch.squeeze,
        torch.unsqueeze,
        torch.reshape,
        torch.permute,
        torch.transpose,
        torch.relu,
        torch.sigmoid,
        torch.softmax,
        torch.log_softmax,
        functional.adaptive_avg_pool2d,
        functional.avg_pool2d,
        functional.max_pool2d,
        functional.dropout,
        functional.relu,
        functional.softmax,
        functional.log_softmax,
        operator.getitem,
        getattr,
    }
)
_METHODS = frozenset(
    {
        "flatten",
        "mean",
        "amax",
        "squeeze",
        "unsqueeze",
        "reshape",
        "view",
        "permute",
        "transpose",
        "contiguous",
        "clone",
        "size",
        "dim",
        "float",
        "to",
        "relu",
        "sigmoid",
        "softmax",
        "log_softmax",
    }
)


def head_layer(module: nn.Module, classes: int) -> str:
    """Name of the layer that makes the `classes` logits; "" where no single layer does.

    It is the last linear or convolutional layer through which everything flows, and is followed
    by nothing but reshaping, pooling and a link. A module that cannot be traced has none.
    """
    try:
        traced = graph_of(module)
    except CutError:
        return ""
    node = readout_node(traced)
    layer = _layer_of(traced, node) if node is not None else None
    if node is None or layer is None or layer.outputs != classes:
        return ""
    nodes = list(traced.graph.nodes)
    after = set(dependent_nodes(traced.graph)).intersection(nodes[nodes.index(node) + 1 :])
    return layer_name(layer.name) if all(_changes_no_class(traced, one) for one in after) else ""


def readout_node(traced: fx.GraphModule) -> fx.Node | None:
    """The call of a linear or convolutional layer after which nothing is learned, if there is one.

    What it makes goes through operations without parameters to the output, and nothing else
    reaches it.
    """
    learned = [node for node in dependent_nodes(traced.graph) if _has_parameters(traced, node)]
    if not learned or learned[-1] not in dominators(traced.graph):
        return None
    return learned[-1] if _layer_of(traced, learned[-1]) is not None else None


class _Layer(NamedTuple):
    """A linear or convolutional layer."""

    name: str
    outputs: int


def _layer_of(traced: fx.GraphModule, node: fx.Node) -> _Layer | None:
    """The linear or convolutional layer that a node is the work of; None for anything else.

    Some layers call the function themselves, with their weight and bias.
    """
    if node.op == "call_module":
        module = _module(traced, node)
        outputs = getattr(module, "out_features", 0) or getattr(module, "out_channels", 0)
        return _Layer(str(node.target), outputs) if isinstance(module, _READOUTS) else None
    if node.target not in (functional.linear, functional.conv2d):
        return None
    tensors = [str(one.target) for one in node.all_input_nodes if one.op == "get_attr"]
    owners = {tensor.rpartition(".")[0] for tensor in tensors}
    if len(owners) != 1:
        return None
    outputs = len(_attribute(traced, tensors[0]))
    return _Layer(owners.pop(), outputs)


def _has_parameters(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op == "call_module":
        return next(_module(traced, node).parameters(), None) is not None
    return any(_is_parameter(traced, source) for source in node.all_input_nodes)


def _is_parameter(traced: fx.GraphModule, node: fx.Node) -> bool:
    if node.op != "get_attr":
        return False
    return isinstance(_attribute(traced, str(node.target)), nn.Parameter)


def _attribute(traced: fx.GraphModule, target: str) -> Any:
    owner, _, name = target.rpartition(".")
    return getattr(traced.get_submodule(owner), name)


def _changes_no_class(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether the node's operation only reshapes, pools or links; what it does is done to each."""
    if node.op == "call_module":
        return isinstance(_module(traced, node), _MODULES)
    if node.op == "call_method":
        return str(node.target) in _METHODS
    return node.target in _FUNCTIONS


def _module(traced: fx.GraphModule, node: fx.Node) -> nn.Module:
    return traced.get_submodule(str(node.target))
