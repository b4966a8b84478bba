"""Classifiers whose networks are made here, and for which no library has weights."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import final

from torch import nn

from xbench import Classifier, Normalisation, WeightsError


@dataclass(frozen=True)
class OwnNetwork(Classifier):
    """A network that is trained here or loaded from a file."""

    @abstractmethod
    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""

    @final
    def module(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        if self.weights == "library":
            message = f"{self.name} has no weights in a library; leave weights empty to train it, "
            raise WeightsError(message + "or give the path of a file")
        return self.network(classes)


@dataclass(frozen=True)
class SmallNetwork(OwnNetwork):
    """A network for 96-pixel images."""

    @final
    def normalisation(self) -> Normalisation:
        """The usual one."""
        return Normalisation()

    @final
    def input_size(self) -> int:
        """96 pixels."""
        return 96
