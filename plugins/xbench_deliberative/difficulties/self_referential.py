"""Self-referential difficulty scores: what a classifier's own probabilities say."""

from dataclasses import dataclass
from typing import ClassVar

from xbench import Artefacts, Difficulty, Network, Readout
from xbench_deliberative.readouts import hesitancy, normalised_entropy


@dataclass(frozen=True)
class Hesitancy(Difficulty):
    """The complement of the largest class probability, eq. (3)."""

    name: ClassVar[str] = "hesitancy"

    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        """1 − max f on the network's own logits."""
        return Readout(network.bottom, network.top, hesitancy)


@dataclass(frozen=True)
class Entropy(Difficulty):
    """The entropy of the class probabilities divided by log C, eq. (4)."""

    name: ClassVar[str] = "entropy"

    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        """The normalised entropy of the network's own probabilities."""
        return Readout(network.bottom, network.top, normalised_entropy)
