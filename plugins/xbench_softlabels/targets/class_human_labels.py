"""The human distribution of each class as the target of all its images."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import ImageSet, MismatchError
from xbench_softlabels.kernels.distributions import class_means, shares
from xbench_softlabels.targets.image_targets import ImageTargets
from xbench_softlabels.targets.judgements import judgements


@dataclass(frozen=True)
class ClassHumanLabels(ImageTargets):
    """Cross-entropy with what people took a class's images for, every image counting alike.

    The similarity `ihl` sums the counts of all images of a split, which knows nothing of folds
    and lets an image that more people judged count more; with as many people for each image and
    `preset = "paper"` both are the same.
    """

    name: ClassVar[str] = "class-human-labels"

    preset: Literal["training", "paper"] = "training"
    """Whose means: of the training images alone, or of all images of their split."""

    def check(self, images: ImageSet) -> None:
        """Raise what is wrong with human labels, or which classes have no image to learn from."""
        absent = torch.nonzero(self.rows(images).isnan().any(dim=1)).flatten().tolist()
        if absent:
            names = images.dataset.class_names()
            listed = ", ".join(repr(names[place]) for place in absent[:5])
            part = "" if images.part is None else f", in this part of split {images.split!r}"
            raise MismatchError(
                f"loss {self.name!r}: dataset {images.dataset.name!r} has no image of {listed}"
                f"{', …' * (len(absent) > 5)}{part}; take fewer folds or other images"
            )

    def rows(self, images: ImageSet) -> Float64[Tensor, "classes classes"]:
        """The mean human distribution of each class; NaN for a class without images."""
        whole = dataclasses.replace(images, part=None) if self.preset == "paper" else images
        return class_means(shares(judgements(whole, self.name)), whole.dataset.labels(whole.ids()))

    def distributions(self, images: ImageSet) -> Float64[Tensor, "n classes"]:
        """The row of each image's class."""
        return self.rows(images)[images.dataset.labels(images.ids())]
