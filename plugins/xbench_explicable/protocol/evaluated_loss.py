"""Losses of single images, for classifiers that may have been trained with others."""

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from xbench import Batch, ImageSet, Loss, MismatchError, Targets, generator

TRIAL_IMAGES, TRIALS, SIDE = 8, 8, 16
"""How many images a loss is tried with, how often, and how many pixels their sides have."""


def image_losses(
    loss: Loss,
    batch: Batch,
    logits: Float[Tensor, "n classes"],
    seed: int,
    places: Int64[Tensor, " own_classes"] | None = None,
) -> Float64[np.ndarray, " n"]:
    """The loss of each image against its own target; `MismatchError` where it mixes images.

    `places` says where each class of the batch's own dataset stands among those of the logits, if
    they are not the same.
    """
    classes = logits.shape[1]
    targets = _targets(loss, batch, classes if places is None else len(places), seed)
    if places is not None:
        spread = targets.distribution.new_zeros(len(logits), classes)
        spread[:, places] = targets.distribution
        targets = targets._replace(distribution=spread)
    losses = [
        loss.score(
            logits[[place]],
            Targets(targets.images[[place]], targets.distribution[[place]], targets.source),
        )
        for place in range(len(logits))
    ]
    return torch.stack(losses).double().numpy() if losses else np.zeros(0)


def refuse_mixing(loss: Loss, images: ImageSet) -> None:
    """`MismatchError` for a loss that changes images, of which there would be other logits.

    It is seen in a few images of noise with the ids and labels of real ones, so no file is
    decoded.
    """
    ids = images.ids()[:TRIAL_IMAGES]
    noise = torch.rand(len(ids), 3, SIDE, SIDE, generator=generator("tried loss"))
    batch = Batch(noise, ids, images.dataset.labels(ids), images)
    for trial in range(TRIALS):
        _targets(loss, batch, len(images.dataset.class_names()), trial)


def _targets(loss: Loss, batch: Batch, classes: int, seed: int) -> Targets:
    """The targets of images that the loss leaves as they are."""
    source = generator("evaluated loss", seed)
    targets = loss.targets(batch, classes=classes, epoch=0, generator=source)
    if targets.images.shape != batch.images.shape or not torch.equal(targets.images, batch.images):
        raise MismatchError(
            f"loss {loss.name!r} mixes or changes images, so it is no loss of what a classifier "
            "says of an image as it is; leave it out of protocol.losses, entries may be trained "
            "with it"
        )
    return targets
