"""Difficulty scores: readouts that say how hard an image is."""

from abc import abstractmethod
from typing import ClassVar

from xbench.classifier import Network
from xbench.component import Component
from xbench.readout import Readout


class Difficulty(Component):
    """Builds the readout, with one prediction in [0, 1], that says how hard an image is."""

    kind: ClassVar[str] = "difficulty"

    @abstractmethod
    def readout(self, network: Network) -> Readout:
        """The difficulty of an image for this network."""
