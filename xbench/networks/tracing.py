"""Tracing: a network as a graph whose operations change none of their inputs."""

import contextlib
import copy
import functools
import inspect
import itertools
import math
import operator
import re
import sys
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, TypeVar

import torch
import torchvision
from jaxtyping import Float
from torch import Tensor, fx, nn
from torch.nn.parameter import is_lazy

# Not in its module's `__all__`, but the only tracer that names a node after the layer it
# came from; it has had this name and signature since torchvision 0.11.
from torchvision.models.feature_extraction import NodePathTracer

from xbench.errors import CutError, NumericalError

NAMES = "layer_names"
"""Where a traced graph's `meta` keeps the qualified name of each of its nodes."""
Part = TypeVar("Part", bound=nn.Module)

_PREFIX = "network"
_FACTORIES = ("zeros", "ones", "full", "empty", "arange")
_NUMBER = re.compile(r"(?<=.)_[0-9]+$")
_PURE = {  # operator.iadd → operator.add, and so on
    getattr(operator, f"i{name}"): getattr(operator, stem)
    for name, stem in {
        **{name: name for name in ("add", "sub", "mul", "truediv", "floordiv", "pow", "matmul")},
        "and": "and_",
        "or": "or_",
    }.items()
}


class _OneInput(nn.Module):
    """Calls a network with its images alone, so that its other arguments keep their defaults."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)


def trace(module: nn.Module, example: Float[Tensor, "n 3 h w"]) -> fx.GraphModule:
    """`module` in evaluation mode as a graph without in-place operations, on the same weights.

    The graph makes exactly what the module makes of `example`, or `CutError` says why it
    cannot be had. Its layers are its own; their tensors share memory with those of `module`.
    """
    expected = _expected(module, example)
    traced = graph_of(module)
    _check_graph(traced, example, expected, type(module).__name__)
    return traced


def graph_of(module: nn.Module) -> fx.GraphModule:
    """`module` in evaluation mode as a graph that nothing was compared with; or `CutError`."""
    return _graph_of(_OneInput(on_shared_tensors(module)).eval())


def check_graph(
    module: nn.Module, traced: fx.GraphModule, example: Float[Tensor, "n 3 h w"]
) -> None:
    """Refuse a graph that `graph_of` made, where `trace` would: see there."""
    _check_graph(traced, example, _expected(module, example), type(module).__name__)


def _expected(module: nn.Module, example: Tensor) -> Tensor:
    """What the module makes of the example; `CutError` or `NumericalError` where that is no use."""
    wrapped = _OneInput(on_shared_tensors(module)).eval()
    with torch.no_grad():
        expected = wrapped(example.clone())
    _check_output(expected, type(module).__name__)
    return expected


def _check_graph(traced: fx.GraphModule, example: Tensor, expected: Tensor, name: str) -> None:
    if not identical(output_of(traced, example), expected):
        raise CutError(
            f"the graph of {name} does not compute what the network computes: "
            "it does something random, keeps state or switches precision in evaluation mode"
        )


def on_shared_tensors(module: Part) -> Part:
    """A copy of the module, with modes and hooks of its own, whose weights lie where its do.

    Programs of TorchScript are copied with their weights: no other way to copy one is there.
    """
    parts = [part for part in module.modules() if not isinstance(part, torch.jit.ScriptModule)]
    tensors = [
        tensor
        for part in parts
        for tensor in (*part.parameters(recurse=False), *part.buffers(recurse=False))
    ]
    with torch.no_grad():  # a program's copied weights would not be leaves
        return copy.deepcopy(module, {id(tensor): _alias(tensor) for tensor in tensors})


def _alias(tensor: Tensor) -> Tensor:
    """Another tensor on the same memory; a parameter stays one."""
    if is_lazy(tensor):
        return copy.deepcopy(tensor)
    alias = tensor.detach()
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(alias, requires_grad=tensor.requires_grad)
    return alias


def output_of(module: nn.Module, inputs: Tensor) -> Tensor:
    """What the module makes of the inputs; no gradient is kept and the inputs stay as they are."""
    with torch.no_grad():
        return module(inputs.clone())


def identical(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors are equal, bit for bit."""
    return left.shape == right.shape and left.dtype == right.dtype and torch.equal(left, right)


def _check_output(output: object, name: str) -> None:
    if not isinstance(output, Tensor):
        kind = type(output).__name__
        raise CutError(f"{name} returns {kind}; a classifier returns one tensor of logits")
    if not torch.isfinite(output).all():
        raise NumericalError(f"{name} gives logits that are NaN or infinite; check its weights")


def _graph_of(wrapped: _OneInput) -> fx.GraphModule:
    tracer = _tracer()
    try:
        with _sizes_recorded(wrapped):
            graph = tracer.trace(wrapped)
    except Exception as error:  # whatever a user's own code makes of symbols
        message = (
            f"{type(wrapped.network).__name__} cannot be traced, and so not cut: {error}. "
            "Its forward pass must not branch on the values or the size of its input"
        )
        raise CutError(message) from error
    names = _names(tracer.node_to_qualname)
    _without_in_place(graph, wrapped)
    traced = fx.GraphModule(wrapped, graph)
    traced.graph.eliminate_dead_code()  # only now: before, it cannot see what modules do
    traced.recompile()
    traced.meta[NAMES] = names
    traced.meta["num_features"] = getattr(wrapped.network, "num_features", None)
    return traced


@contextlib.contextmanager
def _sizes_recorded(root: nn.Module) -> Iterator[None]:
    """In this block the graph also gets what torch.fx leaves out: lengths, and what has them."""
    forwards = (type(module).forward for module in root.modules())
    every = (getattr(forward, "__globals__", {}) for forward in forwards)
    own = [names for names in every if not str(names.get("__name__")).startswith("torch.")]
    places = {id(names): names for names in own if "len" not in names}
    factories = {name: getattr(torch, name) for name in _FACTORIES}
    for names in places.values():
        names["len"] = _length
    for name, original in factories.items():
        setattr(torch, name, functools.partial(_recorded, original))
    try:
        yield
    finally:
        for names in places.values():
            del names["len"]
        for name, original in factories.items():
            setattr(torch, name, original)


def _length(value: Any) -> Any:
    shape: Any = getattr(value, "shape", ())
    return shape[0] if isinstance(value, fx.Proxy) else len(value)


def _recorded(original: Callable[..., Any], *sizes: Any, **options: Any) -> Any:
    proxies: list[fx.Proxy] = []
    fx.node.map_aggregate(
        (sizes, options), lambda one: proxies.append(one) if isinstance(one, fx.Proxy) else None
    )
    if proxies:
        return proxies[0].tracer.create_proxy("call_function", original, sizes, options)
    return original(*sizes, **options)


def _tracer() -> NodePathTracer:
    timm_models = sys.modules.get("timm.models")  # not imported, no network is made of it
    functions = timm_models.get_notrace_functions() if timm_models else ()
    modules = timm_models.get_notrace_modules() if timm_models else ()
    return NodePathTracer(
        autowrap_modules=(math, torchvision.ops),
        autowrap_functions=tuple(functions),
        leaf_modules=[*modules, *_torchvision_leaves()],
    )


@functools.cache
def _torchvision_leaves() -> tuple[type[nn.Module], ...]:
    members = vars(torchvision.ops).values()
    classes = (member for member in members if inspect.isclass(member))
    return tuple(
        cls
        for cls in classes
        if issubclass(cls, nn.Module)
        # what torchvision builds from ordinary layers is looked into
        and not any(issubclass(cls, whole) for whole in _transparent())
    )


def _transparent() -> tuple[type[nn.Module], ...]:
    ops = torchvision.ops
    return (ops.Conv2dNormActivation, ops.Conv3dNormActivation, ops.MLP, ops.SqueezeExcitation)


def _names(qualified: Mapping[fx.Node, str]) -> dict[str, str]:
    """By node, the name of its layer: the layer's own for its first call, then numbered ones.

    The tracer takes the number that ends a name for its own, and so loses that of `conv_1`.
    """
    called = [str(node.target) for node in qualified if node.op == "call_module"]
    own = {name for layer in called for name in itertools.accumulate(layer.split("."), _below)}
    names: dict[str, str] = {}
    used: set[str] = set()
    for node, name in qualified.items():
        layer = str(node.target) if node.op == "call_module" else ""
        names[node.name] = _unused(layer or _NUMBER.sub("", name), own - {layer}, used)
        used.add(names[node.name])
    return {node: layer_name(name) for node, name in names.items()}


def _below(block: str, part: str) -> str:
    return f"{block}.{part}"


def _unused(stem: str, *used: Container[str]) -> str:
    """`stem`, or where it is used the first of `stem_1`, `stem_2` … that is not."""
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(1)))
    return next(name for name in names if not any(name in some for some in used))


def layer_name(qualified: str) -> str:
    """What the network itself calls a layer, or a tensor, of its graph."""
    return qualified.removeprefix(f"{_PREFIX}.")


def _without_in_place(graph: fx.Graph, root: nn.Module) -> None:
    """Replace operations that overwrite their first input by ones that return a new tensor."""
    for node in graph.nodes:
        if node.args and isinstance(node.args[0], fx.Node) and _made_pure(node, root):
            _use_result(node.args[0], node)
    for module in root.modules():
        if isinstance(getattr(module, "inplace", None), bool):
            module.inplace = False  # type: ignore[assignment]


def _made_pure(node: fx.Node, root: nn.Module) -> bool:
    """Make the node's operation a pure one; whether it was in place."""
    if node.op == "call_module":
        return getattr(root.get_submodule(str(node.target)), "inplace", False) is True
    if node.op == "call_method":
        return _pure_method(node, str(node.target))
    return node.op == "call_function" and (_pure_function(node) or _asks_in_place(node))


def _pure_function(node: fx.Node) -> bool:
    """Replace `operator.iadd`, `torch.relu_` and their like; whether the node called one."""
    target: Any = node.target
    name = getattr(target, "__name__", "")
    own = name.endswith("_") and getattr(target, "__module__", "") != "_operator"
    pure = _PURE.get(target) or (getattr(torch, name.removesuffix("_"), None) if own else None)
    if pure is not None:
        node.target = pure
    return pure is not None


def _pure_method(node: fx.Node, method: str) -> bool:
    stem = method.removesuffix("_")
    if not method.endswith("_") or method.endswith("__") or not hasattr(Tensor, stem):
        return False
    node.target = stem
    return True


def _asks_in_place(node: fx.Node) -> bool:
    """Whether a function was called with `inplace=True`; if so, call it with False."""
    try:
        parameters = list(inspect.signature(_function(node.target)).parameters)
    except (TypeError, ValueError):  # built-in functions have no signature
        parameters = []
    if node.kwargs.get("inplace") is True:
        node.update_kwarg("inplace", False)
        return True
    place = parameters.index("inplace") if "inplace" in parameters else len(node.args)
    if place < len(node.args) and node.args[place] is True:
        node.update_arg(place, False)
        return True
    return False


def _function(target: Any) -> Callable[..., Any]:
    return target


def _use_result(overwritten: fx.Node, result: fx.Node) -> None:
    """What read `overwritten` after it was overwritten reads `result` instead."""
    later = False
    for node in overwritten.graph.nodes:
        if later and overwritten in node.all_input_nodes:
            node.replace_input_with(overwritten, result)
        later = later or node is result
