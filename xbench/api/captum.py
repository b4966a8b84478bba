"""Captum on both sides: its methods as components of ours, and explainers in its shape."""

import dataclasses
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from xbench.api.setting import builder_of
from xbench.benchmark.declaration import benchmark_file, read
from xbench.components.registry import installed
from xbench.errors import MismatchError, ParameterError
from xbench.interfaces.attribution import Attribution
from xbench.interfaces.classifier import Network
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.explanation import Explainer, Explanation, explained
from xbench.networks.loading import whole_module
from xbench.randomness import generator

COMPONENT = "captum"
"""The name of the components that call Captum."""
OF_NETWORK = ("self", "forward_func", "model", "layer", "device_ids")
"""What Captum's constructors take that follows from a network."""
_MISSING = object()


def as_explainer(given: Any, **parameters: Any) -> Explainer:
    """An attribution object of Captum, its class, or its name, as an explainer.

    Of an object the settings are taken, and the name of its layer; what it explains is the network
    that the explainer is given, so its own module is not touched. `parameters` are those of the
    explainer `captum`. An explainer of ours, or the name of one, is that explainer.
    """
    if isinstance(given, Explainer):
        return given
    built: Explainer = _built("explainer", given, parameters)
    return built


def as_attribution(given: Any, **parameters: Any) -> Attribution:
    """An attribution object of Captum, its class, or its name, as an attribution.

    Its layer is where the network of the readout is cut.
    """
    if isinstance(given, Attribution):
        return given
    built: Attribution = _built("attribution", given, parameters)
    return built


def _built(kind: str, given: Any, parameters: Tree) -> Any:
    registry = installed()
    builder = builder_of(read(benchmark_file("default", registry)), registry)
    if isinstance(given, str):
        name = given.partition(":")[0]
        if name in registry.names(kind):
            return builder.build(kind, {"name": given, **parameters})
        table: Tree = {"method": given}
    elif isinstance(given, type):
        table = {"method": _name(given)}
    else:
        table = settings(given)
    if kind == "attribution":
        table.pop("layer", None)
    return builder.build(kind, {"name": COMPONENT, **table, **parameters})


def settings(method: Any) -> Tree:
    """What an attribution object of Captum was made with, as parameters of the explainer."""
    cls = type(method)
    if not callable(getattr(method, "attribute", None)):
        raise ParameterError(
            f"expected an attribution of Captum, its class or its name, got {cls.__name__}"
        )
    constructor = {}
    for parameter in inspect.signature(cls.__init__).parameters.values():
        value = getattr(method, parameter.name, getattr(method, f"_{parameter.name}", _MISSING))
        if parameter.name in OF_NETWORK or value is _MISSING or _same(value, parameter.default):
            continue
        nested = callable(getattr(value, "attribute", None))
        constructor[parameter.name] = settings(value) if nested else value
    layer = _layer(method)
    return {
        "method": _name(cls),
        "constructor": constructor,
        **({"layer": layer} if layer else {}),
    }


def _same(value: Any, default: Any) -> bool:
    return value is default or (isinstance(value, (bool, int, float, str)) and value == default)


def _name(cls: type) -> str:
    """The class as the explainer is told it."""
    captum = cls.__module__.partition(".")[0] == "captum"
    return cls.__name__ if captum else f"{cls.__module__}:{cls.__qualname__}"


def _layer(method: Any) -> str:
    """The name of the object's layer in its own model; "" where it has none."""
    layer = getattr(method, "layer", None)
    if layer is None:
        inner = [one for one in vars(method).values() if getattr(one, "layer", None) is not None]
        return _layer(inner[0]) if inner else ""
    model = getattr(method, "model", getattr(method, "forward_func", None))
    modules = model.named_modules() if isinstance(model, nn.Module) else ()
    names = [name for name, module in modules if module is layer]
    if not names or not names[0]:
        kind = type(method).__name__
        raise MismatchError(
            f"the layer of this {kind} is no module of its own model; give its name: "
            f"as_explainer({kind!r}, layer='NAME')"
        )
    return names[0]


class CaptumShaped:
    """An explainer with the method `attribute` that Captum's metrics and tools call."""

    def __init__(self, explainer: Explainer, network: Network, seed: int) -> None:
        self.explainer, self.network, self.seed = explainer, network, seed

    def attribute(
        self,
        inputs: Float[Tensor, "n 3 h w"] | tuple[Tensor, ...],
        target: int | Sequence[int] | Int64[Tensor, " n"] | None = None,
    ) -> Any:
        """Values of the inputs' shape, which say what speaks for `target` or the likeliest class.

        Where the explainer has no values of pixels, those of its map are shared among the three
        channels, so that they sum to it. Equal inputs get equal values. As with Captum, a tuple of
        one tensor gives a tuple.
        """
        if isinstance(inputs, tuple) and len(inputs) == 1:
            return (self.attribute(inputs[0], target),)
        if not isinstance(inputs, Tensor) or inputs.ndim != 4:
            kind = tuple(inputs.shape) if isinstance(inputs, Tensor) else type(inputs).__name__
            raise ParameterError(f"inputs: expected a tensor (n, 3, h, w), got {kind}")
        explainer = self.explainer if target is None else _of_label(self.explainer)
        labels = None if target is None else _labels(target, len(inputs))
        batch = Batch(inputs.detach(), tuple(range(len(inputs))), labels)
        drawn = generator("captum", self.seed)
        explanations = explained(explainer, self.network, batch, {}, drawn)
        return torch.stack([_of_pixels(one, inputs.shape[1:]) for one in explanations]).to(inputs)

    def __repr__(self) -> str:
        """The explainer and the network."""
        return f"CaptumShaped({self.explainer.name}, {self.network.name})"


def captum_shaped(
    explainer: Any, model: nn.Module | Network, *, side: int = 0, seed: int = 0
) -> CaptumShaped:
    """An explainer, or its name, as an object with Captum's `attribute(inputs, target)`.

    It explains the model as it is: `inputs` are what the model takes. Of a `Network` they are
    images in [0, 1]. `side` is that of its images, 224 unless said, where it has to be cut.
    """
    ours = as_explainer(explainer)
    if isinstance(model, Network):
        network = model
    elif isinstance(model, nn.Module):
        network = whole_module(model, classes=0, size=side or 224)
    else:
        raise ParameterError(f"model: expected a torch.nn.Module, got {type(model).__name__}")
    if type(ours).artefacts is not Explainer.artefacts or ours.inner():
        raise MismatchError(
            f"explainer {ours.name!r} builds on what is made from a dataset, which a function of "
            "images alone does not have; use xbench.run or xbench.explain"
        )
    return CaptumShaped(ours, network, seed)


def _of_label(explainer: Explainer) -> Explainer:
    """The explainer, which explains the class that it is told."""
    if not any(field.name == "target" for field in dataclasses.fields(explainer)):  # type: ignore[arg-type]
        raise MismatchError(
            f"explainer {explainer.name!r} chooses itself what it explains; leave target out"
        )
    told: Explainer = dataclasses.replace(explainer, target="label")  # type: ignore[type-var]
    return told


def _labels(target: Any, count: int) -> Int64[Tensor, " n"]:
    labels = torch.as_tensor(target, dtype=torch.int64).cpu().reshape(-1)
    if len(labels) not in (1, count):
        raise ParameterError(f"target: expected one class or {count}, got {len(labels)}")
    return labels.expand(count).clone()


def _of_pixels(explanation: Explanation, shape: torch.Size) -> Float[Tensor, "3 h w"]:
    """The explanation's values of pixels, or its map shared among channels."""
    raw = getattr(explanation, "raw", None)
    if raw is not None and raw.shape == shape:
        values: Tensor = raw
        return values
    enlarged = getattr(explanation, "at_image_size", None)
    if not callable(enlarged):
        raise MismatchError(f"{explanation.name} is no map of an image; Captum's tools need one")
    return enlarged()[None].expand(shape) / shape[0]
