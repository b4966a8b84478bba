"""Readouts: scalar functions of an image, kept as `link ∘ top ∘ bottom`; difficulties build one."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench.errors import MismatchError
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.classifier import Network
from xbench.interfaces.component import Component
from xbench.interfaces.recipe import ClassifierWeights, Recipe, TrainingPlan

Link = Callable[[Float[Tensor, "n logits"]], Float[Tensor, "n predictions"]]
"""What makes predictions of z, the output of a readout's top."""


@dataclass(frozen=True, eq=False)
class Readout:
    """P predictions for an image: `link(top(bottom(images)))`.

    `top` maps activations to z and is usually piecewise linear; `link` maps z to
    predictions, such as class probabilities or a difficulty in [0, 1]. A readout owns
    its bottom: an auxiliary network with a trunk of its own is a readout like any other.
    """

    bottom: nn.Module
    top: nn.Module
    link: Link
    extra_rows: int = 0
    """As `Network.extra_rows`: how many rows of the activations belong to no location."""

    def predictions(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n predictions"]:
        """The predictions for images; no gradient is kept."""
        with torch.no_grad():
            return self.link(self.top(self.bottom(images)))


class Difficulty(Component):
    """Builds the readout, with one prediction in [0, 1], that says how hard an image is."""

    kind: ClassVar[str] = "difficulty"
    needs_cut: ClassVar[bool] = True

    def companion(self) -> "Difficulty | None":
        """Itself, where the classifier has to be trained jointly with it; None unless overridden.

        A benchmark with a companion trains all its classifiers with it, so that every score
        speaks of the same network.
        """
        return None

    def classifier_weights(self, plan: TrainingPlan) -> ClassifierWeights:
        """The weights of a classifier that is trained with it; asked of companions alone."""
        raise MismatchError(
            f"difficulty {self.name!r} names itself as a companion, but does not say in "
            f"`classifier_weights` how classifier {plan.classifier.name!r} is trained with it"
        )

    def given_weights(self, weights: ClassifierWeights) -> ClassifierWeights | None:
        """Those of a file that holds a classifier that was trained with it, and itself.

        None, unless overridden, where the file has no more than a classifier.
        """
        return None

    def artefacts(self, weights: ClassifierWeights) -> Mapping[str, Recipe]:
        """What must exist before it can be read out, by name; nothing unless overridden."""
        return {}

    @abstractmethod
    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        """The difficulty of an image for this network; `artefacts` holds those it declared."""
