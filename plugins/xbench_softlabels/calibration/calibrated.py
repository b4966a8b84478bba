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
    Folds,
    ImageSet,
    Loss,
    ParameterError,
    Targets,
    TrainingPlan,
    planned_weights,
)
from xbench_softlabels.calibration.tempered_weights import LOSS, FittedTo, TemperedWeights
from xbench_softlabels.targets.judgements import judgements


@dataclass(frozen=True)
class Calibrated(FinishedLoss):
    """The training of another loss; afterwards logits are divided by one temperature.

    It is fitted within the training images, to their labels or to what people said of them, and
    becomes part of the weights (`TemperedWeights`). Whoever claims that human labels help has
    to be better than `calibrated` to people: that takes one number from them. The training itself
    is that of the other loss, and is shared with its entry.

    A network is surer of images that it was trained on, and right more often: a temperature that
    fits these is too low for others. So a second network is trained on all but one fold of the
    training images, and the temperature is the one that fits what it says of that fold.
    """

    name: ClassVar[str] = LOSS
    example: ClassVar = MappingProxyType({"of": "cross-entropy"})

    of: Loss
    to: FittedTo = "labels"
    """What the temperature is fitted to."""
    inner_folds: int = 10
    """In how many folds the training images are parted, to hold one out for the temperature; 0
    fits it to the images that the network itself was trained on."""

    def __post_init__(self) -> None:
        """Check the number of folds."""
        if self.inner_folds < 0 or self.inner_folds == 1:
            message = f"inner_folds is {self.inner_folds}; it needs 0, or at least 2"
            raise ValueError(message)

    @property
    def of_images(self) -> bool:
        """Whether the other loss's targets are."""
        return self.of.of_images

    def check(self, images: ImageSet) -> None:
        """Raise what the other loss raises, and where people are asked for and have said nothing.

        `MismatchError` for a dataset or an image without human labels, `ParameterError` for fewer
        images than folds.
        """
        self.of.check(images)
        if self.to == "people":
            judgements(images, self.name)
        if (count := len(images.ids())) < self.inner_folds:
            raise ParameterError(
                f"loss {self.name!r}: inner_folds is {self.inner_folds}, and there are {count} "
                "training images; fewer folds, or 0 to fit the temperature to all of them"
            )

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """Those of the other loss."""
        return self.of.targets(batch, classes=classes, epoch=epoch, generator=generator)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """That of the other loss."""
        return self.of.score(logits, targets)

    def classifier_weights(self, plan: TrainingPlan) -> ClassifierWeights:
        """The weights of the other loss's training, tempered by what is held out of its images."""
        trains = replace(plan, loss=self.of)
        trained = planned_weights(trains)
        if not self.inner_folds or not plan.training.epochs:
            return TemperedWeights(trained, trained, plan.images, self.to)
        folds = Folds(plan.images, self.inner_folds, plan.seed)
        asked = planned_weights(replace(trains, images=folds.training(0)))
        return TemperedWeights(trained, asked, folds.held_out(0), self.to)
