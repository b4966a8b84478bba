"""Passes: batches of one size, so that what an image suffers hangs on no other image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from xbench import Batch, ImageSet, MismatchError, generator, per_image

PIXELS = 32 * 96 * 96
"""Of a pass: 32 images of up to 96 × 96 pixels, 5 of 224 × 224.

Libraries sum gradients in another order in batches of another size, and a sign near 0 flips."""
MOST_IMAGES = 32


@dataclass(frozen=True, eq=False)
class Pass:
    """Images that go through a network together; the last is repeated to fill the pass."""

    count: int
    """How many of them count."""
    ids: tuple[int, ...]
    images: Float32[Tensor, "n 3 h w"]
    labels: Int64[Tensor, " n"]

    def noise(self, seed: int, restarts: int) -> Iterator[Float32[Tensor, "n 3 h w"]]:
        """For each restart numbers from 0 to 1: a function of the seed and of each image's id."""
        sources = [per_image(generator("attack", seed), image) for image in self.ids]
        shape = self.images.shape[1:]
        for _ in range(restarts):
            drawn = [torch.rand(shape, generator=source) for source in sources]
            yield torch.stack(drawn).to(self.images.device)


def passes(
    images: ImageSet, classes: int, ids: Sequence[int], device: torch.device
) -> Iterator[Pass]:
    """The images in their order; `MismatchError` for labels that are none of the classes'."""
    if not ids:
        return
    height, width = images.batch(ids[:1]).images.shape[2:]
    size = min(MOST_IMAGES, max(1, PIXELS // (height * width)))
    for start in range(0, len(ids), size):
        own = tuple(ids[start : start + size])
        filled = (*own, *own[-1:] * (size - len(own)))
        batch = images.batch(own)
        places = torch.arange(size).clamp(max=len(own) - 1)
        labels = checked_labels(batch, classes)
        yield Pass(len(own), filled, batch.images[places].to(device), labels[places].to(device))


def checked_labels(batch: Batch, classes: int) -> Int64[Tensor, " n"]:
    """The labels; `MismatchError` where one is missing, or is that of no class."""
    labels = batch.known_labels()
    strange = ((labels < 0) | (labels >= classes)).nonzero()[:, 0].tolist()
    if strange:
        place = strange[0]
        raise MismatchError(
            f"image {batch.ids[place]} has label {int(labels[place])}, and the network has "
            f"{classes} classes; an attack needs the true class of every image, so leave out "
            f"images without one ({len(strange)} of {len(labels)} here)"
        )
    return labels
