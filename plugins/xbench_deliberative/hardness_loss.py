"""The loss with which a classifier and its hardness predictor are trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from xbench.loss import Loss, Targets
from xbench_deliberative.kernels import hardness as kernels

if TYPE_CHECKING:
    from xbench_deliberative.hardness import Hardness


@dataclass(frozen=True)
class PredictorLoss(Loss):
    """The loss of a `Joint` network: the predictor's own, and the classifier's, weighted by s.

    p and s are constants where they weigh the other's loss. Scores take the logits
    followed by z.
    """

    name: ClassVar[str] = "hardness-predictor"

    loss: Loss
    """The classifier's."""
    hardness: "Hardness"
    trained: str
    """Key of the recipe that trains with it."""

    def targets(
        self,
        images: Float[Tensor, "n 3 h w"],
        labels: Int64[Tensor, " n"],
        ids: Sequence[int],
        *,
        classes: int,
        epoch: int,
        generator: Generator,
    ) -> Targets:
        """Those of the classifier's loss."""
        return self.loss.targets(
            images, labels, ids, classes=classes, epoch=epoch, generator=generator
        )

    def score(
        self, logits: Float[Tensor, "n outputs"], distribution: Float[Tensor, "n classes"]
    ) -> Float[Tensor, ""]:
        """Both losses, averaged over the batch; the predictor's alone in a frozen setting."""
        logits, z = logits[:, :-1], logits[:, -1]
        own = self._predictor_losses(logits.detach(), distribution, z).mean()
        if self.hardness.setting == "frozen":
            return own
        return (z.detach().sigmoid() * self._classifier_losses(logits, distribution)).mean() + own

    def _predictor_losses(
        self,
        logits: Float[Tensor, "n classes"],
        distribution: Float[Tensor, "n classes"],
        z: Float[Tensor, " n"],
    ) -> Float[Tensor, " n"]:
        p = kernels.target_probabilities(logits, distribution)
        if self.hardness.loss == "bce":
            return kernels.bce_losses(p, z)
        right = logits.argmax(1) == distribution.argmax(1)
        return kernels.balancing_weights(right) * kernels.linear_losses(p, z, right)

    def _classifier_losses(
        self, logits: Float[Tensor, "n classes"], distribution: Float[Tensor, "n classes"]
    ) -> Float[Tensor, " n"]:
        """The loss of each image, as if it were alone in its batch."""
        pairs = zip(logits[:, None], distribution[:, None], strict=True)
        return torch.stack([self.loss.score(one, target) for one, target in pairs])
