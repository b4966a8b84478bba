"""Classifiers that a library makes by their names there."""

from abc import abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, final

from torch import nn

from xbench import Classifier, DownloadError, Normalisation, WeightsError


class Inputs(NamedTuple):
    """The images that a network was made for."""

    normalisation: Normalisation = Normalisation()
    size: int = 224
    """Side in pixels."""


@dataclass(frozen=True)
class LibraryClassifier(Classifier):
    """A classifier of the library that the component is named for."""

    example = MappingProxyType({"architecture": "resnet18"})

    architecture: str

    @final
    def module(self, classes: int) -> nn.Module:
        """A new network; the head of one with the library's weights is new if need be."""
        self.check_architecture()
        if self.weights != "library":
            return self.network(classes, pretrained=False)
        if not (source := self.source()):
            message = f"{self.name} has no weights for {self.architecture!r}; leave weights empty"
            raise WeightsError(message)
        try:
            return self.network(classes, pretrained=True)
        except (OSError, RuntimeError) as error:
            message = f"{self.name}'s weights of {self.architecture!r} could not be had from "
            message += f"{source}: {error}. Try again where the network is reachable, or give a "
            raise DownloadError(message + 'file: weights = "PATH"') from error

    @final
    def normalisation(self) -> Normalisation:
        """What the library's weights were trained with, or the usual one."""
        self.check_architecture()
        return self.inputs().normalisation

    @final
    def input_size(self) -> int:
        """What the library's weights are tested with, or the usual size."""
        self.check_architecture()
        return self.inputs().size

    @abstractmethod
    def check_architecture(self) -> None:
        """Raise `UnknownNameError` for a name that the library does not have."""

    @abstractmethod
    def source(self) -> str:
        """Where the library has its weights; "" if it has none."""

    @abstractmethod
    def inputs(self) -> Inputs:
        """What the library's weights take."""

    @abstractmethod
    def network(self, classes: int, *, pretrained: bool) -> nn.Module:
        """A new network, if `pretrained` with the library's weights."""
