"""Edits: images whose pixels are replaced, or shown, step by step in the order of a map."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Float32, Float64, Int16, Int64
from torch import Generator, Tensor

from xbench import generator, per_image
from xbench_saliency.kernels.blur import blurred
from xbench_saliency.kernels.imputation import linear_imputed
from xbench_saliency.kernels.order import random_orders, removal_steps
from xbench_saliency.maps.baselines import baseline_images

Baseline = Literal["blur", "mean", "noisy-linear"]
"""What pixels are replaced by: the blurred image, the mean of each channel, or values imputed
from the pixels that are left, with noise (ROAD)."""
Replacing = Callable[[Float32[Tensor, "e h w"]], Float[Tensor, "e 3 h w"]]
"""Makes an image with each of these sets of its pixels, which are those at 1, replaced."""
Predict = Callable[[Float[Tensor, "e 3 h w"]], Float64[Tensor, "e values"]]
"""What is read from the network's answers to edited images, whose memory is then used again."""
KINDS = 2
"""Deletion, then insertion."""


class EditedImage(NamedTuple):
    """An image, and what its random orders hang on."""

    image: Float[Tensor, "3 h w"]
    id: int
    seed: int


@dataclass(frozen=True)
class Editing:
    """How images are edited."""

    baseline: Baseline
    steps: int
    block: int
    draws: int
    blur: float
    noise: float

    def curves(
        self,
        predict: Predict,
        subject: EditedImage,
        saliency: Float[Tensor, "h w"],
        batch_size: int,
    ) -> Float64[Tensor, "2 points values"]:
        """Deletion and insertion of an image's pixels in the order of a map of its size.

        What is random about the image is a function of the seed and its id alone.
        """
        image = subject.image
        source = per_image(generator("pixel-flipping", subject.seed), subject.id)
        orders = random_orders(self.draws, (image.shape[1], image.shape[2]), self.block, source)
        removals = removal_steps(saliency.cpu(), orders, self.steps, self.block)
        return mean_curves(
            predict, removals, self._replacing(image, source, batch_size), self.steps, batch_size
        )

    def _replacing(
        self, image: Float[Tensor, "3 h w"], source: Generator, batch_size: int
    ) -> Replacing:
        if self.baseline == "noisy-linear":
            noise = self.noise * torch.randn(image.shape, generator=source, dtype=torch.float64)
            return partial(_imputed, image.cpu().double(), noise, image.device)
        if self.baseline == "mean":
            baseline = baseline_images("mean", image[None])[0].contiguous()
        else:
            baseline = blurred(image, self.blur * min(image.shape[1:]))
        most = min(batch_size, KINDS * self.draws * (self.steps + 1))
        return partial(_composed, image, baseline, image.new_empty((most, *image.shape)))


def _composed(
    image: Float[Tensor, "3 h w"],
    baseline: Float[Tensor, "3 h w"],
    room: Float[Tensor, "most 3 h w"],
    sets: Float32[Tensor, "e h w"],
) -> Float[Tensor, "e 3 h w"]:
    """The image with each set taken from the baseline; written into `room`, as new memory is dear.

    `lerp` is exact at the weights 0 and 1, and several times as fast as `where`.
    """
    weights = sets.to(image)[:, None]
    return torch.lerp(image, baseline, weights, out=room[: len(sets)])


def _imputed(
    image: Float64[Tensor, "3 h w"],
    noise: Float64[Tensor, "3 h w"],
    device: torch.device,
    sets: Float32[Tensor, "e h w"],
) -> Float[Tensor, "e 3 h w"]:
    """Each set imputed from the pixels outside it; its noise is the same in all sets."""
    images = [linear_imputed(image, pixels) + noise * pixels for pixels in sets.cpu() > 0]
    return torch.stack(images).clamp(0, 1).float().to(device)


def mean_curves(
    predict: Predict,
    removals: Int16[Tensor, "kept h w"],
    replacing: Replacing,
    steps: int,
    batch_size: int,
) -> Float64[Tensor, "2 points values"]:
    """Deletion and insertion from no step to all of them, averaged over the draws.

    One row of removals stands for all draws where these are equal. Point k of deletion is the
    image without the first k steps, of insertion the baseline with these alone. Images that several
    draws have in common are made once. An image's edits are predicted in batches of their own, so
    that values do not depend on other images.
    """
    owners = _owners(removals, steps)
    edits = _edits(owners)
    batches = edits.tensor_split(ceil(len(edits) / batch_size))
    goes = removals.float()
    values = torch.cat([predict(replacing(_sets(goes, batch))).cpu() for batch in batches])
    table = values.new_zeros((len(removals), KINDS, steps + 1, values.shape[1]))
    table[edits[:, 0], edits[:, 1], edits[:, 2]] = values
    table[:, 1, 0], table[:, 1, steps] = table[0, 0, steps], table[0, 0, 0]
    places = torch.arange(KINDS)[:, None], torch.arange(steps + 1)
    return torch.stack([table[owner, *places] for owner in owners]).mean(0)


def _owners(removals: Int16[Tensor, "draws h w"], steps: int) -> Int64[Tensor, "draws 1 k"]:
    """For each draw and step the draw whose edits it has: the first one's where they are equal.

    The pixels of the first k steps differ where a pixel goes by step k in one draw alone.
    """
    of_draws = removals.flatten(1)
    draws, pixels = (of_draws != of_draws[:1]).nonzero(as_tuple=True)
    both = torch.stack([of_draws[0, pixels], of_draws[draws, pixels]]).long()
    counts = both.new_zeros((len(removals), steps + 1))
    for step, change in ((both.amin(0), 1), (both.amax(0), -1)):
        counts.index_put_((draws, step), torch.tensor(change), accumulate=True)
    differs = counts.cumsum(1) > 0
    return (differs * torch.arange(len(removals))[:, None])[:, None]


def _edits(owners: Int64[Tensor, "draws 1 k"]) -> Int64[Tensor, "edits 3"]:
    """Draw, kind and step of every image to predict: each of those that are equal once."""
    draws, _, points = owners.shape
    own = (owners[:, 0] == torch.arange(draws)[:, None])[:, None].repeat(1, KINDS, 1)
    own[:, :, 0], own[:, :, points - 1] = False, False
    own[0, 0, 0], own[0, 0, points - 1] = True, True  # the image, and the baseline
    return own.nonzero()


def _sets(
    removals: Float32[Tensor, "kept h w"], edits: Int64[Tensor, "e 3"]
) -> Float32[Tensor, "e h w"]:
    """The pixels that each edit replaces: those until its step, or those after it where it inserts.

    Sums of small whole numbers are exact, and many times as fast as comparisons.
    """
    draws, kinds, steps = edits.T[..., None, None]
    of_draws = removals[draws[:, 0, 0]] if draws.any() else removals[:1]
    sign = (2 * kinds - 1).float()
    return (of_draws * sign).add_(1 - kinds - steps * sign).clamp_(0, 1)
