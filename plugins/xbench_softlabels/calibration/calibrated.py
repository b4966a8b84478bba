"""The calibrated control: a network trained as ever, then given one temperature."""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import (
    Batch,
    ClassifierWeights,
    FinishedLoss,
    HumanLabels,
    ImageSet,
    Loss,
    Targets,
    TrainingPlan,
    annotated,
    planned_weights,
)
from xbench_softlabels.calibration.tempered_weights import FittedTo, TemperedWeights


@dataclass(frozen=True)
class Calibrated(FinishedLoss):
    """The training of another loss; afterwards logits are divided by one temperature.

    It is fitted on the training images, to their labels or to what people said of them, and
    becomes part of the weights (`TemperedWeights`). Whoever claims that human labels help has
    to be better than `calibrated` to people: that takes one number from them. The training itself
    is that of the other loss, and is shared with its entry.
    """

    name: ClassVar[str] = "calibrated"
    example: ClassVar = MappingProxyType({"of": "cross-entropy"})

    of: Loss
    to: FittedTo = "labels"
    """What the temperature is fitted to."""

    @property
    def of_images(self) -> bool:
        """Whether the other loss's targets are."""
        return self.of.of_images

    def check(self, images: ImageSet) -> None:
        """Raise what the other loss raises, and where people are asked for and have said nothing.

        `MismatchError` for a dataset without human labels.
        """
        self.of.check(images)
        if self.to == "people":
            annotated(images.dataset, HumanLabels)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """Those of the other loss."""
        return self.of.targets(batch, classes=classes, epoch=epoch, generator=generator)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """That of the other loss."""
        return self.of.score(logits, targets)

    def classifier_weights(self, plan: TrainingPlan) -> ClassifierWeights:
        """The weights of the other loss's training, tempered on its images."""
        trained = planned_weights(replace(plan, loss=self.of))
        return TemperedWeights(trained, plan.images, self.to)
