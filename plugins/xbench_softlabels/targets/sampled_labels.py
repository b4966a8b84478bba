"""A label that is drawn anew for each image in each epoch."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from xbench import Batch, ImageSet, Loss, Targets, derived_seed
from xbench_softlabels.kernels.draws import drawn_classes
from xbench_softlabels.targets.image_targets import batch_places
from xbench_softlabels.targets.judgements import judgements


@dataclass(frozen=True)
class SampledLabels(Loss):
    """Cross-entropy with what one of the people took an image for, another one in each epoch.

    Who is asked follows from the generator's seed, which the training takes from (seed, epoch),
    and the image's id, whatever its batch: a resumed training is the same training.
    """

    name: ClassVar[str] = "sampled-labels"

    @property
    def of_images(self) -> bool:
        """They are."""
        return True

    def check(self, images: ImageSet) -> None:
        """Raise what is wrong with the human labels of these images."""
        judgements(images, self.name)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The images as they are, and one judgement of each."""
        source, places = batch_places(batch, classes, self.name)
        seed = generator.initial_seed()
        draws = [derived_seed("sampled label", seed, image) for image in batch.ids]
        counts = judgements(source, self.name)[places]
        labels = drawn_classes(counts, torch.tensor(draws, dtype=torch.int64))
        distribution = functional.one_hot(labels, classes).to(batch.images)
        return Targets(batch.images, distribution, source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """Cross-entropy, averaged over the batch."""
        return functional.cross_entropy(logits, targets.distribution)
