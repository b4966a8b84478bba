"""A user's own network."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from torch import nn

from xbench import Classifier, Normalisation, ParameterError, UnknownNameError
from xbench.networks import as_two_classes, unwrapped, with_output

_COUNTS = ("num_classes", "classes", "n_classes")
"""What a parameter is called that is given by name and takes the number of classes."""


@dataclass(frozen=True)
class UserModule(Classifier):
    """The `torch.nn.Module` that a function of yours returns for a number of classes.

    `function` is written `package.module:function`; one without parameters is called as it is.
    """

    name: ClassVar[str] = "module"
    example = MappingProxyType({"function": "torchvision.models.alexnet:AlexNet"})

    function: str
    side: int = 224
    """Side of the square images that the network takes."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    output: str = ""
    """Of a network that returns a dictionary or a tuple: the key, or the place, of its logits."""
    one_logit: bool = False
    """Whether the network gives one logit z for two classes: they get the logits 0 and z."""

    def module(self, classes: int) -> nn.Module:
        """What the function returns."""
        module = _made(_function(self.function), classes)
        if not isinstance(module, nn.Module):
            kind = type(module).__name__
            raise ParameterError(f"{self.function} returned {kind}, not a torch.nn.Module")
        module = unwrapped(module)  # hooks belong to what is inside
        if self.output:
            module = with_output(module, self.output)
        return as_two_classes(module) if self.one_logit else module

    def normalisation(self) -> Normalisation:
        """`mean` and `std`."""
        return Normalisation(self.mean, self.std)

    def input_size(self) -> int:
        """`side`."""
        return self.side


def _made(function: Callable[..., Any], classes: int) -> Any:
    """What the function returns; it is told the number of classes in the way that it takes it."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some are not written in Python
        return function(classes)
    kinds = {parameter.kind for parameter in parameters.values()}
    if kinds & {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
        return function(classes)
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return function(classes)
    known = next((name for name in _COUNTS if name in parameters), None)
    if known is None and inspect.Parameter.VAR_KEYWORD in kinds:
        known = _COUNTS[0]
    return function(**{known: classes}) if known else function()


def _function(spelling: str) -> Callable[..., Any]:
    package, colon, name = spelling.partition(":")
    if not colon or not package or not name:
        message = f"classifier.function is {spelling!r}; write it as package.module:function"
        raise ParameterError(message)
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        message = f"classifier.function: {package!r} cannot be imported ({error}); it must be "
        raise ParameterError(message + "installed, or lie on PYTHONPATH") from error
    function = getattr(module, name, None)
    if not callable(function):
        names = [key for key, value in vars(module).items() if callable(value)]
        raise UnknownNameError(f"function of {package}", name, names)
    return function
