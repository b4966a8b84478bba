"""The loss with which a classifier and its hardness predictor are trained."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch, ImageSet, Loss, Targets
from xbench_deliberative.kernels import hardness as kernels


@dataclass(frozen=True)
class PredictorLoss(Loss):
    """The loss of a `Joint` network: the predictor's own, and the classifier's, weighted by s.

    p and s are constants where they weigh the other's loss. Scores take the logits
    followed by z.
    """

    name: ClassVar[str] = "hardness-predictor"

    loss: Loss
    """The classifier's."""
    predictor: Literal["bce", "linear"]
    """The predictor's."""
    frozen: bool
    """Whether the classifier stays as it is."""

    @property
    def of_images(self) -> bool:
        """What holds of the classifier's loss."""
        return self.loss.of_images

    def check(self, images: ImageSet) -> None:
        """Raise what the classifier's loss raises."""
        self.loss.check(images)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """Those of the classifier's loss."""
        return self.loss.targets(batch, classes=classes, epoch=epoch, generator=generator)

    def score(self, logits: Float[Tensor, "n outputs"], targets: Targets) -> Float[Tensor, ""]:
        """Both losses, averaged over the batch; the predictor's alone in a frozen setting."""
        logits, z = logits[:, :-1], logits[:, -1]
        own = self._predictor_losses(logits.detach(), targets.distribution, z).mean()
        if self.frozen:
            return own
        return (z.detach().sigmoid() * self._classifier_losses(logits, targets)).mean() + own

    def _predictor_losses(
        self,
        logits: Float[Tensor, "n classes"],
        distribution: Float[Tensor, "n classes"],
        z: Float[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        p = kernels.target_probabilities(logits, distribution)
        if self.predictor == "bce":
            return kernels.bce_losses(p, z)
        right = logits.argmax(1) == distribution.argmax(1)
        return kernels.balancing_weights(right) * kernels.linear_losses(p, z, right)

    def _classifier_losses(
        self, logits: Float[Tensor, "n classes"], targets: Targets
    ) -> Float[Tensor, " n"]:
        """The loss of each image, as if it were alone in its batch."""
        alone = [targets._replace(distribution=one) for one in targets.distribution[:, None]]
        pairs = zip(logits[:, None], alone, strict=True)
        return torch.stack([self.loss.score(one, target) for one, target in pairs])
