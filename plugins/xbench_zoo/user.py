"""A user's own network."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from torch import nn

from xbench import Classifier, Normalisation, ParameterError, UnknownNameError
from xbench.networks import as_two_classes, unwrapped, with_output


@dataclass(frozen=True)
class UserModule(Classifier):
    """The `torch.nn.Module` that a function of yours returns for a number of classes.

    `function` is written `package.module:function`.
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
        module = _function(self.function)(classes)
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


def _function(spelling: str) -> Callable[[int], Any]:
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
