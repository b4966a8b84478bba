"""Occlusion: how much the logit falls when a window of the image is hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Given, MismatchError, Network
from xbench_saliency.kernels.windows import Windows, mean_over_windows, sliding_windows
from xbench_saliency.maps.baselines import Baseline, baseline_images
from xbench_saliency.maps.of_batch import saliency_maps
from xbench_saliency.maps.passes import check_per_pass, passes
from xbench_saliency.maps.reduction import Sign, with_sign
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Against, Explained, Target, explained

PARTS = 8
"""Windows that fit along the shorter side, where no other size is asked for."""


@dataclass(frozen=True)
class Occlusion(Explainer):
    """How much the logit falls when a square window is hidden: the mean of those over a pixel.

    "Visualizing and Understanding Convolutional Networks" (Zeiler and Fergus, ECCV 2014). All
    channels are hidden together.
    """

    name: ClassVar[str] = "occlusion"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap

    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    against: Against = ""
    """The class that it is contrasted with: none, the runner-up, or that of a number."""
    sign: Sign = "signed"
    """What of the map is kept."""
    window: int = 0
    """Side of the window in pixels; 0 for an eighth of the image's shorter side."""
    stride: int = 0
    """Pixels from one window to the next; 0 for half a window."""
    baseline: Baseline = "mean"
    """What is seen in the window."""
    per_pass: int = 0
    """Images in one pass; 0 for as many as fit a fixed number of pixels, whatever the batch."""

    def __post_init__(self) -> None:
        """Refuse windows that are none, or that leave pixels out."""
        check_per_pass(self.per_pass)
        if self.window < 0 or self.stride < 0:
            raise ValueError(f"window and stride are pixels, not {self.window} and {self.stride}")
        if self.window and self.stride > self.window:
            raise ValueError(
                f"stride {self.stride} is larger than the window of {self.window} pixels, so some "
                "would never be hidden; take a smaller one, or 0 for half a window"
            )

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """One map per image, as fine as the image; nothing random in it."""
        if not batch.ids:
            return []
        size = (batch.images.shape[-2], batch.images.shape[-1])
        windows = self._windows(size)
        logits = network.logits(batch.images, batch.ids)
        what = explained(self.target, self.against, logits, batch)
        drops = self._drops(network, batch.images, windows, what, what.values(logits))
        maps = [mean_over_windows(of_image, windows).float() for of_image in drops]
        return saliency_maps(with_sign(torch.stack(maps), self.sign), what, batch)

    def _windows(self, size: tuple[int, int]) -> Windows:
        side = self.window or max(1, min(size) // PARTS)
        stride = self.stride or max(1, side // 2)
        if side > min(size) or stride > side:
            raise MismatchError(
                f"occlusion with a window of {side} pixels every {stride} does not cover images of "
                f"{size[0]} × {size[1]}; take window = 0, an eighth of their shorter side, and "
                "stride = 0, half a window"
            )
        return sliding_windows(size, side, stride)

    def _drops(
        self,
        network: Network,
        images: Float[Tensor, "n 3 h w"],
        windows: Windows,
        what: Explained,
        before: Float[Tensor, " n"],
    ) -> Iterator[Float[Tensor, " windows"]]:
        """For each image by how much what is explained falls with each window, on the CPU."""
        height, width = images.shape[-2:]
        hidden = baseline_images(self.baseline, images)
        for place, (image, other) in enumerate(zip(images, hidden, strict=True)):
            after = []
            for some in passes(windows.number, (height, width), self.per_pass):
                occluded = torch.where(windows.masks(some).to(images.device), other, image)
                own = what.of(torch.full_like(some, place))
                after.append(own.values(network.logits(occluded)))
            yield (before[place] - torch.cat(after)).cpu()
