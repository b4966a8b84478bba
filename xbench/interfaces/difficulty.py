"""Difficulty scores: readouts that say how hard an image is."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from xbench.interfaces.artefact import Artefacts, Recipe
from xbench.interfaces.classifier import Network
from xbench.interfaces.component import Component
from xbench.interfaces.readout import Readout

if TYPE_CHECKING:
    from xbench.training.recipe import ClassifierWeights, TrainedWeights


class Difficulty(Component):
    """Builds the readout, with one prediction in [0, 1], that says how hard an image is."""

    kind: ClassVar[str] = "difficulty"

    def companion(self) -> "Difficulty | None":
        """Itself, where the classifier has to be trained jointly with it; None unless overridden.

        A benchmark with a companion trains all its classifiers with it, so that every score
        speaks of the same network.
        """
        return None

    def classifier_weights(self, plain: "TrainedWeights") -> "ClassifierWeights":
        """What takes the place of `plain` where this is the companion."""
        return plain

    def artefacts(self, weights: "ClassifierWeights") -> Mapping[str, Recipe]:
        """What must exist before it can be read out, by name; nothing unless overridden."""
        return {}

    @abstractmethod
    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        """The difficulty of an image for this network; `artefacts` holds those it declared."""
