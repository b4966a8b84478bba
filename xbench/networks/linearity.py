"""Piecewise linear, or even affine: proven operation by operation, never guessed from values."""

import inspect
import operator
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.nn import functional


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LAYERS = frozenset(
    getattr(nn, name)
    for name in _words(
        "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Linear Identity "
        "BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm "
        "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout "
        "ReLU LeakyReLU ReLU6 Hardtanh PReLU RReLU "
        "MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d "
        "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d "
        "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d "
        "Flatten Unflatten ZeroPad2d ConstantPad2d ReflectionPad2d ReplicationPad2d CircularPad2d "
        "Upsample UpsamplingNearest2d UpsamplingBilinear2d "
        "PixelShuffle PixelUnshuffle ChannelShuffle"
    )
)
"""Layers that are piecewise linear in evaluation mode. A subclass may compute something else."""

_IN_FIRST = _words(
    "relu relu6 leaky_relu hardtanh prelu rrelu clamp clamp_min clamp_max abs neg pos positive "
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear batch_norm "
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout "
    "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
    "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
    "mean sum amax amin truediv div true_divide interpolate upsample pad "
    "flatten unflatten view reshape permute transpose swapaxes movedim squeeze unsqueeze "
    "expand repeat tile roll flip contiguous clone chunk split unbind select narrow getitem "
    "index_select pixel_shuffle pixel_unshuffle channel_shuffle float double to"
)
"""Operations that are piecewise linear in their first argument; the others must be constant."""
_IN_ALL = _words("add sub subtract cat concat concatenate stack maximum minimum")
"""Operations that are piecewise linear in all their arguments together."""
_IN_ONE = _words("mul multiply matmul mm bmm")
"""Products: linear as long as one factor is constant."""
_NO_VALUES = _words("size dim ndimension numel stride is_floating_point")
_NO_VALUE_ATTRIBUTES = _words("shape ndim dtype device requires_grad")
"""What is asked of a tensor without regard to its values."""
_OF_PYTHON: dict[Any, str] = {operator.add: "add", operator.sub: "sub", operator.mul: "mul"}
_OF_PYTHON |= {operator.truediv: "truediv", operator.neg: "neg", operator.pos: "pos"}
_OF_PYTHON |= {operator.getitem: "getitem", operator.matmul: "matmul", operator.pow: "pow"}
_SOURCES = (torch, functional)
_MOST_PATHS = 64

_KINKED_LAYERS = frozenset(
    getattr(nn, name)
    for name in _words(
        "ReLU LeakyReLU ReLU6 Hardtanh PReLU RReLU MaxPool1d MaxPool2d MaxPool3d "
        "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d"
    )
)
_KINKED = _words(
    "relu relu6 leaky_relu hardtanh prelu rrelu clamp clamp_min clamp_max abs amax amin "
    "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
    "maximum minimum"
)
"""What is piecewise linear, but not affine."""


class _Rules(NamedTuple):
    """What a proof may take for granted."""

    layers: frozenset[Any]
    in_first: frozenset[str]
    in_all: frozenset[str]
    branches: bool
    """Whether each way of a branch may be judged on its own."""


_PIECEWISE_LINEAR = _Rules(_LAYERS, _IN_FIRST, _IN_ALL, branches=True)
_AFFINE = _Rules(_LAYERS - _KINKED_LAYERS, _IN_FIRST - _KINKED, _IN_ALL - _KINKED, branches=False)


def first_nonlinearity(module: nn.Module) -> str | None:
    """The first operation that keeps `module` from being piecewise linear; None if there is none.

    `module` maps one tensor to another and is taken in the mode it is in. Every operation
    on the way from input to output must be on a list of operations known to be piecewise
    linear, with constants where it has more arguments than one. Layers that are not on the
    list are looked into. What cannot be looked into counts as not piecewise linear, so
    None is a proof while a name may be an operation that is merely unknown.
    """
    return _in_module(module, "", {}, _PIECEWISE_LINEAR)


def first_kink(module: nn.Module) -> str | None:
    """The first operation that keeps `module` from being affine; None is a proof that it is.

    Found as `first_nonlinearity` is; a module of one's own that branches counts as kinked.
    """
    return _in_module(module, "", {}, _AFFINE)


def _in_module(
    module: nn.Module, place: str, constants: dict[str, Any], rules: _Rules
) -> str | None:
    if type(module) in rules.layers:
        return _in_layer(module, place)
    if isinstance(module, fx.GraphModule):
        return _in_graph(module, module.graph, "", rules)
    try:
        graphs = _paths(module, constants or _defaults(module))
    except Exception:  # noqa: BLE001 - whatever a forward pass does with a stand-in for a tensor
        return _named(f"{type(module).__name__}, which cannot be looked into", place)
    if len(graphs) > 1 and not rules.branches:
        return _named(f"a branch in {type(module).__name__}", place)
    operation = next(
        filter(None, (_in_graph(module, graph, place, rules) for graph in graphs)), None
    )
    if (
        operation
        and type(module).__module__.startswith("torch.nn.")
        and not list(module.children())
    ):
        return _named(type(module).__name__, place)  # says more than the function that it calls
    return operation


def _paths(module: nn.Module, constants: dict[str, Any]) -> list[fx.Graph]:
    """A module's own operations, once for every way that its branches can go.

    A branch on a tensor's shape or values gets both answers. `RecursionError` where there
    are too many.
    """
    graphs: list[fx.Graph] = []
    waiting: list[tuple[bool, ...]] = [()]
    while waiting:
        if len(graphs) == _MOST_PATHS:
            raise RecursionError(f"more than {_MOST_PATHS} ways through {type(module).__name__}")
        tracer = _OneLevel(waiting.pop())
        graphs.append(tracer.trace(module, constants))
        new = range(len(tracer.given), len(tracer.answers))
        waiting += [(*tracer.answers[:place], True) for place in new]
    return graphs


class _OneLevel(fx.Tracer):
    """Records a module's own operations; its layers are called, not entered.

    So nothing that is hooked to a layer runs, and each layer is judged on its own. Branches
    are answered as `given`, and with no where nothing is given.
    """

    def __init__(self, given: tuple[bool, ...]) -> None:
        super().__init__()
        self.given = given
        self.answers: list[bool] = []

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True

    def to_bool(self, obj: fx.Proxy) -> bool:
        asked = len(self.answers)
        self.answers.append(asked < len(self.given) and self.given[asked])
        return self.answers[-1]


def _defaults(module: nn.Module) -> dict[str, Any]:
    """The defaults of all arguments but the first."""
    parameters = list(inspect.signature(module.forward).parameters.values())[1:]
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _in_layer(module: nn.Module, place: str) -> str | None:
    name = type(module).__name__
    if module.training and ("Norm" in name or "Dropout" in name or name == "RReLU"):
        return _named(f"{name} in training mode", place)
    if "Norm" in name and module.running_mean is None:
        return _named(f"{name} without running statistics", place)
    return None


def _in_graph(module: nn.Module, graph: fx.Graph, place: str, rules: _Rules) -> str | None:
    """The first operation of a graph; `dependent` are the values that vary with its input."""
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    dependent = set(inputs[:1])
    for node in graph.nodes:
        if node.op in ("placeholder", "output") or dependent.isdisjoint(node.all_input_nodes):
            continue
        if node.op == "call_module":
            operation = _in_call(module, node, dependent, place, rules)
        else:
            operation = _in_operation(node, dependent, place, rules)
        if operation is not None:
            return operation
        if not _asks_no_values(node):
            dependent.add(node)
    return None


def _in_call(
    module: nn.Module, node: fx.Node, dependent: set[fx.Node], place: str, rules: _Rules
) -> str | None:
    target = str(node.target)
    layer, inside = module.get_submodule(target), _joined(place, target)
    varying = [source for source in node.all_input_nodes if source in dependent]
    if len(varying) != 1 or node.args[:1] != (varying[0],):
        return _named(f"{type(layer).__name__} of several activations", inside)
    if len(node.args) == 1 and not node.kwargs:
        return _in_module(layer, inside, {}, rules)
    return _in_module(layer, inside, _constants(layer, node), rules)


def _constants(layer: nn.Module, node: fx.Node) -> dict[str, Any]:
    """The arguments of a call, the first excepted."""
    bound = inspect.signature(layer.forward).bind(*node.args, **node.kwargs)
    bound.apply_defaults()
    return dict(list(bound.arguments.items())[1:])


def _in_operation(node: fx.Node, dependent: set[fx.Node], place: str, rules: _Rules) -> str | None:
    name = _operation(node)
    if _asks_no_values(node) or _is_linear(name, node, dependent, rules):
        return None
    varying = sum(source in dependent for source in _flat((node.args, node.kwargs)))
    several = " of several activations" if varying > 1 and _is_known(name) else ""
    return _named(f"{name}{several}", _joined(place, _before(node)))


def _is_known(name: str) -> bool:
    return name in _IN_FIRST | _IN_ONE


def _is_linear(name: str, node: fx.Node, dependent: set[fx.Node], rules: _Rules) -> bool:
    sources = list(_flat((node.args, node.kwargs)))
    varying = [source in dependent for source in sources]
    if name in rules.in_all:
        return True
    if name in _IN_ONE:
        return sum(varying) == 1
    first = node.args[0] if node.args else node.kwargs.get("input")
    alone = sum(varying) == 1 and isinstance(first, fx.Node) and first in dependent
    return name in rules.in_first and alone and not _is_training(name, node)


def _flat(arguments: Any) -> Any:
    """The arguments of a call that are nodes, each as often as it is given."""
    found: list[fx.Node] = []
    fx.map_arg(arguments, found.append)
    return found


def _is_training(name: str, node: fx.Node) -> bool:
    """Whether a call normalises by its batch, or drops something."""
    if "dropout" not in name and name not in ("batch_norm", "rrelu"):
        return False
    default = {"batch_norm": False, "rrelu": False}.get(name, True)
    place = {"batch_norm": 5, "rrelu": 3}.get(name, 2)
    training = node.args[place] if len(node.args) > place else node.kwargs.get("training", default)
    return training is not False


def _asks_no_values(node: fx.Node) -> bool:
    if node.op == "call_method":
        return node.target in _NO_VALUES
    if node.target is getattr:
        return node.args[1] in _NO_VALUE_ATTRIBUTES
    return node.op == "call_function" and _operation(node) in ("_assert", "numel")


def _operation(node: fx.Node) -> str:
    """A name for what the node calls; one of the lists' only if it is torch's operation."""
    target: Any = node.target
    if node.op == "call_method":
        return str(target)
    name = str(_OF_PYTHON.get(target) or getattr(target, "__name__", target))
    if target in _OF_PYTHON or any(getattr(source, name, None) is target for source in _SOURCES):
        return name
    return f"{getattr(target, '__module__', None) or ''}.{name}".lstrip(".")


def _before(node: fx.Node) -> str:
    """The layer that was called last before the node, "" if there is none."""
    earlier: list[str] = []
    for other in node.graph.nodes:
        if other is node:
            break
        if other.op == "call_module":
            earlier.append(str(other.target))
    return earlier[-1] if earlier else ""


def _joined(place: str, name: str) -> str:
    return ".".join(part for part in (place, name) if part)


def _named(what: str, place: str) -> str:
    layer = place.removeprefix("network.")  # what a traced network is called in its graph
    return f"{what} ({layer})" if layer else what
