"""Captum's attribution classes: by name, made for a module, and called as xbench calls methods."""

import contextlib
import dataclasses
import functools
import hashlib
import importlib
import inspect
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from xbench import MismatchError, ParameterError, UnknownNameError, XbenchError, seeded

PLACES = ("self", "forward_func", "model", "layer", "device_ids")
"""What a constructor takes that follows from the network."""
OF_CALL = ("self", "inputs", "target", "kwargs", "additional_forward_args")
NOT_OF_IMAGES = ("LLM", "DataLoader", "LimeBase")
"""Parts of names of classes that take no images, or nothing but functions."""
TOGETHER = (
    "Deconvolution",
    "DeepLift",
    "GuidedBackprop",
    "GuidedGradCam",
    "InputXGradient",
    "LRP",
    "LayerActivation",
    "LayerDeepLift",
    "LayerGradCam",
    "LayerGradientXActivation",
    "LayerLRP",
    "Saliency",
)
"""Methods that get all images of a batch at once; others get them one by one."""
BETWEEN_IMAGES = ("FeaturePermutation", "LayerFeaturePermutation")
"""Methods whose map of an image depends on which others are beside it."""
TUNNEL, INNER = "NoiseTunnel", "attribution_method"


class Settings(dict[str, Any]):
    """Parameters of a call by name, which can be hashed by their content."""

    def __hash__(self) -> int:  # type: ignore[override]
        """By names; values may be of any kind."""
        return hash(tuple(sorted(self)))

    def __eq__(self, other: object) -> bool:
        """Whether the content is the same: tensors are equal by their values."""
        return isinstance(other, Mapping) and self.tree() == Settings(other).tree()

    def __ne__(self, other: object) -> bool:
        """Whether the content is another."""
        return not self == other

    def tree(self) -> dict[str, Any]:
        """The parameters as plain values; of what is none the hash of its bytes."""
        return {name: _told(value) for name, value in sorted(self.items())}


def settle(component: Any) -> None:
    """Make `constructor` and `options` of a frozen component hashable."""
    for name in ("constructor", "options"):
        object.__setattr__(component, name, Settings(getattr(component, name)))


def settled_fields(component: Any) -> dict[str, Any]:
    """The fields of such a component; of what is no plain value the hash of its bytes."""
    fields = {one.name: getattr(component, one.name) for one in dataclasses.fields(component)}
    return {key: v.tree() if isinstance(v, Settings) else v for key, v in fields.items()}


def _told(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _told(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_told(item) for item in value]
    if isinstance(value, Tensor):
        array = value.detach().cpu().contiguous()
        return {"tensor": _hash(f"{array.dtype}{tuple(array.shape)}".encode(), array)}
    import cloudpickle

    try:
        return {type(value).__name__: _hash(cloudpickle.dumps(value))}
    except Exception as error:  # whatever an object's own methods raise
        kind = type(value).__name__
        raise ParameterError(
            f"captum: {kind} cannot be written down, so nothing it makes has a key; give plain "
            "values, tensors or functions"
        ) from error


def _hash(data: bytes, tensor: Tensor | None = None) -> str:
    whole = hashlib.sha256(data)
    if tensor is not None:
        whole.update(tensor.view(torch.uint8).numpy().tobytes() if tensor.ndim else b"")
        whole.update(str(tensor.item()).encode() if not tensor.ndim else b"")
    return whole.hexdigest()[:32]


@functools.cache
def method_names() -> tuple[str, ...]:
    """Names of Captum's attribution classes that take images."""
    attr = importlib.import_module("captum.attr")
    classes = (one for one in vars(attr).values() if isinstance(one, type))
    return tuple(sorted(cls.__name__ for cls in classes if _takes_images(cls)))


def _takes_images(cls: type) -> bool:
    if any(part in cls.__name__ for part in NOT_OF_IMAGES) or inspect.isabstract(cls):
        return False
    attribute = getattr(cls, "attribute", None)
    return callable(attribute) and "inputs" in inspect.signature(attribute).parameters


def method_class(name: str) -> type:
    """The class of this name in Captum, however it is spelt, or `package.module:Class`."""
    if ":" in name:
        return _class_at(name)
    known = {_plain(one): one for one in method_names()}
    if _plain(name) not in known:
        raise UnknownNameError("method of captum", name, known.values())
    cls: type = getattr(importlib.import_module("captum.attr"), known[_plain(name)])
    return cls


def _class_at(name: str) -> type:
    """The class that `package.module:Class` names."""
    package, _, own = name.partition(":")
    try:
        found = getattr(importlib.import_module(package), own)
    except (ImportError, AttributeError) as error:
        raise ParameterError(f"captum: {name!r} cannot be imported ({error})") from error
    if not isinstance(found, type) or not _takes_images(found):
        raise ParameterError(f"captum: {name!r} is no attribution class of images")
    return found


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


@dataclass(frozen=True)
class CaptumMethod:
    """An attribution class with what its constructor and its `attribute` are given.

    Of `NoiseTunnel` the constructor's `attribution_method` is the name of another class, or a table
    with `method` and `constructor`.
    """

    cls: type
    constructor: Mapping[str, Any]
    options: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Refuse parameters that the class does not have."""
        _check("parameter of", self.cls, self.constructor, self._of_constructor)
        _check("option of", self.cls, self.options, [*self.accepted])

    @property
    def name(self) -> str:
        """What Captum calls it."""
        return self.cls.__name__

    @property
    def inner(self) -> "CaptumMethod | None":
        """The method that it calls many times, if it is a tunnel."""
        if INNER not in _parameters(self.cls.__init__):  # type: ignore[misc]
            return None
        given = self.constructor.get(INNER, "Saliency")
        table: dict[str, Any] = {"method": given} if isinstance(given, str) else dict(given)
        return CaptumMethod(method_class(table["method"]), table.get("constructor", {}), {})

    @property
    def accepted(self) -> dict[str, Any]:
        """Names of the options of a call, with their defaults."""
        own = _parameters(self.cls.attribute)  # type: ignore[attr-defined]
        inner = self.inner.accepted if self.inner else {}
        return {key: value for key, value in {**inner, **own}.items() if key not in OF_CALL}

    @property
    def of_layer(self) -> bool:
        """Whether it is told a layer of the network."""
        own = "layer" in _parameters(self.cls.__init__)  # type: ignore[misc]
        return own or bool(self.inner and self.inner.of_layer)

    @property
    def takes_target(self) -> bool:
        """Whether a class is explained."""
        own = "target" in _parameters(self.cls.attribute)  # type: ignore[attr-defined]
        return own or bool(self.inner and self.inner.takes_target)

    @property
    def hooks(self) -> frozenset[str]:
        """Names of all classes that take part."""
        return frozenset({self.name}) | (self.inner.hooks if self.inner else frozenset())

    @property
    def _of_constructor(self) -> list[str]:
        return [one for one in _parameters(self.cls.__init__) if one not in PLACES]  # type: ignore[misc]

    def made(self, module: nn.Module, layer: nn.Module | None) -> Any:
        """The object of Captum for this module."""
        given = {key: _fixed(value) for key, value in self.constructor.items() if key != INNER}
        if self.inner:
            return self.cls(self.inner.made(module, layer), **given)
        return self.cls(module, layer, **given) if self.of_layer else self.cls(module, **given)


def _parameters(function: Any) -> dict[str, Any]:
    return {name: one.default for name, one in inspect.signature(function).parameters.items()}


def _check(what: str, cls: type, given: Mapping[str, Any], known: list[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(f"{what} captum's {cls.__name__}", name, known)


def _fixed(value: Any) -> Any:
    """Lists as the tuples that Captum wants."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value


def call(
    method: CaptumMethod,
    made: Any,
    inputs: Float[Tensor, "n ..."],
    target: Int64[Tensor, " n"] | int | None,
    options: Mapping[str, Any],
) -> Tensor:
    """What Captum's `attribute` gives of the inputs; the first of what it gives, without graph."""
    told = {"target": target} if method.takes_target else {}
    given = {key: _fixed(value) for key, value in options.items()}
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum tells of each hook it sets
        # weights need no gradient, and some methods want one of whatever they are given
        found = made.attribute(inputs.detach().clone().requires_grad_(), **told, **given)
    first = found[0] if isinstance(found, (tuple, list)) else found
    if not isinstance(first, Tensor):
        kind = type(first).__name__
        raise MismatchError(f"captum's {method.name} gives {kind}, not a tensor")
    return first.detach()


@contextlib.contextmanager
def drawing(seed: int, device: torch.device) -> Iterator[None]:
    """In this block the global generators of torch and numpy are seeded; then as they were."""
    before = np.random.get_state()  # noqa: NPY002 - Captum draws from numpy's global generator
    with seeded(seed, device):
        fresh = np.random.RandomState(seed % 2**32).get_state()
        np.random.set_state(fresh)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002


@contextlib.contextmanager
def hookable(module: nn.Module) -> Iterator[None]:
    """In this block no layer writes over its input, which hooks of gradients cannot bear."""
    changed = [one for one in module.modules() if getattr(one, "inplace", False)]
    for one in changed:
        one.inplace = False  # type: ignore[assignment]
    try:
        yield
    finally:
        for one in changed:
            one.inplace = True  # type: ignore[assignment]


@contextlib.contextmanager
def explained_errors(method: CaptumMethod, network: str) -> Iterator[None]:
    """What Captum raises in this block becomes one line that names the method and the network."""
    try:
        yield
    except (torch.OutOfMemoryError, XbenchError):
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise MismatchError(
            f"captum's {method.name} cannot explain {network}: {reason}; IntegratedGradients and "
            "Occlusion need nothing of a network but that it can be called"
        ) from error


def check_fits(
    method: CaptumMethod, module: nn.Module, image: Float[Tensor, "1 ..."], network: str
) -> None:
    """Raise `MismatchError` where Captum would fail, or give a plain gradient, without a word."""
    names = " ".join(method.hooks)
    if any(part in names for part in ("Guided", "Deconvolution")) and not any(
        isinstance(one, nn.ReLU) for one in module.modules()
    ):
        raise MismatchError(
            f"captum's {method.name} changes the gradient of ReLU modules, and {network} has none "
            "(functions such as torch.relu cannot be hooked); take IntegratedGradients"
        )
    if "DeepLift" in names:
        reused = _used_twice(module, image)
        if reused:
            raise MismatchError(
                f"captum's {method.name} cannot explain {network}: its layer {reused!r} is used "
                "more than once; give each place a module of its own, or take IntegratedGradients"
            )


def _used_twice(module: nn.Module, image: Float[Tensor, "1 ..."]) -> str:
    """The first activation or maximum that is used twice in a pass; "" for none."""
    counts: dict[str, int] = {}
    handles = []

    def counted(name: str) -> Any:
        def hook(*_: object) -> None:
            counts[name] = counts.get(name, 0) + 1

        return hook

    for name, one in module.named_modules():
        cls = type(one)
        if cls.__module__ == "torch.nn.modules.activation" or cls.__name__.startswith("MaxPool"):
            handles.append(one.register_forward_pre_hook(counted(name)))
    try:
        with torch.no_grad():
            module(image)
    finally:
        for handle in handles:
            handle.remove()
    return next((name for name, count in counts.items() if count > 1), "")
